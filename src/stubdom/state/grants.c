// SPDX-License-Identifier: GPL-2.0-or-later
#include "grants.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <xenevtchn.h>
#include <xengnttab.h>

struct grants {
	uint32_t stub;
	xengnttab_handle *gnt;
	xenevtchn_handle *evt;
	void *page;
	xenevtchn_port_or_error_t port;	/* -1: none */
};

struct grants *grants_open(uint32_t stub)
{
	struct grants *g = calloc(1, sizeof(*g));
	int saved;

	if (!g)
		return NULL;
	g->stub = stub;
	g->port = -1;
	g->gnt = xengnttab_open(NULL, 0);
	g->evt = g->gnt ? xenevtchn_open(NULL, 0) : NULL;
	/* gntdev knows no such thing. */
	if (g->evt && !xenevtchn_restrict(g->evt, stub))
		return g;
	saved = errno;
	grants_close(g);
	errno = saved;
	return NULL;
}

void grants_close(struct grants *g)
{
	if (!g)
		return;
	grants_unmap(g);
	if (g->evt)
		xenevtchn_close(g->evt);
	if (g->gnt)
		xengnttab_close(g->gnt);
	free(g);
}

void *grants_map(struct grants *g, uint32_t ref, uint32_t port)
{
	g->page = xengnttab_map_grant_ref(g->gnt, g->stub, ref, PROT_READ | PROT_WRITE);
	if (!g->page)
		return NULL;
	g->port = xenevtchn_bind_interdomain(g->evt, g->stub, port);
	if (g->port < 0) {
		int saved = errno;

		grants_unmap(g);
		errno = saved;
		return NULL;
	}
	return g->page;
}

void grants_unmap(struct grants *g)
{
	if (g->port >= 0)
		xenevtchn_unbind(g->evt, (evtchn_port_t)g->port);
	g->port = -1;
	if (g->page)
		xengnttab_unmap(g->gnt, g->page, 1);
	g->page = NULL;
}

int grants_fd(const struct grants *g)
{
	return xenevtchn_fd(g->evt);
}

int grants_take_event(struct grants *g)
{
	xenevtchn_port_or_error_t port = xenevtchn_pending(g->evt);

	if (port < 0)
		return errno == EAGAIN ? 0 : -errno;
	return xenevtchn_unmask(g->evt, (evtchn_port_t)port) ? -errno : 0;
}

int grants_notify(struct grants *g)
{
	return xenevtchn_notify(g->evt, (evtchn_port_t)g->port) ? -errno : 0;
}

static int copy(struct grants *g, xengnttab_grant_copy_segment_t *ops, unsigned int n)
{
	if (xengnttab_grant_copy(g->gnt, n, ops))
		return -errno;
	for (unsigned int i = 0; i < n; i++)
		if (ops[i].status != GNTST_okay)
			return -EFAULT;
	return 0;
}

int grants_copy(struct grants *g, uint8_t *disk, const struct segment *segs, unsigned int n, bool to_guest)
{
	xengnttab_grant_copy_segment_t ops[REQUEST_SEGS] = { 0 };

	for (unsigned int i = 0; i < n; i++) {
		union xengnttab_copy_ptr here = { .virt = disk + segs[i].at }, there = { .foreign = {
			.ref = segs[i].gref, .offset = segs[i].offset, .domid = (uint16_t)g->stub,
		} };

		ops[i].source = to_guest ? here : there;
		ops[i].dest = to_guest ? there : here;
		ops[i].flags = to_guest ? GNTCOPY_dest_gref : GNTCOPY_source_gref;
		ops[i].len = segs[i].len;
	}
	return copy(g, ops, n);
}

int grants_fetch(struct grants *g, uint32_t ref, void *buf, uint16_t len)
{
	xengnttab_grant_copy_segment_t op = {
		.source.foreign = { .ref = ref, .domid = (uint16_t)g->stub },
		.dest.virt = buf, .len = len, .flags = GNTCOPY_source_gref,
	};

	return copy(g, &op, 1);
}
