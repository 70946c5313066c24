/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend units, xen-virtio-backend@<domid>.service, through systemd's
 * D-Bus interface.  Nothing here waits for systemd but units_open().
 */
#ifndef XE_VD_UNITS_H
#define XE_VD_UNITS_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "rules.h"
#include "unit_report.h"

struct units;

/* The state of the guest's unit changed. */
typedef void units_fn(void *arg, uint32_t domid);

/* Learns the state of all units.  NULL with errno. */
struct units *units_open(sd_event *ev, units_fn *fn, void *arg);
void units_close(struct units *u);

enum vd_unit units_state(struct units *u, uint32_t domid);
/* Guests with a unit that is not inactive, in no order; *@domids to free(). */
int units_list(struct units *u, uint32_t **domids, unsigned int *n);

/* Asked, not done: the state tells.  Negative errno when it cannot be asked. */
int units_start(struct units *u, uint32_t domid);
int units_stop(struct units *u, uint32_t domid);
/*
 * Let the unit's processes that run, and those that systemd starts in their place, open
 * the block devices of @r and no others.  @bind, if not NULL, is a path to show them
 * too; it cannot be hidden again, and those that come later do not see it (systemd
 * reads the drop-in when it loads the unit).  One at a time: -EBUSY.
 * units_permitted() is 0 when that is done, -EINPROGRESS, or why it failed; a change
 * is told like one of the state.
 */
int units_permit(struct units *u, uint32_t domid, const struct vd_rules *r, const struct vd_rule *bind);
int units_permitted(struct units *u, uint32_t domid);
/* Let a failed one be inactive, and forget how often it failed. */
int units_reset(struct units *u, uint32_t domid);

#endif
