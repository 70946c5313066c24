// SPDX-License-Identifier: GPL-2.0-or-later
#include "orphan.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clean.h"
#include "diag.h"
#include "xen/domain.h"
#include "xen/stubdomain.h"
#include "xen/xs_util.h"

/* So many at once are remembered; the others are found when these are gone. */
#define ORPHANS_MAX 32
#define BIRTHS_MAX 64
/* A guest that went is kept in mind for as long as its stubdomain may be found. */
#define BIRTH_MS 60000

struct orphan {
	uint32_t domid;
	uint8_t uuid[16];
	uint64_t since;
	bool told, seen;
};

/* An HVM guest that was seen while it was being made. */
struct birth {
	uint32_t domid;
	uint8_t uuid[16];
	char name[DOMAIN_NAME_MAX];
	uint64_t seen;		/* when it was last there */
	bool lonely;		/* there was no NAME-dm when it came */
};

struct orphans {
	struct orphan v[ORPHANS_MAX];
	struct birth births[BIRTHS_MAX];
	unsigned int n, nbirths;
};

/* All domains, for one round. */
struct domains {
	struct hv_dom *v;
	unsigned int n;
};

struct orphans *orphans_new(void)
{
	return calloc(1, sizeof(struct orphans));
}

void orphans_free(struct orphans *o)
{
	free(o);
}

/* "web1-dm" -> "web1"; false for other names. */
static bool stem(char *name)
{
	size_t n = strlen(name);

	if (n < 4 || strcmp(name + n - 3, "-dm"))
		return false;
	name[n - 3] = '\0';
	return true;
}

static bool name_in_use(struct xs_handle *xs, const struct domains *all, const char *name)
{
	char other[DOMAIN_NAME_MAX];

	for (unsigned int i = 0; i < all->n; i++) {
		domain_name(xs, all->v[i].domid, other, sizeof(other));
		if (!strcmp(other, name))
			return true;
	}
	return false;
}

static bool being_made(const struct hv_dom *dom)
{
	return dom->domid && dom->paused && !dom->dying && !dom->cpu_ns;
}

static bool same_dom(const struct hv_dom *dom, uint32_t domid, const uint8_t *uuid)
{
	return dom->domid == domid && !memcmp(dom->uuid, uuid, 16);
}

/* ---- guests being made ---- */

static void note_birth(struct orphans *o, struct xs_handle *xs,
		       const struct domains *all, const struct hv_dom *dom, uint64_t now)
{
	char dm[DOMAIN_NAME_MAX + 4];
	struct birth *b;

	for (unsigned int i = 0; i < o->nbirths; i++) {
		if (!same_dom(dom, o->births[i].domid, o->births[i].uuid))
			continue;
		o->births[i].seen = now;
		return;
	}
	if (o->nbirths == BIRTHS_MAX)
		return;
	b = &o->births[o->nbirths];
	domain_name(xs, dom->domid, b->name, sizeof(b->name));
	if (!b->name[0])	/* too early: the next event shows it */
		return;
	o->nbirths++;
	b->domid = dom->domid;
	b->seen = now;
	memcpy(b->uuid, dom->uuid, 16);
	snprintf(dm, sizeof(dm), "%s-dm", b->name);
	b->lonely = !name_in_use(xs, all, dm);
}

static void note_births(struct orphans *o, struct xs_handle *xs,
			const struct domains *all, uint64_t now)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < all->n; i++) {
		if (all->v[i].hvm && being_made(&all->v[i])) {
			note_birth(o, xs, all, &all->v[i], now);
			continue;
		}
		/* It was started: whatever happens to it now is another matter. */
		for (unsigned int j = 0; j < o->nbirths; j++)
			if (same_dom(&all->v[i], o->births[j].domid, o->births[j].uuid) &&
			    all->v[i].cpu_ns)
				o->births[j].lonely = false;
	}
	for (unsigned int i = 0; i < o->nbirths; i++)
		if (now < o->births[i].seen + BIRTH_MS)
			o->births[kept++] = o->births[i];
	o->nbirths = kept;
}

/* Did the daemon see that this guest came, alone, and went without running? */
static bool came_and_went(const struct orphans *o, const struct domains *all, const char *name)
{
	const struct birth *b = NULL;

	for (unsigned int i = 0; i < o->nbirths; i++)
		if (!strcmp(o->births[i].name, name))
			b = &o->births[i];	/* the youngest of that name */
	for (unsigned int i = 0; b && i < all->n; i++)
		if (same_dom(&all->v[i], b->domid, b->uuid))
			return false;
	return b && b->lonely;
}

/* ---- what they left ---- */

static bool is_orphan(struct xs_handle *xs, const struct domains *all,
		      const struct hv_dom *dom, struct stub_id *id)
{
	if (dom->hvm || !being_made(dom))
		return false;
	domain_name(xs, dom->domid, id->name, sizeof(id->name));
	if (!stem(id->name) || xsu_exists(xs, XBT_NULL, "/local/domain/%u/target", dom->domid))
		return false;
	id->stub = dom->domid;
	id->guest = 0;
	return !name_in_use(xs, all, id->name);
}

static struct orphan *remember(struct orphans *o, const struct hv_dom *dom, uint64_t now)
{
	struct orphan *p;

	for (unsigned int i = 0; i < o->n; i++)
		if (o->v[i].domid == dom->domid && !memcmp(o->v[i].uuid, dom->uuid, 16))
			return &o->v[i];
	if (o->n == ORPHANS_MAX)
		return NULL;
	p = &o->v[o->n++];
	*p = (struct orphan){ .domid = dom->domid, .since = now };
	memcpy(p->uuid, dom->uuid, 16);
	return p;
}

static void forget_unseen(struct orphans *o)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < o->n; i++)
		if (o->v[i].seen)
			o->v[kept++] = o->v[i];
	o->n = kept;
}

static void found(const struct orphans *o, struct orphan *p, struct xs_handle *xs,
		  struct hv *hv, const struct domains *all, const struct stub_id *id,
		  const struct hv_dom *dom)
{
	struct diag *why = malloc(sizeof(*why));

	p->told = true;
	if (!why)
		return;
	/* The reason is read while its nodes are there. */
	diag_collect(xs, hv, id, DIAG_UNBUILT, dom, why);
	if (came_and_went(o, all, id->name) && !clean_unbuilt(xs, hv, id, dom)) {
		why->kind = DIAG_REMOVED;
		p->told = false;
	}
	diag_say_collected(why);
}

uint64_t orphans_check(struct orphans *o, struct xs_handle *xs, struct hv *hv,
		       uint64_t now)
{
	uint64_t next = UINT64_MAX;
	struct domains all;

	if (hv_dom_list(hv, &all.v, &all.n))
		return now + ORPHAN_MS;
	note_births(o, xs, &all, now);
	for (unsigned int i = 0; i < o->n; i++)
		o->v[i].seen = false;
	for (unsigned int i = 0; i < all.n; i++) {
		struct orphan *p;
		struct stub_id id;

		if (!is_orphan(xs, &all, &all.v[i], &id))
			continue;
		p = remember(o, &all.v[i], now);
		if (!p)
			continue;
		p->seen = true;
		if (p->told)
			continue;
		if (now >= p->since + ORPHAN_MS)
			found(o, p, xs, hv, &all, &id, &all.v[i]);
		else if (p->since + ORPHAN_MS < next)
			next = p->since + ORPHAN_MS;
	}
	free(all.v);
	forget_unseen(o);
	return next;
}

unsigned int orphans_count(const struct orphans *o)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < o->n; i++)
		n += o->v[i].told;
	return n;
}
