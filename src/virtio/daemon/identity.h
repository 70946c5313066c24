/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who a guest's QEMU is: a user that is nobody else, with no files. */
#ifndef XE_VD_IDENTITY_H
#define XE_VD_IDENTITY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "virtio/spec.h"

struct vd_identity {
	uid_t uid;
	gid_t gid;
	bool shares;		/* it is the owner of a directory that the guest may write to */
};

void vd_identity_init(struct vd_identity *who, uint32_t domid);
/*
 * A device that is to be served, as vd_probe() found it.  False when that needs another
 * user than an earlier one.  Pure.
 */
bool vd_identity_serve(struct vd_identity *who, const struct vd_spec *s, const struct vd_found *found);

/*
 * Become @uid, for good: no groups, no capabilities, no way to get any.  Not 0: that
 * keeps what root is.  Negative errno.
 */
int vd_become(uid_t uid, gid_t gid);

#endif
