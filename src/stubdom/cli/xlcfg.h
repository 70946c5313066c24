/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A guest's xl.cfg, held against what libxl does with it when the device
 * model runs in a Linux stubdomain (sources: libxl_create.c, libxl_dm.c of
 * Xen 4.17 to 4.21).
 */
#ifndef XE_XLCFG_H
#define XE_XLCFG_H

#include <stddef.h>

#include "cfgfacts.h"
#include "cli/findings.h"

/* @text: the file, @name: how to call it; -EINVAL when xl would refuse it. */
int xlcfg_check(struct findings *fs, const char *name, const char *text,
		size_t len, const struct xlcfg_host *host);

/*
 * "xvda", "hda", "sdb", "hdc1", "d2", "d0p1": index of the disk, its kind
 * ('h' IDE, 's' SCSI, 'x' all else); -EINVAL when it is no vdev.
 */
int vdev_parse(const char *vdev, unsigned int *index, char *kind);

#endif
