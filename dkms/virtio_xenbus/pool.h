/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The pool's allocator: ranges of 1 byte to megabytes, in pool addresses.
 *
 * It hands out addresses and never touches the pool itself, which the backend
 * can write at any moment: all records are in memory of the caller's, private
 * to the guest.  The same code runs in the module and in the tests.
 *
 * Two levels.  Pages come from a binary buddy whose free lists run through an
 * array with one record for each page; what a block has more than was asked for goes back at
 * once, so that 9 pages cost 9 and not 16.  Requests of up to 2048 bytes (block
 * headers, status bytes, indirect tables: most mappings of a request) share
 * pages that are cut into slots of 64, 128, ... 2048 bytes, with one bit for each.
 *
 * Cost, with P pages in the pool and n in the request: small allocations and
 * frees are O(1), and O(log P) when a page is begun or given back; of whole
 * pages O(log P) to find and split, O(n) to note whose each page is (a write of
 * 32 bytes against the 4096 that are copied), O(log n * log P) to free.  There
 * is no search whose length depends on how full or how fragmented the pool is,
 * and no memory is allocated after vx_pool_init().
 *
 * The caller holds a lock around each call; nothing here sleeps.
 */
#ifndef VX_POOL_H
#define VX_POOL_H

#include "shim.h"
#include "virtio_xenbus.h"

#define VX_PAGE_SHIFT		12
#define VX_POOL_ORDERS		17	/* 2^16 pages is the largest pool */
#define VX_SLOT_MIN_SHIFT	6
#define VX_SLOT_MAX_SHIFT	11
#define VX_SLOT_CLASSES		(VX_SLOT_MAX_SHIFT - VX_SLOT_MIN_SHIFT + 1)
#define VX_SLOTS_MAX		(VX_PAGE_SIZE >> VX_SLOT_MIN_SHIFT)

/* Flags of an allocation. */
#define VX_POOL_RESERVE		1u	/* may take from the reserve when all else is used up */
#define VX_POOL_RINGS		2u	/* from what the backend can only read, and from nothing else */

/* What is known of a live allocation. */
struct vx_mapping {
	u64 addr;		/* its first byte, a pool address */
	u64 cookie;		/* the caller's */
	u32 size;		/* bytes, as asked for */
};

/* One record for each page of the pool. */
struct vx_page {
	u32 prev, next;		/* free block, or slot page with a free slot */
	u32 link;		/* first page of an allocation: its pages; another: the first;
				 * slot page: its table */
	u32 size;		/* first page of an allocation: bytes */
	u64 data;		/* first page of an allocation: cookie; slot page: slots in use */
	u8 state;
	u8 order;		/* free block: of its pages; slot page: of a slot's bytes */
	u16 used;		/* slot page: slots in use */
};

/* Cookies and sizes of one slot page. */
struct vx_slots {
	u64 cookie[VX_SLOTS_MAX];
	u16 size[VX_SLOTS_MAX];
	u32 next_free;
};

/* In the order of their addresses. */
#define VX_POOL_GENERAL		0
#define VX_POOL_RESERVED	1
#define VX_POOL_READONLY	2
#define VX_POOL_ZONES		3

/* Each is a buddy of its own: others cannot fragment it. */
struct vx_zone {
	u32 start, end;			/* pages */
	u32 free_mask;			/* orders that have a free block */
	u32 free[VX_POOL_ORDERS];
	u32 partial[VX_SLOT_CLASSES];	/* slot pages with a free slot */
};

struct vx_pool {
	struct vx_page *page;
	struct vx_slots *slots;
	u32 pages, tables, free_table;
	u32 free_pages, slot_pages;	/* pages of no use, and cut into slots */
	struct vx_zone zone[VX_POOL_ZONES];
};

/* Bytes of records that a pool of that many pages needs, about 5 % of it; 0: no such pool. */
size_t vx_pool_meta_size(u32 pages);

/*
 * Begin with everything free.  @meta: vx_pool_meta_size() bytes aligned for a
 * u64, the caller's, in use until the pool is.  The last @rings pages are for
 * allocations with VX_POOL_RINGS alone, the @reserve pages before them for those with
 * VX_POOL_RESERVE.  0 or -EINVAL.
 */
int vx_pool_init(struct vx_pool *p, void *meta, u32 pages, u32 reserve, u32 rings);

/*
 * @size bytes at a multiple of @align (a power of two; at most the pool's size).
 * The range has no byte in common with another, and, when either is a page
 * or more, no page.  0, -EINVAL, or -ENOMEM: then try again after a free.
 */
int vx_pool_alloc(struct vx_pool *p, size_t size, size_t align, unsigned int flags,
		  u64 cookie, u64 *addr);

/*
 * Free what begins at @addr; *@was (may be NULL) tells what it was.  -EINVAL,
 * and nothing happens, when no live allocation begins there.
 */
int vx_pool_free(struct vx_pool *p, u64 addr, struct vx_mapping *was);

/* The allocation that @len bytes at @addr lie wholly in, or -EINVAL. */
int vx_pool_find(const struct vx_pool *p, u64 addr, size_t len, struct vx_mapping *m);

#ifndef __KERNEL__
/* Are the records consistent?  Slow; for tests.  NULL, or what is wrong. */
const char *vx_pool_verify(const struct vx_pool *p);
#endif

#endif
