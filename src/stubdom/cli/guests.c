// SPDX-License-Identifier: GPL-2.0-or-later
#include "guests.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "xen/domain.h"
#include "xen/xs_util.h"

#define MEM_MAX_KIB (1ull << 40)

static void read_data(struct xs_handle *xs, struct guest *g)
{
	const struct {
		const char *name;
		char *dst;
	} text[] = {
		{ "version", g->version }, { "qemu", g->qemu },
		{ "stage", g->stage }, { "error", g->error },
	};

	for (size_t i = 0; i < sizeof(text) / sizeof(text[0]); i++)
		xsu_text(xs, text[i].dst, GUEST_TEXT_MAX, "/local/domain/%u/" STUBDOM_DATA "/%s",
			 g->id.stub, text[i].name);
	xsu_text(xs, g->state, GUEST_TEXT_MAX, "/local/domain/%u/device-model/%u/state",
		 g->id.stub, g->id.guest);
	if (xsu_read_uint(xs, XBT_NULL, &g->mem_total, MEM_MAX_KIB,
			  "/local/domain/%u/" STUBDOM_DATA "/mem-total",
			  g->id.stub))
		g->mem_total = 0;
	if (xsu_read_uint(xs, XBT_NULL, &g->mem_available, MEM_MAX_KIB,
			  "/local/domain/%u/" STUBDOM_DATA "/mem-available",
			  g->id.stub))
		g->mem_available = 0;
}

static bool wanted(const struct guest *g, const char *name)
{
	char number[16];

	snprintf(number, sizeof(number), "%u", g->id.guest);
	return !name || !strcmp(g->id.name, name) || !strcmp(number, name);
}

static int by_guest(const void *a, const void *b)
{
	const struct guest *x = a, *y = b;

	return (x->id.guest > y->id.guest) - (x->id.guest < y->id.guest);
}

int guests_read(struct xs_handle *xs, const char *name, struct guest **g,
		size_t *n)
{
	unsigned int count;
	char **names;
	int ret = xsu_list(xs, XBT_NULL, &names, &count, "/local/domain");

	*g = NULL;
	*n = 0;
	if (ret)
		return ret;
	for (unsigned int i = 0; i < count; i++) {
		struct guest one = { 0 };
		uint64_t domid;

		if (xsu_parse_uint(names[i], DOMID_LIMIT - 1, &domid) ||
		    stub_ident(xs, XBT_NULL, (uint32_t)domid, &one.id))
			continue;
		domain_name(xs, one.id.guest, one.id.name, sizeof(one.id.name));
		if (!wanted(&one, name))
			continue;
		read_data(xs, &one);
		*g = xgrow(*g, *n, sizeof(**g));
		(*g)[(*n)++] = one;
	}
	free(names);
	if (*n)
		qsort(*g, *n, sizeof(**g), by_guest);
	return name && !*n ? -ENOENT : 0;
}
