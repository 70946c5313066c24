// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/state/request.c src/stubdom/state/ring.c */
/*
 * A page of ring that a hostile stubdomain has written, and changes while it is served: each
 * copy asked for lies inside its page and inside the disk, a disk to restore from is not
 * written, and no more is done than a ring has slots.
 *
 * The input: one byte (bit 0: read-only), 4 bytes of index, the slots, then the table of
 * segments that indirect requests find.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stubdom/state/ring.h"

#define SECTORS 200u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t page[BLKIF_PAGE] __attribute__((aligned(4096)));
static const uint8_t *rest;
static size_t left;
static unsigned int copies;
static bool readonly;

static void must(bool is)
{
	if (!is)
		abort();
}

/* Some of what the input has left. */
static void take(void *to, size_t len)
{
	size_t n = len < left ? len : left;

	memset(to, 0, len);
	memcpy(to, rest, n);
	rest += n;
	left -= n;
}

static int copy(void *arg, const struct segment *segs, unsigned int n, bool to_guest)
{
	(void)arg;
	must(n && n <= REQUEST_SEGS && (to_guest || !readonly));
	for (unsigned int i = 0; i < n; i++) {
		must(segs[i].len && segs[i].offset + segs[i].len <= BLKIF_PAGE);
		must(segs[i].at <= SECTORS * 512 && segs[i].len <= SECTORS * 512 - segs[i].at);
	}
	copies++;
	/* It writes all over the ring meanwhile. */
	if (left && *rest & 1)
		take(page + 64, 112);
	return 0;
}

static int fetch(void *arg, uint32_t gref, void *buf, size_t len)
{
	(void)arg;
	must(len <= BLKIF_PAGE);
	take(buf, len);
	return gref & 1 ? -1 : 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct ring_ops ops = { .copy = copy, .fetch = fetch };
	struct geometry geo = { .sectors = SECTORS };
	blkif_sring_t *sring = (blkif_sring_t *)page;
	bool notify, more = true;
	struct ring r;

	if (size < 5)
		return 0;
	geo.readonly = readonly = data[0] & 1;
	rest = data + 1;
	left = size - 1;
	take(&sring->req_prod, 4);
	sring->req_prod &= data[0] & 2 ? ~0u : 63;
	take(page + 64, sizeof(page) - 64);
	copies = 0;
	/* Another process's ring, to be refused: no request is of a disk without sectors. */
	if (data[0] & 4) {
		take(&sring->rsp_prod, 4);
		geo.sectors = 0;
	}
	ring_init(&r, page, &geo, &ops, NULL);
	if (data[0] & 4)
		ring_take_over(&r);
	for (int i = 0; i < 3 && more; i++)
		if (ring_serve(&r, &notify, &more))
			break;
	must(copies <= (data[0] & 4 ? 0 : 3 * 32));
	must(r.back.req_cons == r.back.rsp_prod_pvt);
	return 0;
}
