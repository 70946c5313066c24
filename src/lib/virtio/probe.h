/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is what a device is to be made of there? */
#ifndef XE_VD_PROBE_H
#define XE_VD_PROBE_H

#include <stdbool.h>

#include "spec.h"

/*
 * 0 and what was @found; or negative errno and @error (VD_ERROR_MAX bytes), with
 * the fix.  @access: may this process open it as the backend has to?
 */
int vd_probe(const struct vd_spec *s, bool access, struct vd_found *found, char *error);

/*
 * A driver knows a disk's sector size from its first look at it.  When a later QEMU
 * finds another one below, it shows the disk with @kept (0: this is the first) all the
 * same, which QEMU can.  Returns the size found where that is not the one shown, else 0.
 */
unsigned int vd_found_keep(struct vd_found *found, unsigned int kept);

#endif
