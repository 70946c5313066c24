// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/state/request.c src/stubdom/state/ring.c */
/* The requests of a stubdomain, good and hostile, on a ring in memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdlib.h>

#include "stubdom/state/ring.h"

#define SECTORS 1024u

static uint8_t page[BLKIF_PAGE] __attribute__((aligned(4096)));
static uint8_t table[BLKIF_PAGE];
static blkif_front_ring_t front;
static struct ring ring;
static struct segment copied[REQUEST_SEGS];
static unsigned int n_copied, copies, fetches;
static bool copied_to_guest;
static int copy_ret, fetch_ret;

static int copy(void *arg, const struct segment *segs, unsigned int n, bool to_guest)
{
	(void)arg;
	assert_in_range(n, 1, REQUEST_SEGS);
	for (unsigned int i = 0; i < n; i++) {
		assert_true(segs[i].offset + segs[i].len <= BLKIF_PAGE);
		assert_true(segs[i].at + segs[i].len <= SECTORS * 512ull);
		copied[i] = segs[i];
	}
	n_copied = n;
	copied_to_guest = to_guest;
	copies++;
	return copy_ret;
}

static int fetch(void *arg, uint32_t gref, void *buf, size_t len)
{
	(void)arg;
	(void)gref;
	assert_true(len <= sizeof(table));
	memcpy(buf, table, len);
	fetches++;
	return fetch_ret;
}

static const struct ring_ops ops = { .copy = copy, .fetch = fetch };

static void start(bool readonly)
{
	const struct geometry geo = { .sectors = SECTORS, .readonly = readonly };

	memset(page, 0, sizeof(page));
	memset(table, 0, sizeof(table));
	SHARED_RING_INIT((blkif_sring_t *)page);
	FRONT_RING_INIT(&front, (blkif_sring_t *)page, BLKIF_PAGE);
	ring_init(&ring, page, &geo, &ops, NULL);
	copies = fetches = n_copied = 0;
	copy_ret = fetch_ret = 0;
}

static void put(const void *req)
{
	memcpy(RING_GET_REQUEST(&front, front.req_prod_pvt), req, sizeof(struct blkif_request));
	front.req_prod_pvt++;
	RING_PUSH_REQUESTS(&front);
}

static int serve(void)
{
	bool notify, more;

	return ring_serve(&ring, &notify, &more);
}

/* The answer to one request. */
static struct blkif_response ask(const struct blkif_request *req)
{
	struct blkif_response rsp;

	put(req);
	assert_int_equal(serve(), 0);
	assert_int_equal(front.sring->rsp_prod, front.rsp_cons + 1);
	RING_COPY_RESPONSE(&front, front.rsp_cons, &rsp);
	front.rsp_cons++;
	assert_int_equal(rsp.id, req->id);
	return rsp;
}

static struct blkif_request simple(uint8_t op, uint64_t sector, unsigned int n)
{
	struct blkif_request req = { .operation = op, .nr_segments = (uint8_t)n, .id = 77, .sector_number = sector };

	for (unsigned int i = 0; i < n && i < BLKIF_MAX_SEGMENTS_PER_REQUEST; i++)
		req.seg[i] = (struct blkif_request_segment){ .gref = 10 + i, .first_sect = 0, .last_sect = 7 };
	return req;
}

static void a_write_and_a_read(void **state)
{
	struct blkif_request req = simple(BLKIF_OP_WRITE, 16, 2);
	struct blkif_response rsp;

	(void)state;
	start(false);
	req.seg[1].first_sect = 3;
	req.seg[1].last_sect = 4;
	rsp = ask(&req);
	assert_int_equal(rsp.status, BLKIF_RSP_OKAY);
	assert_int_equal(rsp.operation, BLKIF_OP_WRITE);
	assert_int_equal(n_copied, 2);
	assert_false(copied_to_guest);
	assert_int_equal(copied[0].at, 16 * 512);
	assert_int_equal(copied[0].len, 4096);
	assert_int_equal(copied[1].gref, 11);
	assert_int_equal(copied[1].offset, 3 * 512);
	assert_int_equal(copied[1].len, 1024);
	assert_int_equal(copied[1].at, 24 * 512);
	req = simple(BLKIF_OP_READ, SECTORS - 8, 1);
	assert_int_equal(ask(&req).status, BLKIF_RSP_OKAY);
	assert_true(copied_to_guest);
	copy_ret = -EFAULT;
	assert_int_equal(ask(&req).status, BLKIF_RSP_ERROR);
}

static void a_flush(void **state)
{
	struct blkif_request req = simple(BLKIF_OP_FLUSH_DISKCACHE, 0, 0);

	(void)state;
	start(false);
	assert_int_equal(ask(&req).status, BLKIF_RSP_OKAY);
	req.nr_segments = 1;
	assert_int_equal(ask(&req).status, BLKIF_RSP_ERROR);
	assert_int_equal(copies, 0);
}

static struct blkif_response ask_indirect(uint8_t op, uint64_t sector, uint16_t n)
{
	struct blkif_request raw = { .operation = 0 };
	struct blkif_request_indirect ind = {
		.operation = BLKIF_OP_INDIRECT, .indirect_op = op, .nr_segments = n, .id = 5,
		.sector_number = sector, .indirect_grefs = { 99 },
	};

	memcpy(&raw, &ind, sizeof(ind));
	return ask(&raw);
}

static void indirect(void **state)
{
	struct blkif_request_segment *segs = (struct blkif_request_segment *)table;
	struct blkif_response rsp;

	(void)state;
	start(false);
	for (unsigned int i = 0; i < REQUEST_SEGS; i++)
		segs[i] = (struct blkif_request_segment){ .gref = i, .first_sect = 0, .last_sect = 7 };
	rsp = ask_indirect(BLKIF_OP_WRITE, 128, REQUEST_SEGS);
	assert_int_equal(rsp.status, BLKIF_RSP_OKAY);
	/* what blkfront compares */
	assert_int_equal(rsp.operation, BLKIF_OP_WRITE);
	assert_int_equal(n_copied, REQUEST_SEGS);
	assert_int_equal(copied[63].at, 128 * 512 + 63 * 4096);
	assert_int_equal(ask_indirect(BLKIF_OP_WRITE, 128, REQUEST_SEGS + 1).status, BLKIF_RSP_ERROR);
	assert_int_equal(ask_indirect(BLKIF_OP_WRITE, 128, 0).status, BLKIF_RSP_ERROR);
	assert_int_equal(ask_indirect(BLKIF_OP_WRITE, 128, UINT16_MAX).status, BLKIF_RSP_ERROR);
	assert_int_equal(ask_indirect(BLKIF_OP_INDIRECT, 128, 1).status, BLKIF_RSP_ERROR);
	assert_int_equal(ask_indirect(BLKIF_OP_FLUSH_DISKCACHE, 128, 1).status, BLKIF_RSP_ERROR);
	assert_int_equal(fetches, 1);
	segs[3].last_sect = 8;
	assert_int_equal(ask_indirect(BLKIF_OP_READ, 128, 4).status, BLKIF_RSP_ERROR);
	fetch_ret = -EFAULT;
	assert_int_equal(ask_indirect(BLKIF_OP_READ, 128, 2).status, BLKIF_RSP_ERROR);
	assert_int_equal(copies, 1);
}

static void what_is_refused(void **state)
{
	struct blkif_request req;
	static const struct { uint8_t op; uint64_t sector; unsigned int n; int status; } bad[] = {
		{ BLKIF_OP_WRITE, 0, 0, BLKIF_RSP_ERROR },
		{ BLKIF_OP_WRITE, 0, 12, BLKIF_RSP_ERROR },
		{ BLKIF_OP_WRITE, 0, 255, BLKIF_RSP_ERROR },
		{ BLKIF_OP_WRITE, SECTORS, 1, BLKIF_RSP_ERROR },
		{ BLKIF_OP_WRITE, SECTORS - 7, 1, BLKIF_RSP_ERROR },
		{ BLKIF_OP_READ, SECTORS - 8, 2, BLKIF_RSP_ERROR },
		{ BLKIF_OP_READ, UINT64_MAX, 1, BLKIF_RSP_ERROR },
		{ BLKIF_OP_READ, UINT64_MAX - 7, 2, BLKIF_RSP_ERROR },
		{ BLKIF_OP_READ, 1ull << 55, 1, BLKIF_RSP_ERROR },
		{ BLKIF_OP_WRITE_BARRIER, 0, 1, BLKIF_RSP_EOPNOTSUPP },
		{ BLKIF_OP_DISCARD, 0, 1, BLKIF_RSP_EOPNOTSUPP },
		{ 4, 0, 1, BLKIF_RSP_EOPNOTSUPP },
		{ 255, 0, 1, BLKIF_RSP_EOPNOTSUPP },
	};

	(void)state;
	start(false);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct blkif_response rsp;

		req = simple(bad[i].op, bad[i].sector, bad[i].n);
		rsp = ask(&req);
		assert_int_equal(rsp.status, bad[i].status);
		assert_int_equal(rsp.operation, bad[i].op);
	}
	req = simple(BLKIF_OP_READ, 0, 2);
	req.seg[1].first_sect = 5;
	req.seg[1].last_sect = 4;
	assert_int_equal(ask(&req).status, BLKIF_RSP_ERROR);
	req.seg[1].first_sect = req.seg[1].last_sect = 8;
	assert_int_equal(ask(&req).status, BLKIF_RSP_ERROR);
	req.seg[1].first_sect = 0;
	req.seg[1].last_sect = 255;
	assert_int_equal(ask(&req).status, BLKIF_RSP_ERROR);
	assert_int_equal(copies, 0);
}

static void a_disk_to_restore_from_is_not_written(void **state)
{
	struct blkif_request req = simple(BLKIF_OP_WRITE, 0, 1);

	(void)state;
	start(true);
	assert_int_equal(ask(&req).status, BLKIF_RSP_ERROR);
	assert_int_equal(ask_indirect(BLKIF_OP_WRITE, 0, 1).status, BLKIF_RSP_ERROR);
	assert_int_equal(copies, 0);
	req = simple(BLKIF_OP_READ, 0, 1);
	assert_int_equal(ask(&req).status, BLKIF_RSP_OKAY);
}

/* A whole ring at once, round and round. */
static void many(void **state)
{
	struct blkif_request req = simple(BLKIF_OP_READ, 0, 1);
	unsigned int size;

	(void)state;
	start(false);
	size = RING_SIZE(&front);
	assert_int_equal(size, 32);
	for (unsigned int i = 0; i < 10; i++) {
		for (unsigned int k = 0; k < size; k++)
			put(&req);
		assert_int_equal(serve(), 0);
		assert_int_equal(front.sring->rsp_prod - front.rsp_cons, size);
		front.rsp_cons += size;
	}
	assert_int_equal(copies, 10 * size);
}

static void indices_that_cannot_be(void **state)
{
	static const unsigned int leap[] = { 33, 34, 1u << 31, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < sizeof(leap) / sizeof(leap[0]); i++) {
		start(false);
		front.sring->req_prod = leap[i];
		assert_int_equal(serve(), -EPROTO);
		assert_int_equal(copies, 0);
	}
	/* backwards, after some were served */
	struct blkif_request req = simple(BLKIF_OP_READ, 0, 1);

	start(false);
	ask(&req);
	ask(&req);
	front.sring->req_prod = 1;
	assert_int_equal(serve(), -EPROTO);
}

static void who_is_notified(void **state)
{
	struct blkif_request req = simple(BLKIF_OP_READ, 0, 1);
	bool notify, more;

	(void)state;
	start(false);
	put(&req);
	assert_int_equal(ring_serve(&ring, &notify, &more), 0);
	assert_true(notify);		/* rsp_event is 1 at first */
	assert_false(more);
	assert_int_equal(front.sring->req_event, 2);
	put(&req);
	assert_int_equal(ring_serve(&ring, &notify, &more), 0);
	assert_false(notify);		/* it has not asked again */
	assert_int_equal(ring_serve(&ring, &notify, &more), 0);
	assert_false(notify || more);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_and_a_read), cmocka_unit_test(a_flush), cmocka_unit_test(indirect),
		cmocka_unit_test(what_is_refused), cmocka_unit_test(a_disk_to_restore_from_is_not_written),
		cmocka_unit_test(many), cmocka_unit_test(indices_that_cannot_be), cmocka_unit_test(who_is_notified),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
