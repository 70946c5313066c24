/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The unit has a /dev/xen and a /dev/net of its own.  In them are the two devices that
 * QEMU's libraries open by their paths, for all processes of the unit, whoever they are,
 * and the one by which root opens taps.
 */
#ifndef XE_VD_DEVNODES_H
#define XE_VD_DEVNODES_H

/* What is there already stays.  Negative errno, with the path of what could not be made. */
int devnodes_make(const char **path);

#endif
