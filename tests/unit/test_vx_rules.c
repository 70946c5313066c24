// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: dkms/virtio_xenbus/rules.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/virtio_ids.h>

#include "rules.h"

#define MIB 256u	/* pages */

/* trust-06: the pool's size is not the backend's word. */
static void caps(void **state)
{
	(void)state;
	assert_int_equal(vx_pool_cap(0), 512);
	assert_int_equal(vx_pool_cap(128 * MIB), 512);
	assert_int_equal(vx_pool_cap(256 * MIB), 1024);
	assert_int_equal(vx_pool_cap(1024 * MIB), 4096);
	assert_int_equal(vx_pool_cap(UINT64_MAX), VX_POOL_MAX_PAGES);
}

static void pool_sizes(void **state)
{
	(void)state;
	/* no opinion; the backend's; too much of it; not as much as there may be */
	assert_int_equal(vx_pool_choose(0, 0, 4096, 8192, 16), 512);
	assert_int_equal(vx_pool_choose(0, 2048, 4096, 8192, 16), 2048);
	assert_int_equal(vx_pool_choose(0, 65536, 4096, 65536, 16), 4096);
	assert_int_equal(vx_pool_choose(0, 65536, 4096, 512, 16), 512);
	assert_int_equal(vx_pool_choose(0, 0, 4096, 512, 16), 512);
	assert_int_equal(vx_pool_choose(0, 1, 4096, 512, 16), VX_POOL_MIN_PAGES);
	/* The administrator is asked first, but the backend maps no more than it said. */
	assert_int_equal(vx_pool_choose(20000, 16, 4096, 65536, 16), 20000);
	assert_int_equal(vx_pool_choose(20000, 16, 4096, 4096, 16), 4096);
	assert_int_equal(vx_pool_choose(1, 0, 4096, 4096, 16), VX_POOL_MIN_PAGES);
}

/* trust-17: no pool is too small for one request, whoever has chosen its size. */
static void trust_17_least(void **state)
{
	static const u32 types[] = { VIRTIO_ID_NET, VIRTIO_ID_CONSOLE, VIRTIO_ID_9P };

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		u32 least = vx_pool_least(types[i]);

		assert_in_range(least, 64, 256);
		assert_int_equal(vx_pool_choose(16, 0, 4096, 4096, least), least);
		assert_int_equal(vx_pool_choose(0, 16, 4096, 4096, least), least);
		assert_int_equal(vx_pool_choose(0, 0, 16, 4096, least), least);
	}
	assert_int_equal(vx_pool_least(VIRTIO_ID_BLOCK), VX_POOL_MIN_PAGES);
}

/* trust-17: what a disk's request may be; test_vx_pool has that it fits. */
static void trust_17_requests(void **state)
{
	(void)state;
	for (u32 pages = VX_POOL_MIN_PAGES; pages <= VX_POOL_MAX_PAGES; pages++) {
		struct vx_request r = vx_request_fit(pages, 2);

		assert_in_range(r.segs, 1, 65535);
		assert_in_range(r.seg_pages, 1, 32);
		assert_true(r.segs * (u64)r.seg_pages < pages);
	}
	/* With what a disk has by default, 249 segments of 8 KiB: Linux asks for 1280 KiB at most. */
	assert_int_equal(vx_request_fit(512, 2).segs, 249);
	assert_int_equal(vx_request_fit(512, 2).seg_pages, 2);
	assert_int_equal(vx_request_fit(16, 256).segs, 1);
	assert_int_equal(vx_request_fit(16, UINT32_MAX).segs, 1);
}

/* trust-02 */
static void readonly_pages(void **state)
{
	(void)state;
	/* 256 entries: 4614 bytes; 128: 2310 */
	assert_int_equal(vx_pool_ro_pages(1, 256, 1024), 2);
	assert_int_equal(vx_pool_ro_pages(1, 128, 1024), 1);
	assert_int_equal(vx_pool_ro_pages(3, 256, 1024), 6);
	assert_int_equal(vx_pool_ro_pages(1, 2, 16), 1);
	/* Not the whole pool for rings that a backend may have. */
	assert_int_equal(vx_pool_ro_pages(256, 256, 1024), 256);
	assert_int_equal(vx_pool_ro_pages(256, UINT32_MAX, 16), 4);
}

static void split_rings(void **state)
{
	(void)state;
	for (u32 n = 1; n <= VX_MAX_QUEUE_SIZE; n *= 2) {
		/* vring_size() of Linux, for pages */
		size_t head = (18ull * n + 6 + 4095) & ~4095ull, all = head + 6 + 8ull * n;

		assert_int_equal(vx_ring_split(all), head);
		assert_int_equal(vx_ring_split(all + 1), 0);
		assert_int_equal(vx_ring_split(all - 1), 0);
	}
	assert_int_equal(vx_ring_split(0), 0);
	assert_int_equal(vx_ring_split(4), 0);
	assert_int_equal(vx_ring_split(SIZE_MAX), 0);
}

static void mappings(void **state)
{
	struct vx_mapping m = { .addr = VX_POOL_BASE + 64, .size = 100, .cookie = vx_cookie(0x123456789000, 2) };
	struct vx_mapping coherent = { .addr = VX_POOL_BASE, .size = 4096, .cookie = VX_COHERENT };

	(void)state;
	assert_int_equal(vx_cookie_phys(m.cookie), 0x123456789000);
	assert_true(vx_unmap_ok(&m, m.addr, 100, 2));
	assert_false(vx_unmap_ok(&m, m.addr + 1, 100, 2));
	assert_false(vx_unmap_ok(&m, m.addr, 99, 2));
	assert_false(vx_unmap_ok(&m, m.addr, 101, 2));
	assert_false(vx_unmap_ok(&m, m.addr, 100, 1));
	assert_false(vx_unmap_ok(&m, m.addr, 100, 0));
	/* A ring is no buffer, whatever is asked. */
	for (unsigned int dir = 0; dir <= 3; dir++) {
		assert_false(vx_unmap_ok(&coherent, coherent.addr, 4096, dir));
		assert_false(vx_sync_ok(&coherent, dir));
	}
	assert_true(vx_sync_ok(&m, 2));
	assert_false(vx_sync_ok(&m, 1));
	m.cookie = vx_cookie(0x1000, VX_DIR_BOTH);
	assert_true(vx_sync_ok(&m, 1));
	assert_true(vx_sync_ok(&m, 2));
	assert_false(vx_unmap_ok(&m, m.addr, 100, 2));
}

/* trust-05 */
static void packed_flags(void **state)
{
	(void)state;
	assert_int_equal(vx_packed_used_flags(0x8000), 0x8080);
	assert_int_equal(vx_packed_used_flags(0x80ff), 0x8080);
	assert_int_equal(vx_packed_used_flags(0), 0);
	assert_int_equal(vx_packed_used_flags(0x7fff), 0);
}

/* trust-06, trust-12: so many at once, then one after the other, however often it is asked. */
static void pace(void **state)
{
	struct vx_pace p = { 0 };
	u64 now = 1000000;
	unsigned int n = 0;

	(void)state;
	for (int i = 0; i < 4; i++)
		assert_int_equal(vx_pace(&p, now, 4, 1000), 0);
	assert_int_equal(vx_pace(&p, now, 4, 1000), 1000);
	assert_int_equal(vx_pace(&p, now, 4, 1000), 1000);
	assert_int_equal(vx_pace(&p, now + 600, 4, 1000), 400);
	assert_int_equal(vx_pace(&p, now + 1000, 4, 1000), 0);
	assert_int_equal(vx_pace(&p, now + 1000, 4, 1000), 1000);
	/* An hour of a flood. */
	for (u64 t = now + 2000; t < now + 3602000; t += 10)
		n += !vx_pace(&p, t, 4, 1000);
	assert_in_range(n, 3599, 3604);
	/* After a rest it is as at the beginning. */
	now += 4000000;
	for (int i = 0; i < 4; i++)
		assert_int_equal(vx_pace(&p, now, 4, 1000), 0);
	assert_int_equal(vx_pace(&p, now, 4, 1000), 1000);
}

/* trust-02: a console without control messages; all else as it is offered. */
static void hidden_features(void **state)
{
	(void)state;
	assert_int_equal(vx_hidden_features(3), 2);
	for (u32 id = 0; id < 64; id++)
		if (id != 3)
			assert_int_equal(vx_hidden_features(id), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(caps),
		cmocka_unit_test(pool_sizes),
		cmocka_unit_test(trust_17_least),
		cmocka_unit_test(trust_17_requests),
		cmocka_unit_test(readonly_pages),
		cmocka_unit_test(split_rings),
		cmocka_unit_test(mappings),
		cmocka_unit_test(hidden_features),
		cmocka_unit_test(packed_flags),
		cmocka_unit_test(pace),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
