// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: dkms/virtio_xenbus/config.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "config.h"

#define SIZE 60

static struct vx_config c;
static struct vx_ctrl page, other;
static u8 got[8];

static void fill(struct vx_ctrl *p, u8 value, u32 gen)
{
	memset(p->config, value, sizeof(p->config));
	p->config_gen = htole32(gen);
}

static int setup(void **state)
{
	(void)state;
	memset(&c, 0, sizeof(c));
	memset(got, 0xee, sizeof(got));
	fill(&page, 0x11, 0);
	fill(&other, 0x22, 0);
	return 0;
}

/* All eight bytes at @offset are this one. */
static bool reads(u32 offset, u8 value)
{
	if (vx_config_read(&c, offset, got, sizeof(got)))
		return false;
	for (size_t i = 0; i < sizeof(got); i++)
		if (got[i] != value)
			return false;
	return true;
}

static void nothing_is_known(void **state)
{
	(void)state;
	assert_true(reads(0, 0));
	assert_true(reads(VX_MAX_CONFIG, 0));
	assert_int_equal(vx_config_generation(&c), vx_config_generation(&c));
	vx_config_hold(&c);
	vx_config_keep(&c);
	assert_true(reads(0, 0));
}

static void the_page_counts(void **state)
{
	(void)state;
	assert_true(vx_config_follow(&c, &page, SIZE));
	assert_true(reads(0, 0x11));
	fill(&page, 0x12, 2);
	assert_true(reads(0, 0x12));
	/* One that is the same is no news. */
	vx_config_hold(&c);
	fill(&other, 0x12, 0);
	assert_false(vx_config_follow(&c, &other, SIZE));
	fill(&other, 0x13, 2);
	vx_config_hold(&c);
	assert_true(vx_config_follow(&c, &page, SIZE));
}

static void its_end_is_kept_to(void **state)
{
	static const u32 far[] = { SIZE, SIZE + 1, VX_MAX_CONFIG, VX_MAX_CONFIG + 1, 0x80000000u, 0xffffffffu };

	(void)state;
	vx_config_follow(&c, &page, SIZE);
	for (int held = 0; held < 2; held++) {
		assert_true(reads(SIZE - 8, 0x11));
		assert_int_equal(vx_config_read(&c, SIZE - 3, got, sizeof(got)), 0);
		assert_memory_equal(got, "\x11\x11\x11\0\0\0\0\0", 8);
		for (size_t i = 0; i < sizeof(far) / sizeof(far[0]); i++)
			assert_true(reads(far[i], 0));
		vx_config_hold(&c);
	}
	vx_config_write(&c, SIZE - 2, "\x55\x55\x55\x55", 4);
	vx_config_write(&c, 0xfffffffeu, "\x55\x55\x55\x55", 4);
	assert_int_equal(vx_config_read(&c, SIZE - 3, got, sizeof(got)), 0);
	assert_memory_equal(got, "\x11\x55\x55\0\0\0\0\0", 8);
}

static void what_was_known_last(void **state)
{
	(void)state;
	vx_config_follow(&c, &page, SIZE);
	fill(&page, 0x33, 2);
	vx_config_hold(&c);
	fill(&page, 0x44, 4);		/* its memory is somebody else's by now */
	assert_true(reads(0, 0x33));
	vx_config_hold(&c);
	assert_true(reads(0, 0x33));
}

static void a_change_that_does_not_end(void **state)
{
	(void)state;
	vx_config_follow(&c, &page, SIZE);
	fill(&page, 0x33, 2);
	vx_config_keep(&c);		/* as on each event */
	fill(&page, 0x44, 3);
	assert_int_equal(vx_config_read(&c, 0, got, sizeof(got)), -EAGAIN);
	vx_config_keep(&c);
	vx_config_hold(&c);
	assert_true(reads(0, 0x33));
	/* Begun with one. */
	vx_config_follow(&c, &page, SIZE);
	assert_int_equal(vx_config_read(&c, 0, got, sizeof(got)), -EAGAIN);
	assert_true(reads(SIZE, 0));
	vx_config_hold(&c);
	assert_true(reads(0, 0x33));
}

static void what_nobody_takes_is_read(void **state)
{
	(void)state;
	vx_config_follow(&c, &page, SIZE);
	vx_config_write(&c, 8, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	assert_int_equal(vx_config_read(&c, 8, got, sizeof(got)), 0);
	assert_memory_equal(got, "\x01\x02\x03\x04\x05\x06\x07\x08", 8);
	assert_true(reads(0, 0x11));
	assert_true(reads(16, 0x11));
	/* The next backend has defaults there. */
	assert_true(vx_config_follow(&c, &other, SIZE));
	assert_true(reads(8, 0x22));
}

/* A reader of several fields compares the numbers before and after. */
static void generations_differ(void **state)
{
	u32 seen[16];
	unsigned int n = 0;

	(void)state;
	seen[n++] = vx_config_generation(&c);
	vx_config_follow(&c, &page, SIZE);
	seen[n++] = vx_config_generation(&c);
	fill(&page, 0x11, 1);
	seen[n++] = vx_config_generation(&c);
	fill(&page, 0x12, 2);
	seen[n++] = vx_config_generation(&c);
	vx_config_hold(&c);
	seen[n++] = vx_config_generation(&c);
	assert_int_equal(seen[n - 1], vx_config_generation(&c));
	vx_config_write(&c, 0, "\x01", 1);
	seen[n++] = vx_config_generation(&c);
	vx_config_follow(&c, &other, SIZE);	/* begins at 0 again */
	seen[n++] = vx_config_generation(&c);
	vx_config_write(&c, 0, "\x01", 1);
	seen[n++] = vx_config_generation(&c);
	fill(&page, 0x11, 0xfffffffe);
	vx_config_follow(&c, &page, SIZE);
	seen[n++] = vx_config_generation(&c);
	vx_config_hold(&c);
	seen[n++] = vx_config_generation(&c);
	for (unsigned int i = 1; i < n; i++)
		assert_int_not_equal(seen[i - 1], seen[i]);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(nothing_is_known), T(the_page_counts), T(its_end_is_kept_to), T(what_was_known_last),
		T(a_change_that_does_not_end), T(what_nobody_takes_is_read), T(generations_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
