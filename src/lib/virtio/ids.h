/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How a device, and what belongs to it, is called: in xenstore, QEMU and the kernel. */
#ifndef XE_VD_IDS_H
#define XE_VD_IDS_H

#include <stddef.h>
#include <stdint.h>

/* The backend's program. */
#define VD_QEMU "/usr/libexec/xen-extras/qemu-virtio"

/* A directory for each guest, by its number; a backend sees its own and no other. */
#define VD_RUN_DIR "/run/xen-virtio"
#define VD_RUN_QMP VD_RUN_DIR "/%u/qmp"			/* QEMU's monitor */
#define VD_RUN_EVENTS VD_RUN_DIR "/%u/events"		/* another, see ioerror.h */
#define VD_RUN_START VD_RUN_DIR "/%u/start"		/* see backend.h */
#define VD_CONSOLE_SOCKET "console-%u"				/* the socket of a virtio console, by the device's number */
#define VD_RUN_CONSOLE VD_RUN_DIR "/%u/" VD_CONSOLE_SOCKET
#define VD_RUN_OPEN VD_RUN_DIR "/%u/open"		/* see keeper.h */
/* Where the unit's QEMU finds its way to xenstored, in the unit's own file tree. */
#define VD_XENSTORE_DIR "/run"
#define VD_XENSTORE_NAME "xenstore"
#define VD_XENSTORE VD_XENSTORE_DIR "/" VD_XENSTORE_NAME
#define VD_UNIT "xen-virtio-backend@%u.service"

/*
 * Users of a guest's QEMU and of what is between it and xenstored: these and the guest's
 * number.  systemd and Debian hand such numbers out to nobody: docs/decisions/0014.
 */
#define VD_UID_QEMU 2146400000u
#define VD_UID_XENSTORE 2146440000u

/* xenstore's names of the device classes that are served. */
enum vd_kind { VD_KIND_VIRTIO, VD_KIND_DISK, VD_KINDS };

struct vd_id {
	enum vd_kind kind;
	uint32_t devid;
};

#define VD_ID_MAX 32	/* "virtio_disk-4294967295" and a suffix */

const char *vd_kind_name(enum vd_kind kind);

/* "virtio_disk-51712": the name of its transport in QEMU.  Returns @buf. */
char *vd_id_name(char buf[VD_ID_MAX], struct vd_id id);
/* "virtio_disk/51712", as people read it.  Returns @buf. */
char *vd_id_show(char buf[VD_ID_MAX], struct vd_id id);
/* Either form; -EINVAL. */
int vd_id_parse(const char *text, struct vd_id *id);

/* QEMU's number for the open files of a disk (fdset); -EINVAL when the device's is too large. */
int vd_id_fdset(struct vd_id id);

/* The guest's tap: "vx<domid>.<devid>"; -EINVAL when that is too long. */
int vd_tap_name(char *buf, uint32_t domid, uint32_t devid);

#endif
