/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The medium of an emulated CD drive, as libxl changes it (Xen >= 4.20,
 * libxl_disk.c:cdrom_insert_*): it ejects, removes the fdset whose opaque is
 * "stub-devid:<devid>" if there is one, detaches the vbd, attaches another,
 * waits until such an fdset is there again and inserts /dev/fdset/<n>.
 *
 * So: each CD that comes as a block device goes to QEMU as such an fdset, and
 * the one before it, if it is still there, goes away.
 */
#ifndef CDROM_H
#define CDROM_H

#include <stdint.h>
#include <xenstore.h>

#include "monitor.h"
#include "vbd.h"

#define CDROM_QUEUE 16

struct cdrom_change {
	struct vbd_event ev;
	bool present;
};

struct cdrom {
	struct xs_handle *xs;
	struct monitor *monitor;
	const char *dev;		/* "/dev" but in tests */
	/*
	 * One after the other: fdset ids are reused, so what one change read
	 * of them must not outlive the next.
	 */
	struct cdrom_change queue[CDROM_QUEUE];
	unsigned int head, count;
};

void cdrom_init(struct cdrom *c, struct xs_handle *xs, struct monitor *monitor);
/*
 * CDs that are there and that QEMU's arguments did not open (@opened: bit i
 * for /dev/xvd<'a' + i>): drives that start without a medium.
 */
void cdrom_scan(struct cdrom *c, uint32_t opened);

/* A vbd's disk came (@dir > 0) or went: what the kernel's uevent says. */
void cdrom_event(struct cdrom *c, const struct vbd_event *ev, int dir);

#endif
