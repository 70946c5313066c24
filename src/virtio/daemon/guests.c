// SPDX-License-Identifier: GPL-2.0-or-later
#include "guests.h"

#include <stdlib.h>

#include "growth.h"
#include "guest.h"
#include "look.h"
#include "net.h"
#include "rules.h"
#include "session.h"

/*
 * Looks at one guest that its changes cause: so many at once, as when a guest with many
 * devices is created, then eight a second.  One takes about ten requests to xenstored for
 * each device, and a guest can cause changes without end.
 */
#define LOOKS_AT_ONCE 10
#define LOOK_MS 125

struct guests {
	struct guests_env env;
	struct guest *list;
};

/* ---- the list ---- */

struct guests *guests_new(const struct guests_env *env)
{
	struct guests *gs = calloc(1, sizeof(*gs));

	if (gs)
		gs->env = *env;
	return gs;
}

static struct guest *find(const struct guests *gs, uint32_t domid)
{
	struct guest *g = gs->list;

	while (g && g->domid != domid)
		g = g->next;
	return g;
}

static struct guest *find_or_add(struct guests *gs, uint32_t domid)
{
	struct guest *g = find(gs, domid);

	if (g)
		return g;
	g = guest_new(&gs->env, domid);
	if (g) {
		g->next = gs->list;
		gs->list = g;
	}
	return g;
}

static void end(struct guest *g)
{
	session_end(g);
	ioerrors_stop(&g->ioerrors);
	guest_free(g);
}

void guests_free(struct guests *gs)
{
	struct guest *g, *next;

	for (g = gs ? gs->list : NULL; g; g = next) {
		next = g->next;
		end(g);
	}
	free(gs);
}

/* ---- the queue: guests by the time at which they are to be looked at ---- */

void guests_visit(struct guests *gs, uint32_t domid)
{
	struct guest *g = find_or_add(gs, domid);

	if (!g)
		return;
	g->visited = true;
	guest_wake(g, pace_at(&g->looks, gs->env.now(), LOOKS_AT_ONCE, LOOK_MS));
}

void guests_unit(struct guests *gs, uint32_t domid)
{
	struct guest *g = find_or_add(gs, domid);

	if (g)
		guest_wake(g, 0);
}

void guests_release(struct guests *gs)
{
	for (struct guest *g = gs->list; g; g = g->next)
		if (!g->alive || !guest_is_alive(g))
			guest_wake(g, 0);
}

void guests_resized(struct guests *gs, dev_t dev)
{
	for (struct guest *g = gs->list; g; g = g->next) {
		if (!growth_seen(g, dev))
			continue;
		g->resized = true;
		guests_visit(gs, g->domid);
	}
}

static void forget_over(struct guest **p)
{
	struct guest *g = *p;

	if (g->unit == VD_UNIT_FAILED)
		units_reset(g->env->units, g->domid);
	vd_rules_remove(g->domid);
	*p = g->next;
	end(g);
}

static void look(struct guest *g)
{
	g->due = GUEST_NEVER;
	if (g->visited)
		pace_take(&g->looks, guest_now(g), LOOK_MS);
	g->visited = false;
	guest_look(g);
}

void guests_tick(struct guests *gs)
{
	struct guest **p = &gs->list;

	while (*p) {
		struct guest *g = *p;

		if (g->due <= gs->env.now())
			look(g);
		if (guest_over(g))
			forget_over(p);
		else
			p = &g->next;
	}
}

uint64_t guests_next(const struct guests *gs)
{
	uint64_t due = GUEST_NEVER;

	for (const struct guest *g = gs->list; g; g = g->next)
		if (g->due < due)
			due = g->due;
	return due;
}

/* ---- all of them ---- */

static bool keep_tap(void *arg, uint32_t domid, uint32_t devid)
{
	struct guest *g = find(arg, domid);
	struct dev *d = g ? dev_find(g, (struct vd_id){ VD_KIND_VIRTIO, devid }) : NULL;

	return d && (d->there || d->plugged);
}

static void add_all(struct guests *gs, uint32_t *domids, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		find_or_add(gs, domids[i]);
	free(domids);
}

int guests_scan(struct guests *gs)
{
	uint32_t *domids;
	unsigned int n;
	int ret = vd_nodes_guests(gs->env.st, &domids, &n);

	if (ret) {
		free(domids);
		return ret;
	}
	add_all(gs, domids, n);
	/* Backends whose guest went while nobody looked. */
	if (!units_list(gs->env.units, &domids, &n))
		add_all(gs, domids, n);
	for (struct guest *g = gs->list; g; g = g->next)
		guest_wake(g, 0);
	guests_tick(gs);
	vd_net_sweep(keep_tap, gs);
	return 0;
}

void guests_count(const struct guests *gs, unsigned int *n, unsigned int *devices,
		  unsigned int *bad)
{
	*n = *devices = *bad = 0;
	for (const struct guest *g = gs->list; g; g = g->next) {
		++*n;
		*devices += g->n;
		for (unsigned int i = 0; i < g->n; i++)
			if (g->dev[i].node.failed)
				++*bad;
	}
}
