// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: dkms/virtio_xenbus/config.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <linux/virtio_ids.h>

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

/* ---- trust-02: fields that Linux believes ---- */

/* What a reader gets of a field in which the backend has written @wrote. */
static u64 field(u32 device_id, u32 queues, u32 at, u32 size, u64 wrote)
{
	u64 value = 0;

	fill(&page, 0, 2);
	memcpy(page.config + at, &wrote, size);
	c.device_id = device_id;
	c.queues = queues;
	vx_config_follow(&c, &page, 100);
	assert_int_equal(vx_config_read(&c, at, &value, size), 0);
	return value;
}

static void fields_of_a_disk(void **state)
{
	(void)state;
	/* wce: a BUG() in virtio-blk when it is not 0 or 1 */
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 32, 1, 255), 1);
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 32, 1, 2), 1);
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 32, 1, 1), 1);
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 32, 1, 0), 0);
	/* capacity, in a loff_t of bytes */
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 0, 8, UINT64_MAX), (1ull << 54) - 1);
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 0, 8, 16384), 16384);
	/* seg_max, geometry, physical_block_exp */
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 12, 4, UINT32_MAX), 0xffff);
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 12, 4, 0), 1);
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 18, 1, 0), 1);
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 19, 1, 63), 63);
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 24, 1, 200), 11);
	/* num_queues: no more than there are */
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 34, 2, 65535), 4);
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 34, 2, 0), 1);
	assert_int_equal(field(VIRTIO_ID_BLOCK, 4, 34, 2, 2), 2);
}

static void fields_of_others(void **state)
{
	(void)state;
	assert_int_equal(field(VIRTIO_ID_NET, 9, 8, 2, 0x8000), 4);
	assert_int_equal(field(VIRTIO_ID_NET, 3, 8, 2, 0), 1);
	assert_int_equal(field(VIRTIO_ID_NET, 2, 8, 2, 7), 1);
	assert_int_equal(field(VIRTIO_ID_NET, 3, 10, 2, 0), 68);
	assert_int_equal(field(VIRTIO_ID_NET, 3, 10, 2, 9000), 9000);
	/* a key of 40 bytes and a table of 128 entries: arrays in Linux 6.1 */
	assert_int_equal(field(VIRTIO_ID_NET, 3, 17, 1, 255), 40);
	assert_int_equal(field(VIRTIO_ID_NET, 3, 18, 2, 65535), 128);
	assert_int_equal(field(VIRTIO_ID_CONSOLE, 6, 4, 4, UINT32_MAX), 2);
	assert_int_equal(field(VIRTIO_ID_CONSOLE, 2, 4, 4, 0), 1);
	assert_int_equal(field(VIRTIO_ID_SCSI, 5, 0, 4, 1000), 3);
	/* Another device's, and one that nothing is known of. */
	assert_int_equal(field(VIRTIO_ID_RNG, 1, 32, 1, 255), 255);
	assert_int_equal(field(0, 0, 32, 1, 255), 255);
}

/* Whatever part is read, and from wherever. */
static void parts_of_fields(void **state)
{
	u8 all[100];

	(void)state;
	fill(&page, 0xff, 2);
	c.device_id = VIRTIO_ID_BLOCK;
	c.queues = 1;
	vx_config_follow(&c, &page, 33);	/* ends with wce */
	assert_int_equal(vx_config_read(&c, 0, all, sizeof(all)), 0);
	assert_int_equal(all[32], 1);
	assert_int_equal(all[33], 0);
	assert_int_equal(vx_config_read(&c, 31, all, 2), 0);
	assert_memory_equal(all, "\xff\x01", 2);
	assert_int_equal(vx_config_read(&c, 14, all, 1), 0);
	assert_int_equal(all[0], 0);
	/* What is kept is as the backend wrote it, what is read of it is not. */
	vx_config_hold(&c);
	assert_int_equal(vx_config_read(&c, 32, all, 1), 0);
	assert_int_equal(all[0], 1);
	/* A field that is cut off is nobody's. */
	vx_config_follow(&c, &page, 7);
	assert_int_equal(vx_config_read(&c, 0, all, 8), 0);
	assert_memory_equal(all, "\xff\xff\xff\xff\xff\xff\xff\0", 8);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(nothing_is_known), T(the_page_counts), T(its_end_is_kept_to), T(what_was_known_last),
		T(a_change_that_does_not_end), T(what_nobody_takes_is_read), T(generations_differ),
		T(fields_of_a_disk), T(fields_of_others), T(parts_of_fields),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
