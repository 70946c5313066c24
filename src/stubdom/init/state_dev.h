/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A state disk's block device.  Init, which has the rights, gives the node to the
 * broker's user when the kernel makes it; the broker opens it.  QEMU's user cannot.
 */
#ifndef STATE_DEV_H
#define STATE_DEV_H

#include <stddef.h>
#include <stdint.h>

#include "vbd.h"

/*
 * The name below /dev of vbd @devid, by the kernel's word (@sys: "/sys" but in tests).
 * -ENOENT: not there, perhaps not yet.
 */
int state_dev_name(const char *sys, uint32_t devid, char *name, size_t size);

/*
 * Open it with @flags, past the page cache: a descriptor; -EAGAIN when it is not there or not
 * given to this user yet; another negative errno.  *@size: its bytes.
 */
int state_dev_open(uint32_t devid, int flags, uint64_t *size);

/* The device of a save is there: it is the broker's. */
void state_dev_give(const struct vbd_event *ev);

#endif
