// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Lines about one guest in a minute. */
#define LINES_PER_MINUTE 30
#define RETRY_MS 1000
#define DEVS_MAX 1024
/* State 1 for so long, while QEMU has it: a unit that ends is known to have ended by then. */
#define UNSERVED_MS 3000

struct guest *guest_new(const struct guests_env *env, uint32_t domid)
{
	struct guest *g = calloc(1, sizeof(*g));

	if (!g) {
		log_err(NULL, "domain %u: out of memory", domid);
		return NULL;
	}
	g->env = env;
	g->domid = domid;
	g->due = GUEST_NEVER;
	return g;
}

void guest_free(struct guest *g)
{
	probing_end(&g->probing);
	free(g->dev);
	free(g);
}

uint64_t guest_now(const struct guest *g)
{
	return g->env->now();
}

uint64_t guest_stamp(const struct guest *g)
{
	uint64_t now = guest_now(g);

	return now ? now : 1;
}

void guest_wake(struct guest *g, uint64_t when)
{
	if (when < g->due)
		g->due = when;
}

void guest_log(struct guest *g, int level, const struct vd_id *id, const char *fmt, ...)
{
	struct log_about about = {
		.guest = g->name[0] ? g->name : NULL, .domid = (int)g->domid,
		.stubdom = -1, .show_domid = true,
	};
	char text[VD_ERROR_MAX + 128], dev[VD_ID_MAX];
	va_list ap;

	if (!limit_take(&g->lines, guest_now(g), 60000, LINES_PER_MINUTE))
		return;
	if (g->lines.used == LINES_PER_MINUTE) {
		log_warn(&about, "too many messages: further ones are dropped for a minute");
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (id)
		log_msg(level, &about, "%s: %s", vd_id_show(dev, *id), text);
	else
		log_msg(level, &about, "%s", text);
}

void guest_failed(struct guest *g, const char *what, int err)
{
	guest_log(g, LOG_ERR, NULL, "%s: %s: trying again", what, strerror(-err));
	guest_wake(g, guest_now(g) + RETRY_MS);
}

struct dev *dev_find(struct guest *g, struct vd_id id)
{
	for (unsigned int i = 0; i < g->n; i++)
		if (g->dev[i].node.id.kind == id.kind && g->dev[i].node.id.devid == id.devid)
			return &g->dev[i];
	return NULL;
}

struct dev *dev_add(struct guest *g, struct vd_id id)
{
	struct dev *more;

	if (g->n >= DEVS_MAX)
		return NULL;
	more = reallocarray(g->dev, g->n + 1, sizeof(*more));
	if (!more)
		return NULL;
	g->dev = more;
	more = &g->dev[g->n++];
	memset(more, 0, sizeof(*more));
	more->node.id = id;
	return more;
}

bool dev_replaced(const struct dev *d)
{
	return d->plugged && memcmp(&d->served, &d->node.spec, sizeof(d->served));
}

bool dev_unserved(struct guest *g, struct dev *d)
{
	bool is = d->there && d->plugged && d->node.online && d->node.state == XenbusStateInitialising;

	if (d->node.state > XenbusStateInitialising)
		d->unserved = 0;
	if (!is) {
		d->unserved_since = 0;
		return false;
	}
	if (!d->unserved_since)
		d->unserved_since = guest_stamp(g);
	if (guest_now(g) >= d->unserved_since + UNSERVED_MS)
		return true;
	guest_wake(g, d->unserved_since + UNSERVED_MS);
	return false;
}

dev_t dev_sized(const struct dev *d)
{
	return d->plugged && d->served.type == VD_BLOCK && d->served.format == VD_RAW ? d->found.dev : 0;
}

bool devs_probed(const struct guest *g)
{
	for (unsigned int i = 0; i < g->n; i++)
		if (g->dev[i].plugged && !g->dev[i].probed && !g->dev[i].unknown)
			return false;
	return true;
}

void devs_forget_plugged(struct guest *g)
{
	g->known = g->resized = false;
	for (unsigned int i = 0; i < g->n; i++) {
		struct dev *d = &g->dev[i];

		d->probed &= !dev_replaced(d);
		d->plugged = d->asked = d->unknown = d->prepared = false;
	}
}
