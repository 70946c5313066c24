/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CD drives without a medium.
 *
 * libxl gives a stubdomain each of its guest's disks, and has a CD served by
 * QEMU in dom0 unless its line says otherwise (4.17: always).  A drive without
 * a medium is then a disk without a file ("aio:"), which that QEMU refuses once
 * and for all: the stubdomain's kernel waits for it until libxl gives up.
 *
 * The emulated drive needs no such disk.  So its frontend and backend are
 * removed, and libxl's record of it says that the kernel serves it: what
 * `xl cd-insert` (4.20 and later) puts into the drive is attached the way the
 * record says, and only a CD that the kernel serves can be changed.  libxl
 * takes a device whose backend is gone for one that is closed.
 */
#ifndef XE_DRIVES_H
#define XE_DRIVES_H

#include <stdbool.h>
#include <xenstore.h>

#include "xen/stubdomain.h"

/* What libxl wrote down about a disk. */
struct drive {
	char type[16], params[16], device[16];	/* "": none, or too long */
	char backend[96];
	bool taken;		/* a backend serves it */
};

/* Pure: is disk @devid of stubdomain @stub a CD without a medium that no backend takes? */
bool drive_is_empty(const struct drive *d, uint32_t stub, uint32_t devid);

/*
 * Do what is needed, each disk in a transaction that sees the stubdomain still
 * there.  *@done counts the drives that were dealt with.  0, -ENOENT when the
 * stubdomain went away, or an error.
 */
int drives_fix(struct xs_handle *xs, const struct stub_id *id, unsigned int *done);

#endif
