/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the backend of one guest may open: its disks, images and shared directories.
 * What every backend needs is in the unit's file.
 *
 * systemd reads a drop-in of the instance when it loads the unit; a unit that runs is
 * told by units_permit().
 */
#ifndef XE_VD_RULES_H
#define XE_VD_RULES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "virtio/spec.h"

struct vd_rule {
	dev_t dev;			/* a block device: by its number; 0: not one */
	bool bind;			/* a path that the backend does not see otherwise */
	char path[VD_PATH_MAX];
	bool readonly;
};

struct vd_rules {
	struct vd_rule *rule;
	unsigned int n;
};

#define VD_RULE_DEVICE_MAX 40
/* The prefix by which rules of ours are known among a unit's DeviceAllow=. */
#define VD_RULE_DEVICE "/dev/block/"

/* Does a device need one, and which?  @found: by vd_probe(). */
bool vd_rule_make(struct vd_rule *rule, const struct vd_spec *s, const struct vd_found *found);
/* For DeviceAllow=: "/dev/block/253:4".  Returns @buf. */
char *vd_rule_device(char buf[VD_RULE_DEVICE_MAX], const struct vd_rule *rule);
/* For DeviceAllow=: "rw" or "r". */
const char *vd_rule_access(const struct vd_rule *rule);

/* -ENOMEM.  vd_rules_free() in any case. */
int vd_rules_add(struct vd_rules *r, const struct vd_rule *rule);
void vd_rules_free(struct vd_rules *r);

/* The drop-in's text, to free(); NULL: out of memory. */
char *vd_rules_text(const struct vd_rules *r);

/* The drop-in of guest @domid, in place of an earlier one.  Negative errno. */
int vd_rules_write(const struct vd_rules *r, uint32_t domid);
/* The guest is gone: remove it, and what units_permit() made systemd write. */
void vd_rules_remove(uint32_t domid);

#endif
