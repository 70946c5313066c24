/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is decided about memory, rings and pace from values that the backend, or the
 * administrator, has chosen.
 *
 * Pure functions; nothing here sleeps.
 */
#ifndef VX_RULES_H
#define VX_RULES_H

#include "pool.h"
#include "shim.h"

/* ---- the pool's size, in pages ---- */

/* Of a device whose backend has no opinion, and what every guest can spare. */
#define VX_POOL_DEFAULT		512u

/* As much as a backend's opinion can make it, in a guest with @memory pages: a 64th of them. */
u32 vx_pool_cap(u64 memory);
/*
 * What a device needs so that one request always finds room, whatever is set: drivers of the
 * others can be told how large a request may be.
 */
u32 vx_pool_least(u32 device_id);
/*
 * @set: by the administrator, who knows best, or 0; @hint, @max: by the backend, or 0.
 * @cap: of what the hint says.  @least: vx_pool_least().
 */
u32 vx_pool_choose(u32 set, u32 hint, u32 cap, u32 max, u32 least);
/* How many of @pages the rings of @queues queues with @size entries need that a backend only reads; at most a quarter. */
u32 vx_pool_ro_pages(u32 queues, u32 size, u32 pages);

/* ---- requests of a disk ---- */

/*
 * Linux waits until a request finds room, and one that is larger than the pool would wait
 * for ever: what a disk's may consist of at most, segments and pages of each.
 */
struct vx_request {
	u32 segs, seg_pages;
};

/* @pages: those that the backend can write, of a disk with @queues queues. */
struct vx_request vx_request_fit(u32 pages, u32 queues);

/* ---- rings ---- */

/*
 * Linux allocates a split ring in one piece, with the used ring at the next page: bytes
 * of what is before that, which the backend only reads.  0: @bytes is no such ring's size.
 */
size_t vx_ring_split(size_t bytes);

/* In the one of the flags that says "used" in a packed ring, at the place @at (its bit 15: the wrap counter). */
u16 vx_packed_used_flags(u16 at);

/* ---- features ---- */

/*
 * Those of a kind of device that Linux' driver is not to have of a backend that may be hostile.
 * A console's control messages (F_MULTIPORT) are believed as they are: one that is shorter than
 * its header has the kernel allocate 2^64 bytes, with a warning.  One port needs none.
 */
u64 vx_hidden_features(u32 device_id);

/* ---- mappings ---- */

/* The direction of a mapping is in its cookie, beside the address of what it is a copy of. */
#define VX_DIR_SHIFT	62
#define VX_DIR_BOTH	0u		/* DMA_BIDIRECTIONAL, and so on */
#define VX_DIR_NONE	3u
/* Of a coherent allocation, which is a copy of nothing. */
#define VX_COHERENT	(~0ull)

static inline u64 vx_cookie(u64 phys, unsigned int dir)
{
	return phys | (u64)dir << VX_DIR_SHIFT;
}

static inline u64 vx_cookie_phys(u64 cookie)
{
	return cookie & ~((u64)VX_DIR_NONE << VX_DIR_SHIFT);
}

/* Is this what is to be unmapped, all of it, and with that direction? */
bool vx_unmap_ok(const struct vx_mapping *m, u64 addr, size_t size, unsigned int dir);
/* May a part of it be copied in that direction? */
bool vx_sync_ok(const struct vx_mapping *m, unsigned int dir);

/* ---- pace ---- */

/* Zero to begin with. */
struct vx_pace {
	u64 due;		/* when as many have happened as may, in ms */
};

/*
 * May it happen once more at @now (ms)?  0: yes, and it is counted.  Else how long it
 * has to wait, in ms.  @burst at once, then one each @every ms.
 */
u32 vx_pace(struct vx_pace *p, u64 now, u32 burst, u32 every);

#endif
