/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and names of virtual block devices: pure functions. */
#ifndef VBD_H
#define VBD_H

#include <stddef.h>

/*
 * What Linux (xen-blkfront.c:xen_translate_vdev) makes of a vbd's number: the
 * disk's index (0 for xvda) and partition (0: whole disk).  IDE and SCSI
 * numbers land on the same xvd names.  -EINVAL for numbers libxl never gives.
 */
int vbd_decode(unsigned int devid, unsigned int *disk, unsigned int *part);

/* The name of xl.cfg, as far as the number tells: "hda", "sdb", "xvdc1". */
void vbd_vdev(unsigned int devid, char *out, size_t size);

/*
 * The kernel's uevent for a block device (a datagram of NUL-separated
 * "KEY=value" lines): whether a whole disk of a vbd came or went.
 * 1: it came, -1: it went, 0: something else.
 */
struct vbd_event {
	unsigned int devid;
	char dev[16];		/* "xvdc" */
};
int vbd_uevent(const char *msg, size_t len, struct vbd_event *ev);

#endif
