/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sector size that a guest's driver knows a disk by: kept in the disk's nodes. */
#ifndef XE_VD_SECTORS_H
#define XE_VD_SECTORS_H

#include "virtio/nodes.h"

/*
 * @found, by vd_probe(), becomes what the guest was shown first; the first time that is
 * written down.  False, and a line for the log in @text (VD_ERROR_MAX bytes), when the
 * device below has another size now.  True for what is not a disk.
 */
bool sectors_keep(const struct vd_store *st, uint32_t domid, const struct vd_node *n,
		  struct vd_found *found, char *text);

#endif
