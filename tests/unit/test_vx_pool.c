// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: dkms/virtio_xenbus/pool.c src/protocol/msg.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "msg.h"
#include "pool.h"

#define PAGE VX_PAGE_SIZE
#define PAGES 256
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct vx_pool pool;
static void *meta;

static void begin(u32 pages, u32 reserve)
{
	free(meta);
	/* Neither zeroed nor larger than asked for: a sanitizer sees one byte too many. */
	meta = malloc(vx_pool_meta_size(pages));
	assert_non_null(meta);
	memset(meta, 0xa5, vx_pool_meta_size(pages));
	assert_int_equal(vx_pool_init(&pool, meta, pages, reserve, 0), 0);
}

static int teardown(void **state)
{
	(void)state;
	free(meta);
	meta = NULL;
	return 0;
}

static void consistent(void)
{
	const char *bad = vx_pool_verify(&pool);

	if (bad)
		fail_msg("%s", bad);
}

static u64 get(size_t size, size_t align)
{
	u64 addr = 0;

	assert_int_equal(vx_pool_alloc(&pool, size, align, 0, size * 3, &addr), 0);
	assert_true(vx_range_ok(pool.pages, addr, size));
	assert_int_equal(addr & (align - 1), 0);
	return addr;
}

static void put(u64 addr, size_t size)
{
	struct vx_mapping m;

	assert_int_equal(vx_pool_free(&pool, addr, &m), 0);
	assert_int_equal(m.addr, addr);
	assert_int_equal(m.size, size);
	assert_int_equal(m.cookie, size * 3);
}

static void sizes_of_pools(void **state)
{
	static const u32 good[] = { 16, 17, 255, 1000, 1023, 1025, 4096, 65535, 65536 };

	(void)state;
	assert_int_equal(vx_pool_meta_size(0), 0);
	assert_int_equal(vx_pool_meta_size(15), 0);
	assert_int_equal(vx_pool_meta_size(65537), 0);
	assert_int_equal(vx_pool_init(&pool, NULL, 15, 0, 0), -EINVAL);
	assert_int_equal(vx_pool_init(&pool, NULL, 16, 16, 0), -EINVAL);
	assert_int_equal(vx_pool_init(&pool, NULL, 16, 0, 16), -EINVAL);
	assert_int_equal(vx_pool_init(&pool, NULL, 16, 8, 8), -EINVAL);
	assert_int_equal(vx_pool_init(&pool, NULL, 16, UINT32_MAX, 2), -EINVAL);
	for (size_t i = 0; i < COUNT(good); i++) {
		begin(good[i], good[i] / 3);
		consistent();
		assert_int_equal(pool.free_pages, good[i]);
		begin(good[i], 0);
		consistent();
		/* The records cost little of what they describe. */
		assert_true(vx_pool_meta_size(good[i]) < (size_t)good[i] * PAGE / 20);
	}
}

static void every_page_can_be_had(void **state)
{
	u64 addr[1000];

	(void)state;
	begin(1000, 0);
	for (int i = 0; i < 1000; i++)
		addr[i] = get(PAGE, PAGE);
	assert_int_equal(pool.free_pages, 0);
	assert_int_equal(vx_pool_alloc(&pool, 1, 1, 0, 0, &addr[0]), -ENOMEM);
	consistent();
	for (int i = 0; i < 1000; i++)
		put(addr[(i * 7) % 1000], PAGE);
	consistent();
	assert_int_equal(pool.free_pages, 1000);
}

/* What is more than was asked for goes back: 9 pages cost 9. */
static void no_rounding_up(void **state)
{
	u64 a, b;

	(void)state;
	begin(16, 0);
	a = get(9 * PAGE, 1);
	assert_int_equal(pool.free_pages, 7);
	consistent();
	b = get(4 * PAGE - 1, 1);
	assert_int_equal(pool.free_pages, 3);
	put(a, 9 * PAGE);
	put(b, 4 * PAGE - 1);
	assert_int_equal(get(16 * PAGE, 1), VX_POOL_BASE);
	consistent();
}

static void small_ones_share_a_page(void **state)
{
	u64 addr[64], one;

	(void)state;
	begin(PAGES, 0);
	for (int i = 0; i < 64; i++) {
		addr[i] = get(16 + i % 49, 1);
		assert_int_equal(addr[i] >> 12, addr[0] >> 12);
		for (int k = 0; k < i; k++)
			assert_true(addr[i] >= addr[k] + 64 || addr[k] >= addr[i] + 64);
	}
	assert_int_equal(pool.slot_pages, 1);
	assert_int_equal(pool.free_pages, PAGES - 1);
	one = get(64, 1);
	assert_int_equal(pool.slot_pages, 2);
	consistent();
	/* A full page has room again after one free, and goes back after the last. */
	put(addr[5], 16 + 5);
	assert_int_equal(get(21, 1), addr[5]);
	consistent();
	for (int i = 0; i < 64; i++)
		put(addr[i], 16 + i % 49);
	put(one, 64);
	assert_int_equal(pool.free_pages, PAGES);
	assert_int_equal(pool.slot_pages, 0);
	consistent();
}

static void classes_and_alignment(void **state)
{
	static const size_t sizes[] = { 1, 63, 64, 65, 128, 129, 1024, 1025, 2048, 2049, 4095, 4096,
					4097, 32768, 65537, 100000 };
	u64 addr[COUNT(sizes)];

	(void)state;
	for (size_t align = 1; align <= 128 * PAGE; align *= 2) {
		begin(4 * PAGES, 7);
		for (size_t i = 0; i < COUNT(sizes); i++)
			if (align <= 16 * PAGE || i < 4)
				addr[i] = get(sizes[i], align);
		consistent();
		for (size_t i = 0; i < COUNT(sizes); i++)
			if (align <= 16 * PAGE || i < 4)
				put(addr[i], sizes[i]);
		consistent();
		assert_int_equal(pool.free_pages, 4 * PAGES);
	}
}

/* A quarter of the pages can be cut; then each small request gets a page. */
static void out_of_tables(void **state)
{
	u64 addr[16 / 4 * 2 + 3];

	(void)state;
	begin(16, 0);
	for (size_t i = 0; i < COUNT(addr); i++)
		addr[i] = get(2048, 1);
	assert_int_equal(pool.slot_pages, 4);
	assert_int_equal(pool.free_pages, 16 - 4 - 3);
	consistent();
	for (size_t i = 0; i < COUNT(addr); i++)
		put(addr[i], 2048);
	assert_int_equal(pool.free_pages, 16);
	consistent();
}

static void wrong_requests(void **state)
{
	u64 addr = 1234;

	(void)state;
	begin(PAGES, 0);
	assert_int_equal(vx_pool_alloc(&pool, 0, 1, 0, 0, &addr), -EINVAL);
	assert_int_equal(vx_pool_alloc(&pool, PAGES * PAGE + 1, 1, 0, 0, &addr), -EINVAL);
	assert_int_equal(vx_pool_alloc(&pool, SIZE_MAX, 1, 0, 0, &addr), -EINVAL);
	assert_int_equal(vx_pool_alloc(&pool, 64, 0, 0, 0, &addr), -EINVAL);
	assert_int_equal(vx_pool_alloc(&pool, 64, 3, 0, 0, &addr), -EINVAL);
	assert_int_equal(vx_pool_alloc(&pool, 64, (size_t)1 << 40, 0, 0, &addr), -EINVAL);
	assert_int_equal(addr, 1234);
	assert_int_equal(pool.free_pages, PAGES);
}

static void wrong_frees(void **state)
{
	u64 big, small, gone;

	(void)state;
	begin(PAGES, 0);
	gone = get(8 * PAGE, 1);
	big = get(3 * PAGE, 1);
	small = get(100, 1);
	put(gone, 8 * PAGE);
	{
		const u64 bad[] = {
			gone, gone + PAGE, big + 1, big + PAGE, big + 2 * PAGE, big + 3 * PAGE - 1,
			small + 1, small + 64, small + 128, small + PAGE, 0, 1, VX_POOL_BASE - 1,
			VX_POOL_BASE + PAGES * PAGE, UINT64_MAX, UINT64_MAX - PAGE,
			small - VX_POOL_BASE, small + (1ull << 44),
		};

		for (size_t i = 0; i < COUNT(bad); i++)
			assert_int_equal(vx_pool_free(&pool, bad[i], NULL), -EINVAL);
	}
	consistent();
	put(big, 3 * PAGE);
	assert_int_equal(vx_pool_free(&pool, big, NULL), -EINVAL);
	put(small, 100);
	assert_int_equal(vx_pool_free(&pool, small, NULL), -EINVAL);
	consistent();
	assert_int_equal(pool.free_pages, PAGES);
}

static void inside_a_mapping(void **state)
{
	struct vx_mapping m;
	u64 big, small;

	(void)state;
	begin(PAGES, 0);
	big = get(5 * PAGE + 10, 1);
	small = get(100, 1);
	assert_int_equal(vx_pool_find(&pool, big + 3 * PAGE + 7, PAGE, &m), 0);
	assert_int_equal(m.addr, big);
	assert_int_equal(m.size, 5 * PAGE + 10);
	assert_int_equal(m.cookie, (5 * PAGE + 10) * 3);
	assert_int_equal(vx_pool_find(&pool, big + 5 * PAGE + 9, 1, &m), 0);
	assert_int_equal(vx_pool_find(&pool, big, 5 * PAGE + 10, &m), 0);
	assert_int_equal(vx_pool_find(&pool, big + 5 * PAGE + 9, 2, &m), -EINVAL);
	assert_int_equal(vx_pool_find(&pool, big + 5 * PAGE + 10, 0, &m), -EINVAL);
	assert_int_equal(vx_pool_find(&pool, big + 1, SIZE_MAX, &m), -EINVAL);
	assert_int_equal(vx_pool_find(&pool, big - 1, 2, &m), -EINVAL);
	assert_int_equal(vx_pool_find(&pool, small + 99, 1, &m), 0);
	assert_int_equal(m.addr, small);
	assert_int_equal(m.size, 100);
	assert_int_equal(vx_pool_find(&pool, small + 99, 2, &m), -EINVAL);
	assert_int_equal(vx_pool_find(&pool, small + 100, 0, &m), -EINVAL);
	assert_int_equal(vx_pool_find(&pool, small + 128, 1, &m), -EINVAL);
	assert_int_equal(vx_pool_find(&pool, VX_POOL_BASE + PAGES * PAGE, 0, &m), -EINVAL);
}

/* The pages of a freed allocation do not point at what begins there next. */
static void stale_pages(void **state)
{
	struct vx_mapping m;
	u64 a, b;

	(void)state;
	begin(16, 0);
	a = get(16 * PAGE, 1);
	put(a, 16 * PAGE);
	b = get(2 * PAGE, 1);
	assert_int_equal(a, b);
	for (u64 i = 2; i < 16; i++)
		assert_int_equal(vx_pool_find(&pool, a + i * PAGE, 1, &m), -EINVAL);
}

static void reserve_is_kept(void **state)
{
	u64 addr, sum = 0;

	(void)state;
	begin(PAGES, 32);
	while (!vx_pool_alloc(&pool, PAGE, 1, 0, 0, &addr)) {
		assert_true(addr < VX_POOL_BASE + (PAGES - 32) * PAGE);
		sum++;
	}
	assert_int_equal(sum, PAGES - 32);
	assert_int_equal(vx_pool_alloc(&pool, 64, 1, 0, 0, &addr), -ENOMEM);
	/* Whole: nobody else can have fragmented it. */
	assert_int_equal(vx_pool_alloc(&pool, 32 * PAGE, 1, VX_POOL_RESERVE, 0, &addr), 0);
	assert_int_equal(addr, VX_POOL_BASE + (PAGES - 32) * PAGE);
	assert_int_equal(vx_pool_free(&pool, addr, NULL), 0);
	assert_int_equal(vx_pool_alloc(&pool, 64, 1, VX_POOL_RESERVE, 0, &addr), 0);
	assert_true(addr >= VX_POOL_BASE + (PAGES - 32) * PAGE);
	consistent();
	/* A page of the reserve that is cut is still the reserve's. */
	assert_int_equal(vx_pool_alloc(&pool, 64, 1, 0, 0, &addr), -ENOMEM);
	/* With room elsewhere the reserve is not touched. */
	assert_int_equal(vx_pool_free(&pool, VX_POOL_BASE, NULL), 0);
	assert_int_equal(vx_pool_alloc(&pool, PAGE, 1, VX_POOL_RESERVE, 0, &addr), 0);
	assert_int_equal(addr, VX_POOL_BASE);
	consistent();
}

/* trust-02: rings are where the backend can only read, and nothing else is. */
static void rings_are_apart(void **state)
{
	const u64 border = VX_POOL_BASE + (PAGES - 4) * PAGE;
	u64 addr, sum = 0;

	(void)state;
	free(meta);
	meta = malloc(vx_pool_meta_size(PAGES));
	assert_int_equal(vx_pool_init(&pool, meta, PAGES, 32, 4), 0);
	consistent();
	while (!vx_pool_alloc(&pool, PAGE, 1, VX_POOL_RESERVE, 0, &addr)) {
		assert_true(addr < border);
		sum++;
	}
	assert_int_equal(sum, PAGES - 4);
	assert_int_equal(vx_pool_alloc(&pool, 1, 1, VX_POOL_RESERVE, 0, &addr), -ENOMEM);
	assert_int_equal(vx_pool_alloc(&pool, 2 * PAGE, PAGE, VX_POOL_RINGS, 0, &addr), 0);
	assert_int_equal(addr, border);
	assert_int_equal(vx_pool_alloc(&pool, 64, 1, VX_POOL_RINGS, 0, &addr), 0);
	assert_int_equal(addr, border + 2 * PAGE);
	/* A page of theirs that is cut is still theirs. */
	assert_int_equal(vx_pool_alloc(&pool, 64, 1, 0, 0, &addr), -ENOMEM);
	assert_int_equal(vx_pool_alloc(&pool, 2 * PAGE, PAGE, VX_POOL_RINGS, 0, &addr), -ENOMEM);
	assert_int_equal(vx_pool_free(&pool, border, NULL), 0);
	assert_int_equal(vx_pool_alloc(&pool, PAGE, 1, 0, 0, &addr), -ENOMEM);
	assert_int_equal(vx_pool_alloc(&pool, 2 * PAGE, PAGE, VX_POOL_RINGS, 0, &addr), 0);
	assert_int_equal(addr, border);
	/* Room elsewhere is none for them. */
	assert_int_equal(vx_pool_free(&pool, VX_POOL_BASE, NULL), 0);
	assert_int_equal(vx_pool_alloc(&pool, 2 * PAGE, PAGE, VX_POOL_RINGS, 0, &addr), -ENOMEM);
	consistent();
}

static void range(void **state)
{
	(void)state;
	assert_true(vx_range_ok(16, VX_POOL_BASE, 16 * PAGE));
	assert_true(vx_range_ok(16, VX_POOL_BASE + 16 * PAGE - 1, 1));
	assert_true(vx_range_ok(16, VX_POOL_BASE + 16 * PAGE, 0));
	assert_false(vx_range_ok(16, VX_POOL_BASE + 16 * PAGE + 1, 0));
	assert_false(vx_range_ok(16, VX_POOL_BASE, 16 * PAGE + 1));
	assert_false(vx_range_ok(16, VX_POOL_BASE + 1, UINT64_MAX));
	assert_false(vx_range_ok(16, VX_POOL_BASE - 1, 2));
	assert_false(vx_range_ok(16, 0, 1));
	assert_false(vx_range_ok(16, UINT64_MAX, 2));
	assert_true(vx_range_ok(65536, VX_POOL_BASE, 65536ull * PAGE));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(sizes_of_pools, teardown),
		cmocka_unit_test_teardown(every_page_can_be_had, teardown),
		cmocka_unit_test_teardown(no_rounding_up, teardown),
		cmocka_unit_test_teardown(small_ones_share_a_page, teardown),
		cmocka_unit_test_teardown(classes_and_alignment, teardown),
		cmocka_unit_test_teardown(out_of_tables, teardown),
		cmocka_unit_test_teardown(wrong_requests, teardown),
		cmocka_unit_test_teardown(wrong_frees, teardown),
		cmocka_unit_test_teardown(inside_a_mapping, teardown),
		cmocka_unit_test_teardown(stale_pages, teardown),
		cmocka_unit_test_teardown(reserve_is_kept, teardown),
		cmocka_unit_test_teardown(rings_are_apart, teardown),
		cmocka_unit_test(range),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
