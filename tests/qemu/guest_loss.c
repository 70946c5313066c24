// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Queues that outlive their backend (docs/protocol.md, section 9): areas as one
 * that died may leave them, areas that a hostile guest makes up, and a guest
 * that kills QEMU in the midst of I/O, again and again.
 */
#define _GNU_SOURCE
#include "guest.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct vx_inflight *area(void) { return (void *)(pool + INFLIGHT_OFF); }
static volatile uint8_t *heads(void) { return (uint8_t *)(area() + 1); }
static struct vring_avail *avail(void) { return (void *)(pool + AVAIL_OFF); }
static struct vring_used *used(void) { return (void *)(pool + USED_OFF); }

static uint16_t ask_inflight(uint32_t index, uint32_t size, uint32_t flags, uint64_t addr)
{
	struct vx_msg m = { .u.inflight = {
		.index = (uint16_t)index, .size = (uint16_t)size, .flags = flags, .addr = addr } };

	return ask(VX_MSG_SET_INFLIGHT, &m);
}

static uint16_t set_inflight(bool resume)
{
	return ask_inflight(0, QSIZE, resume ? VX_INFLIGHT_RESUME : 0, VX_POOL_BASE + INFLIGHT_OFF);
}

static uint16_t adopt(void)
{
	CHECK("in-flight area", !set_inflight(true));
	return ask_queue(0, QSIZE, QUEUE_PORT, VX_POOL_BASE + USED_OFF);
}

static void driver_ok(void)
{
	uint32_t s;

	CHECK("driver ok", !status(15, &s) && s == 15);
	fx_send(QUEUE_PORT);
}

static void again(void)
{
	uint32_t s;

	CHECK("reset", !status(0, &s) && !s);
	negotiate();
}

static unsigned int in_flight(void)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < QSIZE; i++)
		n += heads()[i];
	return n;
}

/*
 * Five requests from index @base: four were fetched, one of these is done, the
 * driver was told, and the backend died before it wrote that down.
 */
static void craft(uint16_t base)
{
	memset(pool, 0, DATA_OFF);
	avail()->idx = used()->idx = avail_idx = used_idx = base;
	for (unsigned int i = 0; i < 5; i++) {
		put(i, 0, 256 + 64 * i, 512 << i);
		heads()[3 * i] = i < 4;
	}
	slot_mem(1)[16] = 0;
	used()->ring[base % QSIZE] = (struct vring_used_elem) { 3, 1 };
	used()->idx = (uint16_t)(base + 1);
	*area() = (struct vx_inflight) { VX_INFLIGHT_MAGIC, QSIZE, base };
}

/* The next @n used elements: each of these heads once. */
static bool completes(unsigned int n, uint64_t want)
{
	uint16_t from = used_idx;
	uint64_t got = 0;

	if (!complete(n))
		return false;
	for (unsigned int i = 0; i < n; i++) {
		uint32_t id = used()->ring[(uint16_t)(from + i) % QSIZE].id;

		if (id >= QSIZE || got >> id & 1)
			return false;
		got |= 1ull << id;
	}
	return got == want;
}

static void settled(void)
{
	for (int i = 0; i < 100 && (in_flight() || area()->used_idx != used_idx); i++)
		usleep(10000);
	CHECK("the area says so", !in_flight() && area()->used_idx == used_idx && area()->size == QSIZE);
}

static void adopted(uint16_t base)
{
	bool ok = true;

	again();
	craft(base);
	CHECK("adopt", !adopt());
	CHECK("told that it was", fx_wait(QUEUE_PORT, 5000));
	driver_ok();
	CHECK("one was done, the others get done", completes(5, 0x1249));
	for (unsigned int i = 0; i < 5; i++)
		ok &= !slot_mem(i)[16];
	CHECK("all of them well", ok);
	settled();
	CHECK("and it goes on", transfer(16, 0, 256, 4096));
	settled();
}

/* What is written there by the guest while it is in use concerns nobody. */
static void scribbled(void)
{
	bool ok = true;

	for (int i = 0; i < 200 && ok; i++) {
		ok = transfer(16, 0, 256, 512);
		memset(area(), i, VX_INFLIGHT_BYTES(QSIZE));
	}
	CHECK("I/O with an area full of rubbish", ok);
}

/* An area as it is at first. */
static void untouched(void)
{
	again();
	memset(pool, 0, DATA_OFF);
	avail_idx = used_idx = 0;
	for (unsigned int i = 0; i < 3; i++)
		put(i, 0, 0, 512);
	CHECK("adopt what was never begun", !adopt());
	driver_ok();
	CHECK("it is done", completes(3, 0x49));
	settled();
	again();
	memset(pool, 0, DATA_OFF);
	avail_idx = used_idx = 0;
	memset(area() + 1, 1, QSIZE);	/* a driver that forgot to clear it */
	CHECK("a fresh area", !set_inflight(false));
	CHECK("queue", !ask_queue(0, QSIZE, QUEUE_PORT, VX_POOL_BASE + USED_OFF));
	driver_ok();
	CHECK("I/O", transfer(16, 0, 0, 512));
	settled();
	/* Indices come round: what was adopted long ago must not come again. */
	again();
	craft(0);
	CHECK("adopt", !adopt());
	driver_ok();
	CHECK("done", completes(5, 0x1249));
	for (unsigned int i = 0; i < 66000 / 16; i++)
		if (!transfer(16, 0, 0, 512)) {
			CHECK("once round the index", false);
			break;
		}
}

static void magic(void) { area()->magic ^= 1; }
static void size(void) { area()->size = QSIZE / 2; }
static void far_used(void) { used()->idx = (uint16_t)(area()->used_idx + QSIZE + 1); }
static void back_used(void) { used()->idx = (uint16_t)(area()->used_idx - 1); }
static void wrong_id(void) { used()->ring[0].id = QSIZE; }
static void no_flag(void) { heads()[63] = 2; }
static void all_heads(void) { memset(area() + 1, 1, QSIZE); }
static void avail_jump(void) { avail()->idx = 1000; }
static void avail_back(void) { avail()->idx = 1; }
static void zeros_used(void) { memset(area(), 0, VX_INFLIGHT_BYTES(QSIZE)); }
static void zeros_head(void) { memset(area(), 0, 8); used()->idx = 0; }

static void hostile(void)
{
	static const struct { const char *what; void (*make)(void); } t[] = {
		{ "magic", magic }, { "size", size }, { "used index too far", far_used },
		{ "used index goes back", back_used }, { "used element", wrong_id }, { "head of 2", no_flag },
		{ "more heads than requests", all_heads }, { "available index jumps", avail_jump },
		{ "fewer available than in flight", avail_back }, { "used index without an area", zeros_used },
		{ "heads without an area", zeros_head },
	};

	again();
	for (unsigned int i = 0; i < sizeof(t) / sizeof(*t); i++) {
		craft(0);
		t[i].make();
		CHECK(t[i].what, adopt() == VX_ERR_INVAL);
		CHECK("no channel is bound", !fx_bound(QUEUE_PORT));
	}
	craft(0);
	CHECK("after all these: a right one", !adopt());
	CHECK("again", set_inflight(true) == VX_ERR_STATE);
	driver_ok();
	CHECK("done", completes(5, 0x1249));
}

static void wrong_requests(void)
{
	uint64_t at = VX_POOL_BASE + INFLIGHT_OFF;
	uint32_t s;

	CHECK("reset", !status(0, &s));
	CHECK("before FEATURES_OK", set_inflight(false) == VX_ERR_STATE);
	again();
	CHECK("no such queue", ask_inflight(2, QSIZE, 0, at) == VX_ERR_INVAL);
	CHECK("no size", ask_inflight(0, 0, 0, at) == VX_ERR_INVAL);
	CHECK("odd size", ask_inflight(0, QSIZE - 1, 0, at) == VX_ERR_INVAL);
	CHECK("size", ask_inflight(0, 32768, 0, at) == VX_ERR_INVAL);
	CHECK("flag", ask_inflight(0, QSIZE, 2, at) == VX_ERR_INVAL);
	CHECK("alignment", ask_inflight(0, QSIZE, 0, at + 4) == VX_ERR_INVAL);
	CHECK("below the pool", ask_inflight(0, QSIZE, 0, 4096) == VX_ERR_INVAL);
	CHECK("end of the pool", ask_inflight(0, QSIZE, 0, VX_POOL_BASE + POOL_PAGES * 4096ull - 64) == VX_ERR_INVAL);
	CHECK("right", !ask_inflight(0, QSIZE / 2, 0, at));
	CHECK("queue of another size", ask_queue(0, QSIZE, QUEUE_PORT, VX_POOL_BASE + USED_OFF) == VX_ERR_INVAL);
	memset(pool, 0, DATA_OFF);
	CHECK("wrong port", ask_queue(0, QSIZE / 2, 50000, VX_POOL_BASE + USED_OFF) == VX_ERR_NOMEM);
	CHECK("that size", !ask_queue(0, QSIZE / 2, QUEUE_PORT, VX_POOL_BASE + USED_OFF));
}

void loss_disk(void)
{
	wrong_requests();
	adopted(0);
	scribbled();
	adopted(65534);
	adopted(65500);
	untouched();
	hostile();
}

/* The rng answers in the order in which it fetches. */
void loss_rng(void)
{
	static const uint16_t order[] = { 5, 3, 7, 1, 4 };
	struct vring_desc *d = (void *)(pool + DESC_OFF);
	bool same = true;

	again();
	memset(pool, 0, DATA_OFF);
	avail_idx = used_idx = 0;
	for (unsigned int i = 0; i < 5; i++) {
		d[order[i]] = (struct vring_desc) { slot_addr(i), 16, VRING_DESC_F_WRITE, 0 };
		avail()->ring[i] = order[i];
		heads()[order[i]] = i < 3;
	}
	avail()->idx = avail_idx = 5;
	*area() = (struct vx_inflight) { VX_INFLIGHT_MAGIC, QSIZE, 0 };
	CHECK("rng: adopt", !adopt());
	driver_ok();
	CHECK("rng: done", complete(5));
	for (unsigned int i = 0; i < 5; i++)
		same &= used()->ring[i].id == order[i];
	CHECK("rng: in the order of the ring", same);
	settled();
}

/* ---- a guest that outlives QEMU ---- */

#define SLOTS	16
/* Beside the pool: QEMU does not see it. */
static struct state {
	uint32_t kills, requests, again;
	uint16_t avail_idx, used_idx;
	uint32_t round[SLOTS];		/* even: it is written, odd: read back */
	bool busy[SLOTS];
} *state;

static uint32_t length_of(unsigned int i) { return 512u << (state->round[i] / 2 + i) % 7; }
static uint8_t byte_of(unsigned int i, uint32_t k) { return (uint8_t)(k * 7 + i * 31 + state->round[i] / 2 * 13 + k / 512); }

static void begin(unsigned int i)
{
	bool writes = !(state->round[i] & 1);
	uint16_t old = avail_idx;

	for (uint32_t k = 0; k < length_of(i); k++)
		slot_data(i)[k] = writes ? byte_of(i, k) : 0;
	state->busy[i] = true;
	put(i, writes, 4096 + 64 * i, length_of(i));
	kick(old);
}

static bool end(uint32_t id)
{
	unsigned int i = id / 3;
	bool right;

	if (!CHECK("a head", id % 3 == 0 && i < SLOTS) || !CHECK("once", state->busy[i]))
		return false;
	right = !slot_mem(i)[16];
	for (uint32_t k = 0; right && k < length_of(i); k++)
		right = slot_data(i)[k] == byte_of(i, k);
	state->busy[i] = false;
	state->round[i]++;
	state->requests++;
	return CHECK("its data", right);
}

/* @n requests, with as many as there can be at once; @all: until none is left. */
static bool work(unsigned int n, bool all)
{
	for (unsigned int done = 0; done < n || all;) {
		unsigned int busy = 0;

		for (unsigned int i = 0; i < SLOTS; i++) {
			if (!state->busy[i] && done < n)
				begin(i);
			busy += state->busy[i];
		}
		if (!busy)
			break;
		if (!CHECK("a request comes to its end", complete(1)) ||
		    !end(used()->ring[(uint16_t)(used_idx - 1) % QSIZE].id))
			return false;
		done++;
	}
	return true;
}

/* As the driver does: section 9. */
static bool resume(void)
{
	struct vx_msg m = { 0 };

	grant_all();
	memset((uint8_t *)ctrl + 0x40, 0, 0xc0);
	memset(ctrl->config, 0, sizeof(ctrl->config));
	seq = 0;
	avail_idx = state->avail_idx;
	used_idx = state->used_idx;
	publish(fx_ref(CTRL_PAGE));
	if (!CHECK("another backend", wait_be(4)))
		return false;
	CHECK("it can resume", !ask(VX_MSG_GET_DEVICE_INFO, &m) && m.u.info.flags & VX_INFO_RESUME);
	negotiate();
	state->again += in_flight();
	if (!CHECK("it adopts the queue", !adopt()))
		return false;
	fx_write(FE("state"), "4");
	driver_ok();
	return true;
}

/* Sooner or later after what is begun last: QEMU is in the midst of it, or has not seen it. */
static void die(void)
{
	unsigned int spin = (unsigned int)random() % 20000;

	state->kills++;
	for (unsigned int i = 0; i < SLOTS; i++)
		if (!state->busy[i])
			begin(i);
	state->avail_idx = avail_idx;
	state->used_idx = used_idx;
	for (unsigned int i = 0; state->kills % 4 && i < 10000000 && !in_flight(); i++)
		;
	while (spin--)
		__asm__ volatile("" ::: "memory");
	kill(getpid(), SIGKILL);
	pause();
}

void loss_load(unsigned int kills)
{
	bool ok;

	state = (void *)(fx_mem + (FX_PAGES - 1) * 4096);
	srandom(state->kills);
	if (state->kills)
		fx_write(FE("state"), "4");
	if (!wait_be(2))
		return;
	if (state->kills) {
		ok = resume();
	} else {
		ok = connected("state 4");
		negotiate();
		memset(pool, 0, DATA_OFF);
		CHECK("area", !set_inflight(false));
		CHECK("queue", !ask_queue(0, QSIZE, QUEUE_PORT, VX_POOL_BASE + USED_OFF));
		driver_ok();
	}
	ok = ok && work(100 + (unsigned int)random() % 200, state->kills == kills);
	if (ok && state->kills < kills)
		die();
	CHECK("nothing is in flight", !in_flight());
	CHECK("there were requests to be done again", state->again > 0);
	printf("guest: killed %u times: %u requests, %u of them begun again\n", state->kills, state->requests, state->again);
	fflush(stdout);
	report();
}
