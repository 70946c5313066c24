// SPDX-License-Identifier: GPL-2.0-or-later
#include "rules.h"

#include <linux/virtio_console.h>
#include <linux/virtio_ids.h>

#define PAGES(bytes)	(((bytes) + VX_PAGE_SIZE - 1) >> VX_PAGE_SHIFT)

/* ---- the pool's size ---- */

u32 vx_pool_cap(u64 memory)
{
	u64 part = memory / 64;

	return part < VX_POOL_DEFAULT ? VX_POOL_DEFAULT : part > VX_POOL_MAX_PAGES ? VX_POOL_MAX_PAGES : (u32)part;
}

u32 vx_pool_least(u32 device_id)
{
	switch (device_id) {
	case VIRTIO_ID_NET:
		/* A packet of 64 KiB in the quarter that only transmission may use. */
		return 128;
	case VIRTIO_ID_CONSOLE:
		/* 32 KiB in that quarter: input buffers take all the rest. */
		return 64;
	case VIRTIO_ID_9P:
		/* 500 KiB, in one piece or in many. */
		return 256;
	default:
		return VX_POOL_MIN_PAGES;
	}
}

u32 vx_pool_choose(u32 set, u32 hint, u32 cap, u32 max, u32 least)
{
	u32 want = set ? set : hint ? hint : VX_POOL_DEFAULT;

	if (!set && want > cap)
		want = cap;
	if (want < least)
		want = least;
	if (want > max)
		want = max;
	return want < VX_POOL_MIN_PAGES ? VX_POOL_MIN_PAGES : want;
}

/* Descriptor table and available ring of @size entries. */
static u32 ring_head(u32 size)
{
	return 16 * size + 6 + 2 * size;
}

u32 vx_pool_ro_pages(u32 queues, u32 size, u32 pages)
{
	u64 need = (u64)queues * PAGES(ring_head(size < VX_MAX_QUEUE_SIZE ? size : VX_MAX_QUEUE_SIZE));

	return need < pages / 4 ? (u32)need : pages / 4;
}

/* ---- requests of a disk ---- */

/* As pool.c allocates them, with nothing else in the pool. */
#define SEG_PAGES_MAX	32u
/* What is worth more than long segments: their number in a request. */
#define SEGS_GOOD	128u
#define SEGS_MAX	65535u
/* Header, status, indirect table, and a page of each size of slots. */
#define OTHER_PAGES	8u

/*
 * How many pages of @usable can be allocated in pieces of at most @piece, a power of two, in
 * any order.  A piece of one page more than half of it leaves the rest of its block to
 * smaller ones; one block of each smaller size may be begun, and the pool's end is no whole one.
 */
static u32 fits(u32 usable, u32 piece)
{
	u32 rest = piece > 2 ? 2 * piece : 2 * (piece - 1);

	if (usable <= rest)
		return 0;
	return piece > 2 ? (u32)((u64)(usable - rest) * (piece / 2 + 1) / piece) : usable - rest;
}

struct vx_request vx_request_fit(u32 pages, u32 queues)
{
	/* A used ring and an in-flight area each. */
	u64 taken = 2 * (u64)queues + OTHER_PAGES;
	u32 usable = pages > taken ? (u32)(pages - taken) : 1;
	struct vx_request r = { .seg_pages = SEG_PAGES_MAX };

	while (r.seg_pages > 1 && fits(usable, r.seg_pages) / r.seg_pages < SEGS_GOOD)
		r.seg_pages /= 2;
	r.segs = fits(usable, r.seg_pages) / r.seg_pages;
	if (r.segs > SEGS_MAX)
		r.segs = SEGS_MAX;
	return r;
}

/* ---- rings ---- */

size_t vx_ring_split(size_t bytes)
{
	for (u32 size = 1; size <= VX_MAX_QUEUE_SIZE; size *= 2) {
		size_t head = (size_t)PAGES(ring_head(size)) << VX_PAGE_SHIFT;

		if (head + 6 + 8 * (size_t)size == bytes)
			return head;
	}
	return 0;
}

u16 vx_packed_used_flags(u16 at)
{
	/* VIRTQ_DESC_F_AVAIL and _USED: both are as the wrap counter is. */
	return at >> 15 ? 1 << 7 | 1 << 15 : 0;
}

/* ---- features ---- */

u64 vx_hidden_features(u32 device_id)
{
	return device_id == VIRTIO_ID_CONSOLE ? (u64)1 << VIRTIO_CONSOLE_F_MULTIPORT : 0;
}

/* ---- mappings ---- */

bool vx_unmap_ok(const struct vx_mapping *m, u64 addr, size_t size, unsigned int dir)
{
	return m->cookie != VX_COHERENT && m->addr == addr && m->size == size && m->cookie >> VX_DIR_SHIFT == dir;
}

bool vx_sync_ok(const struct vx_mapping *m, unsigned int dir)
{
	unsigned int is = (unsigned int)(m->cookie >> VX_DIR_SHIFT);

	return m->cookie != VX_COHERENT && (is == VX_DIR_BOTH || is == dir);
}

/* ---- pace ---- */

u32 vx_pace(struct vx_pace *p, u64 now, u32 burst, u32 every)
{
	u64 ahead = (u64)(burst - 1) * every;

	if (p->due < now)
		p->due = now;
	if (p->due - now > ahead)
		return (u32)(p->due - now - ahead);
	p->due += every;
	return 0;
}
