/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the administrator asked for: the `type` text of a virtio= line, or the
 * nodes that xl writes for a disk.
 *
 *   virtio,device1;bridge=xenbr0;mac=00:16:3e:00:00:01
 *   virtio,device2;path=/srv/data.qcow2;format=qcow2;readonly
 *
 * Pure functions.  What is wrong is said in one line that ends with the fix.
 */
#ifndef XE_VD_SPEC_H
#define XE_VD_SPEC_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "blockdev.h"

#define VD_PATH_MAX 1024
#define VD_SERIAL_MAX 21	/* VIRTIO_BLK_ID_BYTES and a NUL */
#define VD_TAG_MAX 32		/* MAX_TAG_LEN of QEMU's virtio-9p */
#define VD_ERROR_MAX 256	/* virtio-xenbus-error: at most 255 bytes */
#define VD_QUEUES_MAX 16

/* Supported virtio device types. */
enum vd_type {
	VD_NET = 1,
	VD_BLOCK = 2,
	VD_CONSOLE = 3,
	VD_RNG = 4,
	VD_9P = 9,
};

enum vd_format { VD_RAW, VD_QCOW2 };
/* VD_AIO_DEFAULT: what suits the file. */
enum vd_aio { VD_AIO_DEFAULT, VD_AIO_THREADS, VD_AIO_NATIVE, VD_AIO_IO_URING };

/* VD_VHOST_DEFAULT: if the kernel can. */
enum vd_vhost { VD_VHOST_DEFAULT, VD_VHOST_OFF, VD_VHOST_ON };

struct vd_spec {
	enum vd_type type;
	char path[VD_PATH_MAX];		/* block: file or device; 9p: directory */
	bool readonly;			/* block, 9p */
	/* block */
	enum vd_format format;
	enum vd_aio aio;
	bool discard;
	bool cached;			/* through the page cache: no O_DIRECT */
	char serial[VD_SERIAL_MAX];	/* "": none */
	/* block, net */
	unsigned int queues;
	bool packed;			/* packed rings; then a loss of the backend ends it */
	/* net */
	char bridge[IFNAMSIZ];
	uint8_t mac[6];
	unsigned int mtu;		/* 0: the bridge's */
	enum vd_vhost vhost;		/* served by the kernel */
	/* 9p */
	char tag[VD_TAG_MAX];
	bool mapped;			/* owners and modes in extended attributes */
	/* rng */
	unsigned int rate;		/* bytes in a second; 0: no limit */
};

/* What the host has for it: vd_probe(). */
struct vd_found {
	dev_t dev;			/* block: the path is this block device; 0: not one */
	struct vd_sectors sectors;	/* block: 0, 0 where the disk does not take its device's */
	bool vhost;			/* net: the kernel can serve it */
	uid_t uid;			/* 9p: the directory's owner */
	gid_t gid;
};

/* 0, or -EINVAL with @error (VD_ERROR_MAX bytes). */
int vd_spec_parse(const char *text, struct vd_spec *s, char *error);

/* The nodes of backend/virtio_disk/N/D; NULL: not there. */
struct vd_disk_nodes {
	const char *params, *mode, *device_type, *discard;
};

int vd_spec_disk(const struct vd_disk_nodes *n, struct vd_spec *s, char *error);

/* "net", "block", ...; "?" */
const char *vd_type_name(enum vd_type type);
/* The other way round; 0 when the name is not known. */
enum vd_type vd_type_by_name(const char *name, size_t len);

/*
 * Say in a few words what a device is: "bridge=xenbr0 mac=...",
 * "/dev/vg/web1 raw".  Returns @buf.
 */
char *vd_spec_what(const struct vd_spec *s, char *buf, size_t size);

#endif
