// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A guest's driver for one virtio-blk device, and the toolstack, against
 * qemu-virtio on fakexen.c: connection, messages, I/O, what a hostile guest
 * does, reset, a new kernel, and closing.  Prints one line a check.
 */
#define _GNU_SOURCE
#include "guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static unsigned int passed, failed;
uint32_t seq;
struct vx_ctrl *ctrl;
uint8_t *pool;
static const char *mode = "pool";
const char *kind = "virtio_disk";
unsigned int devid = 51712;

/* Of two buffers, for calls with two of them. */
const char *node_of(const char *format)
{
	static char path[2][128];
	static int n;

	n ^= 1;
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	snprintf(path[n], sizeof(path[n]), format, kind, devid);
	return path[n];
}

bool check(const char *what, bool ok, int line)
{
	ok ? passed++ : failed++;
	if (!ok)
		printf("guest: line %d: FAILED: %s\n", line, what);
	fflush(stdout);
	return ok;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

bool wait_be(unsigned int state)
{
	for (int i = 0; i < 500; i++) {
		if (fx_read_u32(BE("state")) == state)
			return true;
		usleep(10000);
	}
	printf("guest: backend is in %u, not %u\n", fx_read_u32(BE("state")), state);
	return false;
}

void grant_all(void)
{
	ctrl = (void *)(fx_mem + CTRL_PAGE * 4096);
	pool = fx_mem + POOL_PAGE * 4096;
	fx_grant(CTRL_PAGE, true);
	for (unsigned int i = 0; i < 2; i++)
		fx_grant(DIR_PAGE + i, false);
	for (unsigned int i = 0; i < POOL_PAGES; i++)
		fx_grant(POOL_PAGE + i, true);
}

static void prepare(void)
{
	grant_all();
	memset(ctrl, 0, sizeof(*ctrl));
	memset(pool, 0, DATA_OFF);
	ctrl->magic = VX_MAGIC_DRIVER;
	ctrl->version = VX_VERSION;
	ctrl->pool_pages = POOL_PAGES;
	ctrl->dir_pages = 2;
	for (unsigned int i = 0; i < 2; i++)
		ctrl->dir[i] = fx_ref(DIR_PAGE + i);
	memset(fx_mem + DIR_PAGE * 4096, 0, 8192);
	for (unsigned int i = 0; i < POOL_PAGES; i++)
		((uint32_t *)(fx_mem + DIR_PAGE * 4096))[i] = fx_ref(POOL_PAGE + i);
	seq = 0;
}

void publish(uint32_t ref)
{
	fx_write(FE("version"), "%u", VX_VERSION);
	fx_write(FE("mem-mode"), "%s", mode);
	fx_write(FE("backend-instance"), "%u", fx_read_u32(BE("backend-instance")));
	fx_write(FE("ctrl-ref"), "%u", ref);
	fx_write(FE("event-channel"), "%u", CTRL_PORT);
	fx_write(FE("state"), "3");
}

/* Sends what is in @m; the response, or an error nobody has when there is none. */
uint16_t ask(uint8_t id, struct vx_msg *m)
{
	m->type = VX_MSG_REQUEST;
	m->id = id;
	m->error = 0;
	seq = vx_seq_next(seq);
	m->seq = seq;
	ctrl->req = *m;
	__atomic_store_n(&ctrl->req_posted, seq, __ATOMIC_SEQ_CST);
	fx_send(CTRL_PORT);
	for (int i = 0; i < 500; i++) {
		if (__atomic_load_n(&ctrl->rsp_posted, __ATOMIC_SEQ_CST) == seq) {
			*m = ctrl->rsp;
			return m->error;
		}
		fx_wait(CTRL_PORT, 10);
	}
	return 0xffff;
}

uint16_t status(uint32_t value, uint32_t *shown)
{
	struct vx_msg m = { .u.status.status = value };
	uint16_t error = ask(VX_MSG_SET_DEVICE_STATUS, &m);

	*shown = m.u.status.status;
	return error;
}

bool connected(const char *what)
{
	uint32_t value;

	prepare();
	publish(fx_ref(CTRL_PAGE));
	if (!check(what, wait_be(4), __LINE__))
		return false;
	CHECK("backend's half", !vx_ctrl_check_backend(ctrl->be_magic, ctrl->be_version,
						       ctrl->config_size, 1, VX_MAX_CONFIG, &value));
	if (devid == 51712)
		CHECK("capacity in the mirror", *(uint64_t *)ctrl->config == 64 * 2048);
	fx_write(FE("state"), "4");
	return true;
}

static uint64_t offered;
uint16_t avail_idx, used_idx;
unsigned int qsize = 64;

void negotiate(void)
{
	struct vx_msg m = { 0 };
	uint32_t s;

	CHECK("features", !ask(VX_MSG_GET_FEATURES, &m));
	offered = m.u.features.words[0];
	CHECK("VERSION_1, ACCESS_PLATFORM, EVENT_IDX, INDIRECT_DESC",
	      (offered >> 32 & 1) && (offered >> 33 & 1) && (offered >> 29 & 1) && (offered >> 28 & 1));
	CHECK("nothing forbidden", !(offered & (0xdull << 36 | 1ull << 24 | 1ull << 27 | 1ull << 30)));
	CHECK("acknowledge", !status(1, &s) && s == 1);
	CHECK("driver", !status(3, &s) && s == 3);
	m = (struct vx_msg) { .u.features.words = { offered | 1ull << 63 } };
	CHECK("a feature that was not offered", ask(VX_MSG_SET_FEATURES, &m) == VX_ERR_INVAL);
	m = (struct vx_msg) { .u.features.words = { offered & ~(1ull << 33) } };
	CHECK("without ACCESS_PLATFORM", ask(VX_MSG_SET_FEATURES, &m) == VX_ERR_INVAL);
	m = (struct vx_msg) { .u.features.words = { offered } };
	CHECK("set features", !ask(VX_MSG_SET_FEATURES, &m));
	CHECK("features ok", !status(11, &s) && s == 11);
}

/* With what is in the rings. */
uint16_t ask_queue(uint32_t index, uint32_t size, uint32_t port, uint64_t used)
{
	struct vx_msg m = { .u.set_queue = {
		.index = (uint16_t)index, .size = (uint16_t)size, .port = port, .desc = VX_POOL_BASE + DESC_OFF,
		.driver = VX_POOL_BASE + AVAIL_OFF, .device = used } };

	return ask(VX_MSG_SET_VQUEUE, &m);
}

static uint16_t set_queue(uint32_t index, uint32_t port, uint64_t used)
{
	memset(pool, 0, DATA_OFF);
	avail_idx = used_idx = 0;
	return ask_queue(index, QSIZE, port, used);
}

static void start(void)
{
	uint32_t s;

	negotiate();
	CHECK("queue outside the pool",
	      set_queue(0, QUEUE_PORT, VX_POOL_BASE + POOL_PAGES * 4096ull) == VX_ERR_INVAL);
	CHECK("queue with a wrong port", set_queue(0, 50000, VX_POOL_BASE + USED_OFF) == VX_ERR_NOMEM);
	CHECK("queue", !set_queue(0, QUEUE_PORT, VX_POOL_BASE + USED_OFF));
	CHECK("queue twice", set_queue(0, QUEUE_PORT + 1, VX_POOL_BASE + USED_OFF) == VX_ERR_STATE);
	CHECK("driver ok", !status(15, &s) && s == 15);
}

/* ---- I/O ---- */

static unsigned int kicks, events;

uint64_t slot_addr(unsigned int i) { return VX_POOL_BASE + DATA_OFF + (uint64_t)i * SLOT; }
uint8_t *slot_mem(unsigned int i) { return pool + DATA_OFF + (size_t)i * SLOT; }
uint8_t *slot_data(unsigned int i) { return slot_mem(i) + 4096 - 512; }	/* crosses pages */

void put(unsigned int i, uint32_t type, uint64_t sector, uint32_t bytes)
{
	struct vring_desc *d = (void *)(pool + DESC_OFF);
	struct vring_avail *a = (void *)(pool + AVAIL_OFF);
	struct blk_hdr *h = (void *)slot_mem(i);
	unsigned int at = 3 * i;

	*h = (struct blk_hdr) { .type = type, .sector = sector };
	slot_mem(i)[16] = 0xff;
	d[at] = (struct vring_desc) { slot_addr(i), 16, VRING_DESC_F_NEXT, (uint16_t)(at + 1) };
	d[at + 1] = (struct vring_desc) { slot_addr(i) + 4096 - 512, bytes,
		(uint16_t)(VRING_DESC_F_NEXT | (type & 1 ? 0 : VRING_DESC_F_WRITE)), (uint16_t)(at + 2) };
	d[at + 2] = (struct vring_desc) { slot_addr(i) + 16, 1, VRING_DESC_F_WRITE, 0 };
	a->ring[avail_idx % QSIZE] = (uint16_t)at;
	__atomic_store_n(&a->idx, ++avail_idx, __ATOMIC_SEQ_CST);
}

void kick(uint16_t old)
{
	uint16_t event = *(uint16_t *)(pool + USED_OFF + 4 + 8 * QSIZE);

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if ((uint16_t)(avail_idx - event - 1) < (uint16_t)(avail_idx - old)) {
		kicks++;
		fx_send(QUEUE_PORT);
	}
}

bool complete(unsigned int n)
{
	struct vring_used *u = (void *)(pool + USED_OFF);
	uint16_t *used_event = (uint16_t *)(pool + AVAIL_OFF + 4 + 2 * QSIZE);

	for (int i = 0; i < 500; i++) {
		if ((uint16_t)(__atomic_load_n(&u->idx, __ATOMIC_SEQ_CST) - used_idx) >= n) {
			used_idx += (uint16_t)n;
			*used_event = used_idx;
			return true;
		}
		__atomic_store_n(used_event, used_idx + (uint16_t)n - 1, __ATOMIC_SEQ_CST);
		if (fx_wait(QUEUE_PORT, 10))
			events++;
	}
	return false;
}

bool transfer(unsigned int n, uint32_t type, uint64_t sector, uint32_t bytes)
{
	uint16_t old = avail_idx;

	for (unsigned int i = 0; i < n; i++)
		put(i, type, sector + i * (bytes / 512), bytes);
	kick(old);
	if (!complete(n))
		return false;
	for (unsigned int i = 0; i < n; i++)
		if (slot_mem(i)[16])
			return false;
	return true;
}

static void io(void)
{
	bool same = true;

	avail_idx = used_idx = 0;
	for (unsigned int i = 0; i < 16; i++)
		for (unsigned int k = 0; k < 32768; k++)
			slot_data(i)[k] = (uint8_t)(k * 7 + i * 13 + k / 512);
	CHECK("write 16 x 32 KiB", transfer(16, 1, 256, 32768));
	for (unsigned int i = 0; i < 16; i++)
		memset(slot_data(i), 0, 32768);
	CHECK("read it", transfer(16, 0, 256, 32768));
	for (unsigned int i = 0; i < 16; i++)
		for (unsigned int k = 0; k < 32768; k++)
			same &= slot_data(i)[k] == (uint8_t)(k * 7 + i * 13 + k / 512);
	CHECK("the same bytes", same);
}

/* What the driver gave to be written has none of its old bytes when it comes back. */
static void left(const char *what, uint32_t type, uint64_t sector, uint8_t result, unsigned int from)
{
	uint16_t old = avail_idx;
	unsigned int dirty = 0;

	memset(slot_data(0), 0xa5, 32768);
	put(0, type, sector, 32768);
	kick(old);
	CHECK(what, complete(1) && slot_mem(0)[16] == result);
	for (unsigned int k = from; k < 32768; k++)
		dirty += slot_data(0)[k] != 0;
	CHECK("nothing is left as it was", !dirty && !memchr(slot_data(0), 0xa5, from));
}

static void writes_all(void)
{
	left("serial", VIRTIO_BLK_T_GET_ID, 0, VIRTIO_BLK_S_OK, VIRTIO_BLK_ID_BYTES);
	left("a read past the end", VIRTIO_BLK_T_IN, 64 * 2048 - 1, VIRTIO_BLK_S_IOERR, 0);
	left("no such request", 0x76, 0, VIRTIO_BLK_S_UNSUPP, 0);
}

static void speed(unsigned int depth)
{
	double t = now();
	unsigned int n = 0;
	bool ok = true;

	kicks = events = 0;
	for (; ok && now() - t < 0.5; n += depth)
		ok = transfer(depth, 0, 0, 4096);
	CHECK("many reads", ok);
	printf("guest: depth %u: %.0f reads/s, %.2f kicks and %.2f events a read\n", depth,
	       n / (now() - t), (double)kicks / n, (double)events / n);
}

/* A descriptor that points out of the pool: the device stops until it is reset. */
static void break_ring(uint64_t addr)
{
	struct vring_desc *d = (void *)(pool + DESC_OFF);
	uint16_t old = avail_idx;

	/* Whole before it is available: the backend may be polling. */
	d[QSIZE - 1] = (struct vring_desc) { addr, 512, 0, 0 };
	((struct vring_avail *)(pool + AVAIL_OFF))->ring[avail_idx % QSIZE] = QSIZE - 1;
	__atomic_store_n(&((struct vring_avail *)(pool + AVAIL_OFF))->idx, ++avail_idx, __ATOMIC_SEQ_CST);
	kick(old);
	fx_send(QUEUE_PORT);
	for (int i = 0; i < 200 && !(ctrl->device_status & 64); i++)
		fx_wait(CTRL_PORT, 10);
	CHECK("DEVICE_NEEDS_RESET", ctrl->device_status & 64);
}

static void hostile_ring(uint64_t addr)
{
	uint32_t s;

	break_ring(addr);
	CHECK("reset after it", !status(0, &s) && !s && !ctrl->device_status);
	CHECK("queue's channel is unbound", !fx_bound(QUEUE_PORT));
	/* What comes now must not touch the pool. */
	fx_send(QUEUE_PORT);
}

static void requests(void)
{
	struct vx_msg m = { 0 };
	uint32_t s;

	CHECK("info", !ask(VX_MSG_GET_DEVICE_INFO, &m) && m.u.info.device_id == 2 &&
	      m.u.info.num_queues == 2 && m.u.info.config_size == ctrl->config_size &&
	      m.u.info.flags == (VX_INFO_RESUME | VX_INFO_WRITES_ALL));
	m = (struct vx_msg) { .u.queue.index = 1 };
	CHECK("queue 1", !ask(VX_MSG_GET_VQUEUE, &m) && m.u.queue.max_size >= QSIZE && !m.u.queue.size);
	m = (struct vx_msg) { .u.queue.index = 2 };
	CHECK("no queue 2", ask(VX_MSG_GET_VQUEUE, &m) == VX_ERR_INVAL);
	m = (struct vx_msg) { 0 };
	CHECK("no such message", ask(0x77, &m) == VX_ERR_UNKNOWN);
	CHECK("driver ok at once", status(15, &s) == VX_ERR_STATE);
	CHECK("queue before features", set_queue(0, QUEUE_PORT, VX_POOL_BASE + USED_OFF) == VX_ERR_STATE);
}

static void close_and_reopen(void)
{
	uint32_t instance = fx_read_u32(BE("backend-instance"));
	uint32_t s;

	CHECK("reset", !status(0, &s));
	fx_write(FE("state"), "5");
	CHECK("closing, as the driver is", wait_be(5));
	usleep(50000);
	CHECK("waits for it there", fx_read_u32(BE("state")) == 5);
	fx_write(FE("state"), "6");
	CHECK("closed", wait_be(6));
	CHECK("nothing is mapped", !fx_mapped());
	CHECK("control channel is unbound", !fx_bound(CTRL_PORT));
	fx_write(FE("state"), "1");
	CHECK("offers again", wait_be(2));
	CHECK("another instance", fx_read_u32(BE("backend-instance")) == instance + 1);
}

/* @what is wrong on a fresh connection: it closes, and can be opened again. */
static void refused(const char *what)
{
	char *why;

	CHECK(what, wait_be(5));
	why = fx_read(BE(VX_NODE_ERROR));
	printf("guest: %s: \"%s\"\n", what, why ? why : "");
	CHECK("says why", why && *why);
	free(why);
	fx_write(FE("state"), "6");
	CHECK("then closed", wait_be(6));
	CHECK("nothing is mapped", !fx_mapped());
	fx_write(FE("state"), "1");
	CHECK("offers again", wait_be(2));
}

static void wrong_connections(void)
{
	prepare();
	publish(5);
	refused("reference that is not granted");
	prepare();
	ctrl->reserved1[7] = 1;
	publish(fx_ref(CTRL_PAGE));
	refused("reserved byte in the control page");
	prepare();
	((uint32_t *)(fx_mem + DIR_PAGE * 4096))[1050] = 77;
	publish(fx_ref(CTRL_PAGE));
	refused("one page of the pool is not granted");
	prepare();
	publish(fx_ref(CTRL_PAGE));
	if (CHECK("right", wait_be(4))) {
		__atomic_store_n(&ctrl->req_posted, 5, __ATOMIC_SEQ_CST);
		fx_send(CTRL_PORT);
		refused("sequence number");
	}
	prepare();
	mode = "grant\n\x01";
	publish(fx_ref(CTRL_PAGE));
	refused("memory mode");
	mode = "pool";
	if (!connected("once more"))
		return;
	for (int i = 0; i < 20; i++) {
		uint32_t s;

		start();
		break_ring(0);
		usleep(20000);
		if (fx_read_u32(BE("state")) != 4 || status(0, &s))
			break;
	}
	refused("broken again and again");
}

/* Queues of the main loop: random bytes. */
static void rng(void)
{
	struct vring_desc *d = (void *)(pool + DESC_OFF);
	struct vring_avail *a = (void *)(pool + AVAIL_OFF);
	unsigned int zeros = 0;

	kind = "virtio";
	devid = 1;
	qsize = 8;
	if (!CHECK("rng: state 2", wait_be(2)) || !connected("rng: state 4"))
		return;
	start();
	avail_idx = used_idx = 0;
	for (unsigned int i = 0; i < 8; i++) {
		memset(slot_mem(0), 0, 64);
		d[0] = (struct vring_desc) { slot_addr(0), 64, VRING_DESC_F_WRITE, 0 };
		a->ring[avail_idx % QSIZE] = 0;
		__atomic_store_n(&a->idx, avail_idx + 1, __ATOMIC_SEQ_CST);
		kick(avail_idx++);
		CHECK("rng: bytes", complete(1));
		for (unsigned int k = 0; k < 64; k++)
			zeros += !slot_mem(0)[k];
	}
	CHECK("rng: random", zeros < 32);
	loss_rng();
	/* The guest is destroyed: xl removes the frontend, then asks to close. */
	fx_remove("/local/domain/7/device/virtio/1");
	fx_write(BE("online"), "0");
	fx_write(BE("state"), "5");
	CHECK("rng: closed", wait_be(6));
	CHECK("nothing is mapped", !fx_mapped());
	/* And the backend's directory, which must not come again. */
	fx_remove("/local/domain/0/backend/virtio/7/1");
	usleep(100000);
	CHECK("rng: gone", !fx_read(BE("state")));
}

/* Devices without a driver: what they say of themselves. */
static void others(void)
{
	static const uint32_t ids[] = { 1, 4, 3, 9 };

	kind = "virtio";
	for (devid = 0; devid < 4; devid++) {
		CHECK("other device: state 2", wait_be(2));
		CHECK("other device: its id", fx_read_u32(BE("device-id")) == ids[devid]);
		CHECK("other device: its queues", fx_read_u32(BE("max-queues")) > 0);
	}
}

static void disk(void)
{
	uint32_t s;

	if (!CHECK("state 2", wait_be(2)))
		return;
	CHECK("instance 1", fx_read_u32(BE("backend-instance")) == 1);
	CHECK("device id", fx_read_u32(BE("device-id")) == 2);
	CHECK("max-queues", fx_read_u32(BE("max-queues")) == 2);
	CHECK("mem-modes", vx_list_has(fx_read(BE("mem-modes")), "pool"));
	if (!connected("state 4"))
		return;
	requests();
	start();
	io();
	writes_all();
	speed(1);
	speed(16);
	hostile_ring(VX_POOL_BASE - 4096);
	start();
	hostile_ring(VX_POOL_BASE + POOL_PAGES * 4096ull - 16);
	start();
	hostile_ring(~0ull - 100);
	start();
	io();
	loss_disk();
	close_and_reopen();
	if (!connected("second connection"))
		return;
	start();
	io();
	/* The kernel is replaced under the backend. */
	fx_write(FE("state"), "1");
	CHECK("new kernel", wait_be(2));
	CHECK("nothing is mapped", !fx_mapped());
	wrong_connections();
	if (!wait_be(2) || !connected("third connection"))
		return;
	start();
	io();
	/* The toolstack unplugs. */
	fx_write(BE("online"), "0");
	fx_write(BE("state"), "5");
	usleep(50000);
	CHECK("waits for the driver", fx_read_u32(BE("state")) == 5 && fx_mapped());
	CHECK("I/O goes on", transfer(16, 0, 256, 32768));
	CHECK("reset while closing", !status(0, &s));
	fx_write(FE("state"), "5");
	fx_write(FE("state"), "6");
	CHECK("unplugged", wait_be(6));
	CHECK("nothing is mapped", !fx_mapped());
}

void report(void)
{
	FILE *f = fopen(getenv("FAKEXEN"), "w");

	fprintf(f, "%u %u\n", passed, failed);
	fclose(f);
}

/* I/O until QEMU ends, or is stopped for long. */
static void load(void)
{
	if (!wait_be(2) || !connected("state 4"))
		return;
	start();
	report();
	while (transfer(16, 0, 0, 32768))
		;
}

void fx_guest(void)
{
	if (getenv("FAKEXEN_LOAD")) {
		load();
		return;
	}
	if (getenv("FAKEXEN_KILLS")) {
		loss_load((unsigned int)atoi(getenv("FAKEXEN_KILLS")));
		return;
	}
	disk();
	others();
	rng();
	printf("%u passed, %u failed\n", passed, failed);
	fflush(stdout);
	report();	/* then the script removes the device */
}
