// SPDX-License-Identifier: GPL-2.0-or-later
#include "remains.h"

/* How long nodes of a guest that is gone are left to the toolstack. */
#define GUEST_MS 60000
/* How long one device's nodes that are this domain's to remove. */
#define CLOSED_MS 5000

static void one_device(struct guest *g, struct dev *d)
{
	uint64_t now = guest_now(g);

	if (!d->there || d->node.online || d->node.state != XenbusStateClosed || d->plugged) {
		d->closed_since = 0;
		return;
	}
	if (!d->closed_since)
		d->closed_since = guest_stamp(g);
	if (now >= d->closed_since + CLOSED_MS && !vd_nodes_remove_dev(g->env->st, g->domid, d->node.id)) {
		guest_log(g, LOG_INFO, &d->node.id, "closed: its nodes removed");
		d->there = false;
		guest_wake(g, now);
		return;
	}
	guest_wake(g, (now < d->closed_since + CLOSED_MS ? d->closed_since : now) + CLOSED_MS);
}

/* What the toolstack has left behind; never of a guest that lives. */
static void whole_guest(struct guest *g)
{
	uint64_t now = guest_now(g);

	if (g->alive || !g->n || !vd_nodes_forgotten(g->env->st, g->domid)) {
		g->gone_since = 0;
		return;
	}
	if (!g->gone_since)
		g->gone_since = guest_stamp(g);
	guest_wake(g, g->gone_since + GUEST_MS);
	if (now < g->gone_since + GUEST_MS || vd_nodes_remove(g->env->st, g->domid))
		return;
	guest_log(g, LOG_INFO, NULL, "it is gone: its nodes removed");
	g->gone_since = 0;
	guest_wake(g, now);
}

/*
 * xl removes the nodes of a device in dom0 when dom0 serves it.  What a driver
 * domain served, that domain has to remove, as `xl devd' does for other kinds;
 * a little later, for xl waits until it sees state 6.
 */
void remains_remove(struct guest *g)
{
	for (unsigned int i = 0; g->env->st->own && i < g->n; i++)
		one_device(g, &g->dev[i]);
	whole_guest(g);
}
