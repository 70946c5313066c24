// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/protocol/msg.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
#include <linux/virtio_config.h>

#include "msg.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BASE VX_POOL_BASE
#define PAGES 64
#define NEEDED (1ull << 32 | 1ull << 33)
#define PACKED (1ull << 34)
#define RING_RESET (1ull << 40)
#define ACK VIRTIO_CONFIG_S_ACKNOWLEDGE
#define DRV VIRTIO_CONFIG_S_DRIVER
#define OK VIRTIO_CONFIG_S_DRIVER_OK
#define FOK VIRTIO_CONFIG_S_FEATURES_OK
#define NRST VIRTIO_CONFIG_S_NEEDS_RESET

/* ---- a device, and requests to it ---- */

static struct vx_queue_view queue[3];
static struct vx_device_view dev;
static struct vx_parsed got;
static u32 seq;

static int setup(void **state)
{
	(void)state;
	memset(queue, 0, sizeof(queue));
	queue[0].max_size = queue[1].max_size = 256;
	dev = (struct vx_device_view){
		.pool_pages = PAGES, .config_size = 60, .num_queues = 3,
		.status = ACK | DRV | FOK, .queue = queue,
		.offered = { NEEDED | RING_RESET | PACKED | 0xff, 1 },
		.accepted = { NEEDED, 0 },
	};
	seq = 7;
	return 0;
}

static struct vx_msg request(u8 id)
{
	return (struct vx_msg){ .type = VX_MSG_REQUEST, .id = id, .seq = seq };
}

/* What the backend answers, or -EPROTO when the device fails. */
static int ask(const struct vx_msg *m)
{
	u16 error = 0xffff;
	int ret = vx_request_check(m, seq, &dev, &got, &error);

	return ret ? ret : error;
}

static struct vx_msg set_status(u32 status)
{
	struct vx_msg m = request(VX_MSG_SET_DEVICE_STATUS);

	m.u.status.status = status;
	return m;
}

static struct vx_msg set_queue(void)
{
	struct vx_msg m = request(VX_MSG_SET_VQUEUE);

	m.u.set_queue = (struct vx_msg_set_queue){
		.index = 1, .size = 128, .port = 9,
		.desc = BASE, .driver = BASE + 0x1000, .device = BASE + 0x2000,
	};
	return m;
}

static void framing(void **state)
{
	struct vx_msg m = request(VX_MSG_GET_FEATURES);
	u16 error;

	(void)state;
	assert_int_equal(ask(&m), VX_ERR_NONE);
	assert_int_equal(vx_request_check(&m, seq + 1, &dev, &got, &error), -EPROTO);
	m.seq = 0;
	assert_int_equal(vx_request_check(&m, 0, &dev, &got, &error), -EPROTO);
	m = request(VX_MSG_GET_FEATURES);
	m.type = VX_MSG_RESPONSE;
	assert_int_equal(ask(&m), -EPROTO);
	m.type = 2;
	assert_int_equal(ask(&m), -EPROTO);
	m = request(VX_MSG_GET_FEATURES);
	m.error = 1;
	assert_int_equal(ask(&m), -EPROTO);
}

static void ids(void **state)
{
	(void)state;
	for (unsigned int id = 0; id < 256; id++) {
		struct vx_msg m = request((u8)id);
		bool known = id >= 2 && id <= 0x0c && id != 5;

		assert_int_equal(ask(&m) != VX_ERR_UNKNOWN, known);
	}
}

/* Each byte of each payload that is not said to carry something must be zero. */
static void reserved_bytes(void **state)
{
	static const struct { u8 id, used; } t[] = {
		{ VX_MSG_GET_DEVICE_INFO, 0 }, { VX_MSG_GET_FEATURES, 0 },
		{ VX_MSG_SET_FEATURES, 16 }, { VX_MSG_GET_DEVICE_STATUS, 0 },
		{ VX_MSG_SET_DEVICE_STATUS, 4 }, { VX_MSG_GET_VQUEUE, 4 },
		{ VX_MSG_RESET_VQUEUE, 4 }, { VX_MSG_SET_INFLIGHT, 16 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++)
		for (unsigned int byte = t[i].used; byte < 32; byte++) {
			struct vx_msg m = request(t[i].id);

			m.u.bytes[byte] = 0x80;
			assert_int_equal(ask(&m), VX_ERR_INVAL);
		}
}

static void features(void **state)
{
	struct vx_msg m = request(VX_MSG_SET_FEATURES);

	(void)state;
	dev.status = ACK | DRV;
	m.u.features.words[0] = NEEDED | 3;
	assert_int_equal(ask(&m), VX_ERR_NONE);
	assert_int_equal(got.features[0], NEEDED | 3);
	m.u.features.words[1] = 1;
	assert_int_equal(ask(&m), VX_ERR_NONE);
	m.u.features.words[1] = 2;
	assert_int_equal(ask(&m), VX_ERR_INVAL);
	m.u.features.words[1] = 0;
	m.u.features.words[0] = NEEDED | 0x100;
	assert_int_equal(ask(&m), VX_ERR_INVAL);
	m.u.features.words[0] = 1ull << 32;
	assert_int_equal(ask(&m), VX_ERR_INVAL);
	m.u.features.words[0] = 1ull << 33;
	assert_int_equal(ask(&m), VX_ERR_INVAL);
	m.u.features.words[0] = NEEDED;
	dev.status = ACK;
	assert_int_equal(ask(&m), VX_ERR_STATE);
	dev.status = ACK | DRV | FOK;
	assert_int_equal(ask(&m), VX_ERR_STATE);
}

static void status_values(void **state)
{
	static const struct { u32 held, asked; u64 accepted; int answer; } t[] = {
		{ 0, ACK, 0, VX_ERR_NONE },
		{ ACK, ACK | DRV, 0, VX_ERR_NONE },
		{ ACK | DRV, ACK | DRV | FOK, NEEDED, VX_ERR_NONE },
		{ ACK | DRV, ACK | DRV | FOK, 0, VX_ERR_STATE },
		{ ACK | DRV, ACK | DRV | OK, NEEDED, VX_ERR_STATE },
		{ ACK | DRV, ACK | DRV | FOK | OK, NEEDED, VX_ERR_STATE },
		{ ACK | DRV | FOK, ACK | DRV | FOK | OK, NEEDED, VX_ERR_NONE },
		{ ACK | DRV | FOK | OK, ACK | DRV | FOK, NEEDED, VX_ERR_INVAL },
		{ ACK | DRV | FOK | OK, 0, NEEDED, VX_ERR_NONE },
		{ ACK | DRV | NRST, ACK | DRV | 128, 0, VX_ERR_NONE },
		{ ACK | DRV | NRST, ACK | DRV | NRST, 0, VX_ERR_NONE },
		{ ACK, NRST, 0, VX_ERR_INVAL },
		{ 0, 16, 0, VX_ERR_INVAL },
		{ 0, 256, 0, VX_ERR_INVAL },
		{ ACK, 0x80000001, 0, VX_ERR_INVAL },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		struct vx_msg m = set_status(t[i].asked);

		dev.status = t[i].held;
		dev.accepted[0] = t[i].accepted;
		if (ask(&m) != t[i].answer)
			fail_msg("row %zu: %d", i, ask(&m));
	}
}

static void config_writes(void **state)
{
	static const struct { u32 offset, length; int answer; } t[] = {
		{ 0, 24, VX_ERR_NONE }, { 36, 24, VX_ERR_NONE }, { 59, 1, VX_ERR_NONE },
		{ 60, 1, VX_ERR_INVAL }, { 37, 24, VX_ERR_INVAL }, { 0, 0, VX_ERR_INVAL },
		{ 0, 25, VX_ERR_INVAL }, { 0xffffffff, 1, VX_ERR_INVAL },
		{ 0xffffffff, 2, VX_ERR_INVAL }, { 1, 0xffffffff, VX_ERR_INVAL },
		{ 61, 0xffffffff, VX_ERR_INVAL },
	};
	struct vx_msg m;

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++) {
		m = request(VX_MSG_SET_CONFIG);
		m.u.config.offset = t[i].offset;
		m.u.config.length = t[i].length;
		assert_int_equal(ask(&m), t[i].answer);
	}
	m = request(VX_MSG_SET_CONFIG);
	m.u.config.length = 3;
	memcpy(m.u.config.data, "abc", 3);
	assert_int_equal(ask(&m), VX_ERR_NONE);
	assert_memory_equal(got.data, "abc", 3);
	dev.status = ACK;
	assert_int_equal(ask(&m), VX_ERR_STATE);
	dev.status = ACK | DRV;
	m.u.config.data[3] = 1;
	assert_int_equal(ask(&m), VX_ERR_INVAL);
}

static void queue_index(void **state)
{
	static const u8 by32[] = { VX_MSG_GET_VQUEUE, VX_MSG_RESET_VQUEUE };

	(void)state;
	for (size_t i = 0; i < COUNT(by32); i++) {
		struct vx_msg m = request(by32[i]);

		m.u.queue.index = 3;
		assert_int_equal(ask(&m), VX_ERR_INVAL);
		m.u.queue.index = 0xffffffff;
		assert_int_equal(ask(&m), VX_ERR_INVAL);
		m.u.queue.index = 0x10000;
		assert_int_equal(ask(&m), VX_ERR_INVAL);
	}
	{
		struct vx_msg m = set_queue();

		m.u.set_queue.index = 3;
		assert_int_equal(ask(&m), VX_ERR_INVAL);
		m = request(VX_MSG_SET_INFLIGHT);
		m.u.inflight.index = 0xffff;
		assert_int_equal(ask(&m), VX_ERR_INVAL);
		m = request(VX_MSG_GET_VQUEUE);
		m.u.queue.index = 2;
		assert_int_equal(ask(&m), VX_ERR_NONE);
	}
}

static void queue_set(void **state)
{
	struct vx_msg m = set_queue();

	(void)state;
	assert_int_equal(ask(&m), VX_ERR_NONE);
	assert_int_equal(got.index, 1);
	assert_int_equal(got.size, 128);
	assert_int_equal(got.port, 9);
	assert_int_equal(got.desc, BASE);
	assert_int_equal(got.driver, BASE + 0x1000);
	assert_int_equal(got.device, BASE + 0x2000);
	m.u.set_queue.port = 0;
	assert_int_equal(ask(&m), VX_ERR_INVAL);
	m = set_queue();
	m.u.set_queue.size = 512;	/* above what this queue can have */
	assert_int_equal(ask(&m), VX_ERR_INVAL);
	m = set_queue();
	m.u.set_queue.index = 2;	/* max_size 0: not there */
	assert_int_equal(ask(&m), VX_ERR_INVAL);
	m = set_queue();
	queue[1].inflight_size = 64;
	assert_int_equal(ask(&m), VX_ERR_INVAL);
	queue[1].inflight_size = 128;
	assert_int_equal(ask(&m), VX_ERR_NONE);
	dev.status = ACK | DRV;
	assert_int_equal(ask(&m), VX_ERR_STATE);
	dev.status = ACK | DRV | FOK | OK;
	assert_int_equal(ask(&m), VX_ERR_STATE);
	dev.accepted[0] |= RING_RESET;
	assert_int_equal(ask(&m), VX_ERR_NONE);
	queue[1].enabled = true;
	assert_int_equal(ask(&m), VX_ERR_STATE);
}

static void queue_reset(void **state)
{
	struct vx_msg m = request(VX_MSG_RESET_VQUEUE);

	(void)state;
	m.u.queue.index = 1;
	queue[1].enabled = true;
	assert_int_equal(ask(&m), VX_ERR_STATE);
	dev.accepted[0] |= RING_RESET;
	assert_int_equal(ask(&m), VX_ERR_NONE);
	queue[1].enabled = false;
	assert_int_equal(ask(&m), VX_ERR_STATE);
}

static void inflight(void **state)
{
	struct vx_msg m = request(VX_MSG_SET_INFLIGHT);

	(void)state;
	m.u.inflight = (struct vx_msg_inflight){ .index = 0, .size = 256, .addr = BASE + 8,
						 .flags = VX_INFLIGHT_RESUME };
	assert_int_equal(ask(&m), VX_ERR_NONE);
	assert_int_equal(got.addr, BASE + 8);
	m.u.inflight.flags = 2;
	assert_int_equal(ask(&m), VX_ERR_INVAL);
	m.u.inflight.flags = 0;
	m.u.inflight.size = 512;
	assert_int_equal(ask(&m), VX_ERR_INVAL);
	m.u.inflight.size = 256;
	dev.accepted[0] |= PACKED;
	assert_int_equal(ask(&m), VX_ERR_STATE);
	dev.accepted[0] &= ~PACKED;
	queue[0].enabled = true;
	assert_int_equal(ask(&m), VX_ERR_STATE);
	queue[0].enabled = false;
	dev.status = ACK | DRV;
	assert_int_equal(ask(&m), VX_ERR_STATE);

	assert_true(vx_inflight_ok(PAGES, 256, BASE + PAGES * 4096 - 264));
	assert_false(vx_inflight_ok(PAGES, 256, BASE + PAGES * 4096 - 256));
	assert_false(vx_inflight_ok(PAGES, 256, BASE + 4));
	assert_false(vx_inflight_ok(PAGES, 0, BASE));
	assert_false(vx_inflight_ok(PAGES, 100, BASE));
	assert_false(vx_inflight_ok(PAGES, 65536, BASE));
	assert_false(vx_inflight_ok(PAGES, 256, 0));
}

/* ---- queue addresses ---- */

static void split_addresses(void **state)
{
	const u64 end = BASE + PAGES * 4096;

	(void)state;
	/* 256 entries: 4096, 518 and 2054 bytes. */
	assert_true(vx_queue_ok(PAGES, 0, false, 256, BASE, BASE + 4096, BASE + 8192));
	assert_true(vx_queue_ok(PAGES, 0, false, 256, BASE, BASE + 4096, BASE + 4096 + 520));
	assert_false(vx_queue_ok(PAGES, 0, false, 256, BASE, BASE + 4096, BASE + 4096 + 516));
	assert_true(vx_queue_ok(PAGES, 0, false, 256, end - 4096, BASE, BASE + 4096));
	assert_false(vx_queue_ok(PAGES, 0, false, 256, end - 4080, BASE, BASE + 4096));
	assert_true(vx_queue_ok(PAGES, 0, false, 256, BASE, end - 518, BASE + 4096));
	assert_false(vx_queue_ok(PAGES, 0, false, 256, BASE, end - 516, BASE + 4096));
	assert_true(vx_queue_ok(PAGES, 0, false, 256, BASE, BASE + 4096, end - 2056));
	assert_false(vx_queue_ok(PAGES, 0, false, 256, BASE, BASE + 4096, end - 2052));
	/* alignment */
	assert_false(vx_queue_ok(PAGES, 0, false, 256, BASE + 8, BASE + 8192, BASE + 16384));
	assert_false(vx_queue_ok(PAGES, 0, false, 256, BASE, BASE + 8193, BASE + 16384));
	assert_false(vx_queue_ok(PAGES, 0, false, 256, BASE, BASE + 8192, BASE + 16386));
	/* overlap, in both orders */
	assert_false(vx_queue_ok(PAGES, 0, false, 256, BASE + 4096, BASE + 4094, BASE + 16384));
	assert_false(vx_queue_ok(PAGES, 0, false, 256, BASE, BASE + 4094, BASE + 16384));
	assert_false(vx_queue_ok(PAGES, 0, false, 256, BASE, BASE + 16384, BASE + 4092));
	assert_false(vx_queue_ok(PAGES, 0, false, 256, BASE, BASE, BASE));
	/* nowhere near */
	assert_false(vx_queue_ok(PAGES, 0, false, 256, 0, BASE, BASE + 4096));
	assert_false(vx_queue_ok(PAGES, 0, false, 256, BASE, (u64)-2, BASE + 4096));
	assert_false(vx_queue_ok(PAGES, 0, false, 256, (u64)-4096, BASE, BASE + 4096));
	/* sizes */
	assert_false(vx_queue_ok(PAGES, 0, false, 0, BASE, BASE + 4096, BASE + 8192));
	assert_false(vx_queue_ok(PAGES, 0, false, 100, BASE, BASE + 4096, BASE + 8192));
	assert_false(vx_queue_ok(VX_POOL_MAX_PAGES, 0, false, 65536, BASE, BASE + 0x200000, BASE + 0x300000));
	assert_true(vx_queue_ok(VX_POOL_MAX_PAGES, 0, false, 32768, BASE, BASE + 0x200000, BASE + 0x300000));
}

static void packed_addresses(void **state)
{
	(void)state;
	assert_true(vx_queue_ok(PAGES, 0, true, 100, BASE, BASE + 1600, BASE + 1604));
	assert_false(vx_queue_ok(PAGES, 0, true, 100, BASE, BASE + 1596, BASE + 1604));
	assert_false(vx_queue_ok(PAGES, 0, true, 100, BASE, BASE + 1602, BASE + 1608));
	assert_false(vx_queue_ok(PAGES, 0, true, 100, BASE, BASE + 1600, BASE + 1600));
	assert_false(vx_queue_ok(PAGES, 0, true, 100, BASE, BASE + 1600, BASE + PAGES * 4096));
	assert_true(vx_queue_ok(PAGES, 0, true, 100, BASE, BASE + 1600, BASE + PAGES * 4096 - 4));
	assert_false(vx_queue_ok(PAGES, 0, true, 32769, BASE + 8, BASE, BASE + 4));
}

/* trust-02: rings that the backend can only read, and what it writes elsewhere. */
static void readonly_areas(void **state)
{
	const u64 ro = BASE + (PAGES - 4) * 4096, end = BASE + PAGES * 4096;

	(void)state;
	assert_true(vx_queue_ok(PAGES, 4, false, 256, ro, ro + 4096, BASE));
	assert_true(vx_queue_ok(PAGES, 4, false, 256, end - 4096, ro, ro - 4096));
	/* a table, or an available ring, that it could write */
	assert_false(vx_queue_ok(PAGES, 4, false, 256, BASE, ro, BASE + 8192));
	assert_false(vx_queue_ok(PAGES, 4, false, 256, ro, BASE, BASE + 8192));
	/* across the border: it is mapped in two parts */
	assert_false(vx_queue_ok(PAGES, 4, false, 256, ro - 16, ro + 8192, BASE));
	assert_false(vx_queue_ok(PAGES, 4, false, 256, ro, ro - 2, BASE));
	/* what it has to write */
	assert_false(vx_queue_ok(PAGES, 4, false, 256, ro, ro + 4096, ro + 8192));
	assert_false(vx_queue_ok(PAGES, 4, false, 256, ro, ro + 4096, ro - 4));
	/* packed: the ring is written by both, the driver's event area may be in either part */
	assert_true(vx_queue_ok(PAGES, 4, true, 100, BASE, ro, BASE + 1604));
	assert_true(vx_queue_ok(PAGES, 4, true, 100, BASE, BASE + 1600, BASE + 1604));
	assert_false(vx_queue_ok(PAGES, 4, true, 100, ro, BASE, BASE + 1604));
	assert_false(vx_queue_ok(PAGES, 4, true, 100, BASE, BASE + 1600, ro));
	/* An in-flight area there would be the end of the backend. */
	dev.ro_pages = 4;
	dev.queue = queue;
	struct vx_msg m = request(VX_MSG_SET_INFLIGHT);
	m.u.inflight.size = 256;
	m.u.inflight.addr = ro - 264;
	assert_int_equal(ask(&m), VX_ERR_NONE);
	m.u.inflight.addr = ro - 256;
	assert_int_equal(ask(&m), VX_ERR_INVAL);
	m.u.inflight.addr = ro;
	assert_int_equal(ask(&m), VX_ERR_INVAL);
}

static void versions(void **state)
{
	(void)state;
	assert_int_equal(vx_version_choose(1, 1, 1), 1);
	assert_int_equal(vx_version_choose(1, 2, 1), 2);
	assert_int_equal(vx_version_choose(2, 9, 1), 2);
	assert_int_equal(vx_version_choose(1, 65535, 2), 2);
	/* newer, older than we may speak, and nonsense */
	assert_int_equal(vx_version_choose(3, 9, 1), 0);
	assert_int_equal(vx_version_choose(1, 1, 2), 0);
	assert_int_equal(vx_version_choose(1, 2, 3), 0);
	assert_int_equal(vx_version_choose(2, 1, 1), 0);
	assert_int_equal(vx_version_choose(0, 0, 0), 0);
}

static void adopting(void **state)
{
	u16 next = 0;

	(void)state;
	assert_int_equal(vx_adopt_used(128, 10, 10), 0);
	assert_int_equal(vx_adopt_used(128, 10, 138), 128);
	assert_int_equal(vx_adopt_used(128, 10, 139), -EPROTO);
	assert_int_equal(vx_adopt_used(128, 10, 9), -EPROTO);
	assert_int_equal(vx_adopt_used(128, 65530, 4), 10);

	assert_int_equal(vx_adopt_next(128, 65530, 10, 6, &next), 0);
	assert_int_equal(next, 4);
	assert_int_equal(vx_adopt_next(128, 0, 28, 128, &next), 0);
	assert_int_equal(next, 28);
	assert_int_equal(vx_adopt_next(128, 0, 28, 129, &next), -EPROTO);
	assert_int_equal(vx_adopt_next(128, 0, 129, 129, &next), -EPROTO);
	assert_int_equal(vx_adopt_next(128, 5, 3, 7, &next), -EPROTO);
	assert_int_equal(next, 28);
}

/* ---- control page, sequence numbers, xenstore ---- */

static void control_page(void **state)
{
	static struct vx_ctrl c;
	static const size_t reserved[] = { 6, 7, 0x14, 0x3f, 0x44, 0x47, 0x70, 0x7f, 0x200, 0x7ff };

	static const char *const names[] = { "reserved0", "reserved0", "reserved1", "reserved1", "reserved2",
		"reserved2", "reserved3", "reserved3", "reserved8", "reserved8" };
	u32 v = 0;

	(void)state;
	c.magic = VX_MAGIC_DRIVER;
	c.version = 1;
	c.pool_pages = 1025;
	c.dir_pages = 2;
	assert_null(vx_ctrl_check_driver(&c, 1, 1025, &v));
	assert_string_equal(vx_ctrl_check_driver(&c, 1, 1024, &v), "pool_pages");
	assert_string_equal(vx_ctrl_check_driver(&c, 2, 1025, &v), "version");
	assert_int_equal(v, 1);
	for (size_t i = 0; i < COUNT(reserved); i++) {
		((u8 *)&c)[reserved[i]] = (u8)(i + 7);
		assert_string_equal(vx_ctrl_check_driver(&c, 1, 1025, &v), names[i]);
		assert_int_equal(v, i + 7);
		((u8 *)&c)[reserved[i]] = 0;
	}
	c.ro_pages = 1;
	assert_string_equal(vx_ctrl_check_driver(&c, 1, 1025, &v), "ro_pages");
	c.version = 2;
	assert_null(vx_ctrl_check_driver(&c, 2, 1025, &v));
	c.ro_pages = 512;
	assert_null(vx_ctrl_check_driver(&c, 2, 1025, &v));
	c.ro_pages = 513;
	assert_string_equal(vx_ctrl_check_driver(&c, 2, 1025, &v), "ro_pages");
	c.ro_pages = 0xffffffff;
	assert_string_equal(vx_ctrl_check_driver(&c, 2, 1025, &v), "ro_pages");
	c.ro_pages = 0;
	c.version = 1;
	c.dir_pages = 1;
	assert_string_equal(vx_ctrl_check_driver(&c, 1, 1025, &v), "dir_pages");
	c.dir_pages = 0xffffffff;
	assert_string_equal(vx_ctrl_check_driver(&c, 1, 1025, &v), "dir_pages");
	c.dir_pages = 1;
	c.pool_pages = 15;
	assert_string_equal(vx_ctrl_check_driver(&c, 1, 1025, &v), "pool_pages");
	c.pool_pages = 0xffffffff;
	c.dir_pages = 0;
	assert_string_equal(vx_ctrl_check_driver(&c, 1, 0xffffffff, &v), "pool_pages");
	c.magic = VX_MAGIC_BACKEND;
	assert_string_equal(vx_ctrl_check_driver(&c, 1, 1025, &v), "magic");
	assert_int_equal(v, VX_MAGIC_BACKEND);

	assert_null(vx_ctrl_check_backend(VX_MAGIC_BACKEND, 1, 60, 1, 60, &v));
	assert_string_equal(vx_ctrl_check_backend(VX_MAGIC_DRIVER, 1, 60, 1, 60, &v), "be_magic");
	assert_string_equal(vx_ctrl_check_backend(VX_MAGIC_BACKEND, 2, 60, 1, 60, &v), "be_version");
	assert_string_equal(vx_ctrl_check_backend(VX_MAGIC_BACKEND, 1, 61, 1, 60, &v), "config_size");
	assert_string_equal(vx_ctrl_check_backend(VX_MAGIC_BACKEND, 1, 2049, 1, 5000, &v), "config_size");
	assert_int_equal(v, 2049);
}

static void sequence(void **state)
{
	(void)state;
	assert_int_equal(vx_posted_check(0, 0), 0);
	assert_int_equal(vx_posted_check(0, 1), 1);
	assert_int_equal(vx_posted_check(0, 2), -EPROTO);
	assert_int_equal(vx_posted_check(5, 4), -EPROTO);
	assert_int_equal(vx_posted_check(5, 0), -EPROTO);
	assert_int_equal(vx_posted_check(0xffffffff, 1), 1);
	assert_int_equal(vx_posted_check(0xffffffff, 0), -EPROTO);
}

static void numbers(void **state)
{
	static const char *const bad[] = {
		"", " 1", "1 ", "+1", "-1", "01", "00", "0x1", "1.", "4294967296", "99999999999",
		"10000000000", "18446744073709551617", "1\n", "\xd9\xa1",
	};
	u32 v = 77;

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_int_equal(vx_parse_u32(bad[i], 0, 0xffffffff, &v), -EINVAL);
	assert_int_equal(vx_parse_u32("5", 6, 9, &v), -EINVAL);
	assert_int_equal(vx_parse_u32("10", 6, 9, &v), -EINVAL);
	assert_int_equal(v, 77);
	assert_int_equal(vx_parse_u32("0", 0, 9, &v), 0);
	assert_int_equal(v, 0);
	assert_int_equal(vx_parse_u32("4294967295", 1, 0xffffffff, &v), 0);
	assert_int_equal(v, 0xffffffff);
}

static void lists(void **state)
{
	char text[300];

	(void)state;
	assert_true(vx_list_has("pool", "pool"));
	assert_true(vx_list_has("grant,pool", "pool"));
	assert_true(vx_list_has("pool,grant-2", "pool"));
	assert_false(vx_list_has("", "pool"));
	assert_false(vx_list_has("pools", "pool"));
	assert_false(vx_list_has("poo", "pool"));
	assert_false(vx_list_has("pool,", "pool"));
	assert_false(vx_list_has(",pool", "pool"));
	assert_false(vx_list_has("pool,,x", "pool"));
	assert_false(vx_list_has("pool, x", "pool"));
	assert_false(vx_list_has("pool,X", "pool"));
	memset(text, 'a', sizeof(text));
	memcpy(text, "pool,", 5);
	text[255] = '\0';
	assert_true(vx_list_has(text, "pool"));
	text[255] = 'a';
	text[256] = '\0';
	assert_false(vx_list_has(text, "pool"));
}

/* ---- responses ---- */

static const struct vx_limits limits = {
	.device_id = 2, .vendor_id = 0x554d4551, .max_queues = 4, .max_config = 60,
};

static struct vx_msg answer(const struct vx_msg *sent)
{
	return (struct vx_msg){ .type = VX_MSG_RESPONSE, .id = sent->id, .seq = sent->seq };
}

static int take(const struct vx_msg *m, const struct vx_msg *sent)
{
	return vx_response_check(m, sent, &limits, &got);
}

static void response_framing(void **state)
{
	struct vx_msg sent = request(VX_MSG_SET_CONFIG), m = answer(&sent);

	(void)state;
	assert_int_equal(take(&m, &sent), 0);
	m.type = VX_MSG_REQUEST;
	assert_int_equal(take(&m, &sent), -EPROTO);
	m = answer(&sent);
	m.id = VX_MSG_GET_FEATURES;
	assert_int_equal(take(&m, &sent), -EPROTO);
	m = answer(&sent);
	m.seq++;
	assert_int_equal(take(&m, &sent), -EPROTO);
	for (unsigned int e = 1; e <= 8; e++) {
		m = answer(&sent);
		m.error = (u16)e;
		assert_int_equal(take(&m, &sent), e <= VX_ERR_MAX ? 0 : -EPROTO);
		assert_int_equal(got.error, e);
		m.u.bytes[0] = 1;
		assert_int_equal(take(&m, &sent), -EPROTO);
	}
	for (int byte = 0; byte < 32; byte++) {
		m = answer(&sent);
		m.u.bytes[byte] = 1;
		assert_int_equal(take(&m, &sent), -EPROTO);
	}
}

static void response_info(void **state)
{
	struct vx_msg sent = request(VX_MSG_GET_DEVICE_INFO), good = answer(&sent), m;

	(void)state;
	good.u.info = (struct vx_msg_info){ .device_id = 2, .vendor_id = 0x554d4551,
					    .num_queues = 4, .config_size = 60,
					    .flags = VX_INFO_RESUME | VX_INFO_WRITES_ALL };
	assert_int_equal(take(&good, &sent), 0);
	assert_int_equal(got.num_queues, 4);
	assert_int_equal(got.config_size, 60);
	assert_int_equal(got.flags, VX_INFO_RESUME | VX_INFO_WRITES_ALL);
#define WRONG(field, value) \
	m = good; m.u.info.field = (value); assert_int_equal(take(&m, &sent), -EPROTO)
	WRONG(device_id, 1);
	WRONG(vendor_id, 0);
	WRONG(num_queues, 0);
	WRONG(num_queues, 5);
	WRONG(config_size, 61);
	WRONG(flags, 7);
	WRONG(reserved[11], 1);
	/* An error does not pass the payload on. */
	m = answer(&sent);
	m.error = VX_ERR_NOMEM;
	assert_int_equal(take(&m, &sent), 0);
	assert_int_equal(got.num_queues, 0);
}

static void response_features(void **state)
{
	struct vx_msg sent = request(VX_MSG_GET_FEATURES), m = answer(&sent);

	(void)state;
	m.u.features.words[0] = NEEDED | 5;
	m.u.features.words[1] = 9;
	assert_int_equal(take(&m, &sent), 0);
	assert_int_equal(got.features[0], NEEDED | 5);
	assert_int_equal(got.features[1], 9);
	m.u.features.words[0] = 1ull << 32;
	assert_int_equal(take(&m, &sent), -EPROTO);
}

static void response_status(void **state)
{
	struct vx_msg sent = set_status(ACK | DRV | FOK), m = answer(&sent);

	(void)state;
	m.u.status.status = ACK | DRV;	/* refused */
	assert_int_equal(take(&m, &sent), 0);
	assert_int_equal(got.status, ACK | DRV);
	m.u.status.status = ACK | DRV | FOK | NRST;
	assert_int_equal(take(&m, &sent), 0);
	m.u.status.status = ACK | DRV | FOK | OK;
	assert_int_equal(take(&m, &sent), -EPROTO);
	sent = set_status(0);
	m = answer(&sent);
	assert_int_equal(take(&m, &sent), 0);
	m.u.status.status = NRST;	/* a reset that was none */
	assert_int_equal(take(&m, &sent), -EPROTO);
	sent = request(VX_MSG_GET_DEVICE_STATUS);
	m = answer(&sent);
	m.u.status.status = 0xcf;
	assert_int_equal(take(&m, &sent), 0);
	m.u.status.status = 0x100;
	assert_int_equal(take(&m, &sent), -EPROTO);
}

static void response_queue(void **state)
{
	static const struct { u32 index, max, size, flags; int ret; } t[] = {
		{ 2, 256, 0, 0, 0 }, { 2, 256, 256, 1, 0 }, { 2, 0, 0, 0, 0 },
		{ 2, 32768, 0, 0, 0 }, { 2, 32769, 0, 0, -EPROTO }, { 1, 256, 0, 0, -EPROTO },
		{ 2, 256, 257, 1, -EPROTO }, { 2, 256, 16, 0, -EPROTO }, { 2, 256, 0, 1, -EPROTO },
		{ 2, 256, 0, 2, -EPROTO }, { 2, 0xffffffff, 0, 0, -EPROTO },
	};
	struct vx_msg sent = request(VX_MSG_GET_VQUEUE);

	(void)state;
	sent.u.queue.index = 2;
	for (size_t i = 0; i < COUNT(t); i++) {
		struct vx_msg m = answer(&sent);

		m.u.queue = (struct vx_msg_queue){ .index = t[i].index, .max_size = t[i].max,
						   .size = t[i].size, .flags = t[i].flags };
		assert_int_equal(take(&m, &sent), t[i].ret);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(framing, setup),
		cmocka_unit_test_setup(ids, setup),
		cmocka_unit_test_setup(reserved_bytes, setup),
		cmocka_unit_test_setup(features, setup),
		cmocka_unit_test_setup(status_values, setup),
		cmocka_unit_test_setup(config_writes, setup),
		cmocka_unit_test_setup(queue_index, setup),
		cmocka_unit_test_setup(queue_set, setup),
		cmocka_unit_test_setup(queue_reset, setup),
		cmocka_unit_test_setup(inflight, setup),
		cmocka_unit_test(split_addresses),
		cmocka_unit_test(packed_addresses),
		cmocka_unit_test_setup(readonly_areas, setup),
		cmocka_unit_test(versions),
		cmocka_unit_test(adopting),
		cmocka_unit_test(control_page),
		cmocka_unit_test(sequence),
		cmocka_unit_test(numbers),
		cmocka_unit_test(lists),
		cmocka_unit_test_setup(response_framing, setup),
		cmocka_unit_test_setup(response_info, setup),
		cmocka_unit_test_setup(response_features, setup),
		cmocka_unit_test_setup(response_status, setup),
		cmocka_unit_test_setup(response_queue, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
