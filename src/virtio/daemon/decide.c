// SPDX-License-Identifier: GPL-2.0-or-later
#include "decide.h"

#include <string.h>

/* It has no process, and gets none before we have decided. */
static bool no_process(enum vd_unit u)
{
	return u == VD_UNIT_INACTIVE || u == VD_UNIT_FAILED || u == VD_UNIT_RESTARTING;
}

static bool gave_up(const struct vd_guest_view *g)
{
	return g->expected_up && (g->unit == VD_UNIT_FAILED || g->unit == VD_UNIT_INACTIVE);
}

static enum vd_action unplug_if(const struct vd_guest_view *g, const struct vd_dev_view *d)
{
	return g->unit == VD_UNIT_RUNNING && g->known && d->plugged ? VD_DO_UNPLUG : VD_DO_NOTHING;
}

/* Is it for QEMU to close it? */
static bool is_open(const struct vd_guest_view *g, const struct vd_dev_view *d)
{
	return d->there && (!g->alive || !d->online) && d->state != XenbusStateClosed &&
	       !no_process(g->unit) && !(g->known && !d->plugged);
}

static enum vd_action decide_dev(const struct vd_guest_view *g, struct vd_dev_view *d)
{
	d->wanted = false;
	if (!d->there)
		return d->plugged ? unplug_if(g, d) : VD_DO_FORGET;
	if (!g->alive || !d->online) {
		if (d->state == XenbusStateClosed)
			return unplug_if(g, d);
		return is_open(g, d) ? VD_DO_NOTHING : VD_DO_CLOSE;
	}
	/*
	 * Closed with a reason: whoever fixes it starts the unit again.  One
	 * that QEMU has may come back by itself when its driver does.
	 */
	if (d->failed && d->state >= XenbusStateClosing) {
		d->wanted = d->plugged;
		return VD_DO_NOTHING;
	}
	if (d->bad)
		return VD_DO_FAIL;
	if (gave_up(g))
		return VD_DO_FAIL_UNIT;
	d->wanted = true;
	if (g->unit != VD_UNIT_RUNNING || !g->known)
		return VD_DO_NOTHING;
	if (!d->plugged)
		return VD_DO_PLUG;
	if (d->unserved)
		return VD_DO_UNPLUG;
	return d->grown ? VD_DO_RESIZE : VD_DO_NOTHING;
}

void vd_decide(const struct vd_guest_view *g, struct vd_dev_view *dev, unsigned int n,
	       struct vd_plan *plan)
{
	bool up = g->unit == VD_UNIT_RUNNING || g->unit == VD_UNIT_STARTING ||
		  g->unit == VD_UNIT_RESTARTING;
	unsigned int wanted = 0, open = 0;

	memset(plan, 0, sizeof(*plan));
	for (unsigned int i = 0; i < n; i++) {
		dev[i].action = decide_dev(g, &dev[i]);
		wanted += dev[i].wanted;
		open += is_open(g, &dev[i]);
	}
	plan->closing = !wanted && open;
	if (wanted && g->unit == VD_UNIT_INACTIVE)
		plan->unit = VD_UNIT_START;
	else if (wanted && g->unit == VD_UNIT_FAILED)
		plan->unit = VD_UNIT_RESET;
	else if (!wanted && up && (!open || g->closing_ms >= VD_CLOSE_MS))
		plan->unit = VD_UNIT_STOP;
	if (g->unit == VD_UNIT_RUNNING && plan->unit == VD_UNIT_LEAVE) {
		plan->ask = !g->known;
		plan->measure = g->known && g->resized;
	}
}
