// SPDX-License-Identifier: GPL-2.0-or-later
#include "orphan.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "diag.h"
#include "ident.h"
#include "xsh.h"

/* So many at once are remembered; the others are found when these are gone. */
#define ORPHANS_MAX 32

struct orphan {
	uint32_t domid;
	uint8_t uuid[16];
	uint64_t since;
	bool told, seen;
};

struct orphans {
	struct orphan v[ORPHANS_MAX];
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

static bool name_in_use(struct xs_handle *xs, const struct hv_dom *list,
			unsigned int n, const char *name)
{
	char other[IDENT_NAME_MAX];

	for (unsigned int i = 0; i < n; i++) {
		guest_name(xs, list[i].domid, other, sizeof(other));
		if (!strcmp(other, name))
			return true;
	}
	return false;
}

static bool is_orphan(struct xs_handle *xs, const struct hv_dom *list,
		      unsigned int n, const struct hv_dom *dom, struct stub_id *id)
{
	if (dom->hvm || !dom->domid || !dom->paused || dom->dying || dom->cpu_ns)
		return false;
	guest_name(xs, dom->domid, id->name, sizeof(id->name));
	if (!stem(id->name) || xsh_exists(xs, XBT_NULL, "/local/domain/%u/target", dom->domid))
		return false;
	id->stub = dom->domid;
	id->guest = 0;
	return !name_in_use(xs, list, n, id->name);
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

uint64_t orphans_check(struct orphans *o, struct xs_handle *xs, struct hv *hv,
		       uint64_t now)
{
	uint64_t next = UINT64_MAX;
	struct hv_dom *list;
	unsigned int n;

	if (hv_dom_list(hv, &list, &n))
		return now + ORPHAN_MS;
	for (unsigned int i = 0; i < o->n; i++)
		o->v[i].seen = false;
	for (unsigned int i = 0; i < n; i++) {
		struct stub_id id;
		struct orphan *p;

		if (!is_orphan(xs, list, n, &list[i], &id))
			continue;
		p = remember(o, &list[i], now);
		if (!p)
			continue;
		p->seen = true;
		if (!p->told && now >= p->since + ORPHAN_MS) {
			p->told = true;
			diag_say(xs, hv, &id, DIAG_UNBUILT, &list[i]);
		}
		if (!p->told && p->since + ORPHAN_MS < next)
			next = p->since + ORPHAN_MS;
	}
	free(list);
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
