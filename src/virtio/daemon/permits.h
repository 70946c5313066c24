/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the processes of a backend unit that runs may open, through systemd's D-Bus interface. */
#ifndef XE_VD_PERMITS_H
#define XE_VD_PERMITS_H

#include <stdint.h>
#include <systemd/sd-bus.h>

#include "rules.h"

/* @ret: 0, or why it failed (negative errno), which is in the log. */
typedef void permits_fn(void *arg, uint32_t domid, int ret);

/*
 * As units_permit(), which sees to it that there is one at a time.  Returns 0, and
 * @done is called later; or negative errno, and it is not.
 */
int permits_set(sd_bus *bus, uint32_t domid, const struct vd_rules *r, const struct vd_rule *bind,
		permits_fn *done, void *arg);

#endif
