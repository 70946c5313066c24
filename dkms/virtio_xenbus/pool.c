// SPDX-License-Identifier: GPL-2.0-or-later
#include "pool.h"
#include "msg.h"

#define NONE 0xffffffffu	/* end of a list */

enum page_state {
	PAGE_INNER,	/* of a free block, not its first; or of an allocation that was */
	PAGE_FREE,	/* first of a free block */
	PAGE_FIRST,	/* of an allocation */
	PAGE_MORE,	/* of an allocation; only link says whether it still lives */
	PAGE_SLOTS,
};

/* A quarter of the pages can be cut into slots; beyond that a small request gets a page. */
static u32 tables_for(u32 pages)
{
	return pages / 4;
}

size_t vx_pool_meta_size(u32 pages)
{
	if (pages < VX_POOL_MIN_PAGES || pages > VX_POOL_MAX_PAGES)
		return 0;
	return pages * sizeof(struct vx_page) + tables_for(pages) * sizeof(struct vx_slots);
}

/* ---- lists through the page records ---- */

static void list_add(struct vx_pool *p, u32 *head, u32 i)
{
	p->page[i].prev = NONE;
	p->page[i].next = *head;
	if (*head != NONE)
		p->page[*head].prev = i;
	*head = i;
}

static void list_del(struct vx_pool *p, u32 *head, u32 i)
{
	struct vx_page *pg = &p->page[i];

	if (pg->prev == NONE)
		*head = pg->next;
	else
		p->page[pg->prev].next = pg->next;
	if (pg->next != NONE)
		p->page[pg->next].prev = pg->prev;
}

/* ---- pages: a binary buddy ---- */

static void block_add(struct vx_pool *p, struct vx_zone *z, u32 i, unsigned int order)
{
	p->page[i].state = PAGE_FREE;
	p->page[i].order = (u8)order;
	list_add(p, &z->free[order], i);
	z->free_mask |= 1u << order;
}

static void block_del(struct vx_pool *p, struct vx_zone *z, u32 i, unsigned int order)
{
	list_del(p, &z->free[order], i);
	p->page[i].state = PAGE_INNER;
	if (z->free[order] == NONE)
		z->free_mask &= ~(1u << order);
}

static void block_free(struct vx_pool *p, struct vx_zone *z, u32 i, unsigned int order)
{
	for (; order + 1 < VX_POOL_ORDERS; order++) {
		u32 buddy = i ^ (1u << order);

		if (buddy < z->start || buddy >= z->end ||
		    p->page[buddy].state != PAGE_FREE || p->page[buddy].order != order)
			break;
		block_del(p, z, buddy, order);
		/* The upper half's first page is inside the larger block now. */
		p->page[i].state = PAGE_INNER;
		i &= ~(1u << order);
	}
	block_add(p, z, i, order);
}

/* Give back any run of pages, as the largest aligned blocks it is made of. */
static void pages_free(struct vx_pool *p, struct vx_zone *z, u32 i, u32 n)
{
	p->free_pages += n;
	while (n) {
		unsigned int order = vx_lowest((u64)i | 1u << (VX_POOL_ORDERS - 1));

		while ((1u << order) > n)
			order--;
		block_free(p, z, i, order);
		i += 1u << order;
		n -= 1u << order;
	}
}

/* @n pages whose first is a multiple of 2^@align_order, or NONE. */
static u32 pages_alloc(struct vx_pool *p, struct vx_zone *z, u32 n, unsigned int align_order)
{
	unsigned int want = vx_order_of(n), order;
	u32 fit, i;

	if (want < align_order)
		want = align_order;
	if (want >= VX_POOL_ORDERS)
		return NONE;
	fit = z->free_mask & ~((1u << want) - 1);
	if (!fit)
		return NONE;
	order = vx_lowest(fit);
	i = z->free[order];
	block_del(p, z, i, order);
	p->free_pages -= 1u << order;
	pages_free(p, z, i + n, (1u << order) - n);
	return i;
}

/* ---- slots: small requests ---- */

static u32 slots_in(unsigned int shift)
{
	return VX_PAGE_SIZE >> shift;
}

/* A page cut into slots of 2^@shift bytes, on its list; NONE: no table or page. */
static u32 slot_page_new(struct vx_pool *p, struct vx_zone *z, unsigned int shift)
{
	u32 table = p->free_table, i;
	struct vx_page *pg;

	if (table == NONE)
		return NONE;
	i = pages_alloc(p, z, 1, 0);
	if (i == NONE)
		return NONE;
	p->free_table = p->slots[table].next_free;
	pg = &p->page[i];
	pg->state = PAGE_SLOTS;
	pg->order = (u8)shift;
	pg->used = 0;
	pg->data = 0;
	pg->link = table;
	list_add(p, &z->partial[shift - VX_SLOT_MIN_SHIFT], i);
	p->slot_pages++;
	return i;
}

static bool slot_alloc(struct vx_pool *p, struct vx_zone *z, u32 size, unsigned int shift,
		       u64 cookie, u64 *addr)
{
	u32 *list = &z->partial[shift - VX_SLOT_MIN_SHIFT], i = *list;
	struct vx_slots *t;
	struct vx_page *pg;
	unsigned int slot;

	if (i == NONE)
		i = slot_page_new(p, z, shift);
	if (i == NONE)
		return false;
	pg = &p->page[i];
	t = &p->slots[pg->link];
	slot = vx_lowest(~pg->data);
	pg->data |= 1ull << slot;
	t->cookie[slot] = cookie;
	t->size[slot] = (u16)size;
	if (++pg->used == slots_in(shift))
		list_del(p, list, i);
	*addr = VX_POOL_BASE + ((u64)i << VX_PAGE_SHIFT) + ((u64)slot << shift);
	return true;
}

static void slot_free(struct vx_pool *p, struct vx_zone *z, u32 i, unsigned int slot)
{
	struct vx_page *pg = &p->page[i];
	u32 *list = &z->partial[pg->order - VX_SLOT_MIN_SHIFT];

	if (pg->used == slots_in(pg->order))
		list_add(p, list, i);
	pg->data &= ~(1ull << slot);
	if (--pg->used)
		return;
	list_del(p, list, i);
	p->slots[pg->link].next_free = p->free_table;
	p->free_table = pg->link;
	p->slot_pages--;
	pages_free(p, z, i, 1);
}

/* ---- the whole ---- */

static bool big_alloc(struct vx_pool *p, struct vx_zone *z, u32 size, size_t align,
		      u64 cookie, u64 *addr)
{
	unsigned int align_order = align > VX_PAGE_SIZE ? vx_order_of((u32)(align >> VX_PAGE_SHIFT)) : 0;
	u32 n = (size + VX_PAGE_SIZE - 1) >> VX_PAGE_SHIFT, i = pages_alloc(p, z, n, align_order);

	if (i == NONE)
		return false;
	p->page[i].state = PAGE_FIRST;
	p->page[i].link = n;
	p->page[i].size = size;
	p->page[i].data = cookie;
	for (u32 k = 1; k < n; k++) {
		p->page[i + k].state = PAGE_MORE;
		p->page[i + k].link = i;
	}
	*addr = VX_POOL_BASE + ((u64)i << VX_PAGE_SHIFT);
	return true;
}

static unsigned int zone_index(const struct vx_pool *p, u32 i)
{
	unsigned int n = VX_POOL_ZONES - 1;

	while (i < p->zone[n].start)
		n--;
	return n;
}

static struct vx_zone *zone_of(struct vx_pool *p, u32 i)
{
	return &p->zone[zone_index(p, i)];
}

int vx_pool_alloc(struct vx_pool *p, size_t size, size_t align, unsigned int flags,
		  u64 cookie, u64 *addr)
{
	bool rings = flags & VX_POOL_RINGS;
	unsigned int first = rings ? VX_POOL_READONLY : VX_POOL_GENERAL;
	unsigned int last = !rings && flags & VX_POOL_RESERVE ? VX_POOL_RESERVED : first;
	size_t total = (size_t)p->pages << VX_PAGE_SHIFT, room;

	if (!size || size > total || !is_power_of_2(align) || align > total)
		return -EINVAL;
	room = size > align ? size : align;
	for (unsigned int n = first; n <= last; n++) {
		struct vx_zone *z = &p->zone[n];
		unsigned int shift = VX_SLOT_MIN_SHIFT;

		if (room > 1u << VX_SLOT_MIN_SHIFT)
			shift = room > 1u << VX_SLOT_MAX_SHIFT ? 0 : vx_order_of((u32)room);
		/* When no page can be cut any more, a small request gets a page. */
		if (!(shift && slot_alloc(p, z, (u32)size, shift, cookie, addr)) &&
		    !big_alloc(p, z, (u32)size, align, cookie, addr))
			continue;
		return 0;
	}
	return -ENOMEM;
}

int vx_pool_find(const struct vx_pool *p, u64 addr, size_t len, struct vx_mapping *m)
{
	u64 offset = addr - VX_POOL_BASE;
	const struct vx_page *pg;
	u32 i;

	if (!vx_range_ok(p->pages, addr, len) || offset >> VX_PAGE_SHIFT >= p->pages)
		return -EINVAL;
	i = (u32)(offset >> VX_PAGE_SHIFT);
	pg = &p->page[i];
	if (pg->state == PAGE_SLOTS) {
		unsigned int slot = (unsigned int)(offset & (VX_PAGE_SIZE - 1)) >> pg->order;

		if (!(pg->data >> slot & 1))
			return -EINVAL;
		m->cookie = p->slots[pg->link].cookie[slot];
		m->size = p->slots[pg->link].size[slot];
		m->addr = VX_POOL_BASE + ((u64)i << VX_PAGE_SHIFT) + ((u64)slot << pg->order);
	} else {
		if (pg->state == PAGE_MORE) {
			i = pg->link;
			pg = &p->page[i];
		}
		/* The size below says whether the page is still of that allocation. */
		if (pg->state != PAGE_FIRST)
			return -EINVAL;
		m->cookie = pg->data;
		m->size = pg->size;
		m->addr = VX_POOL_BASE + ((u64)i << VX_PAGE_SHIFT);
	}
	if (addr - m->addr >= m->size || len > m->size - (addr - m->addr))
		return -EINVAL;
	return 0;
}

int vx_pool_free(struct vx_pool *p, u64 addr, struct vx_mapping *was)
{
	struct vx_mapping m;
	struct vx_zone *z;
	struct vx_page *pg;
	u32 i;

	if (vx_pool_find(p, addr, 1, &m) || m.addr != addr)
		return -EINVAL;
	i = (u32)((addr - VX_POOL_BASE) >> VX_PAGE_SHIFT);
	pg = &p->page[i];
	z = zone_of(p, i);
	if (pg->state == PAGE_SLOTS)
		slot_free(p, z, i, (unsigned int)(addr & (VX_PAGE_SIZE - 1)) >> pg->order);
	else
		pages_free(p, z, i, pg->link);
	if (was)
		*was = m;
	return 0;
}

static void zone_init(struct vx_pool *p, unsigned int zone, u32 start, u32 end)
{
	struct vx_zone *z = &p->zone[zone];

	z->start = start;
	z->end = end;
	z->free_mask = 0;
	for (unsigned int n = 0; n < VX_POOL_ORDERS; n++)
		z->free[n] = NONE;
	for (unsigned int n = 0; n < VX_SLOT_CLASSES; n++)
		z->partial[n] = NONE;
	pages_free(p, z, start, end - start);
}

int vx_pool_init(struct vx_pool *p, void *meta, u32 pages, u32 reserve, u32 rings)
{
	size_t size = vx_pool_meta_size(pages);

	if (!size || rings >= pages || reserve >= pages - rings)
		return -EINVAL;
	memset(p, 0, sizeof(*p));
	memset(meta, 0, size);
	p->page = meta;
	p->slots = (struct vx_slots *)(p->page + pages);
	p->pages = pages;
	p->tables = tables_for(pages);
	for (u32 i = 0; i < p->tables; i++)
		p->slots[i].next_free = i + 1 < p->tables ? i + 1 : NONE;
	p->free_table = 0;
	zone_init(p, VX_POOL_GENERAL, 0, pages - rings - reserve);
	zone_init(p, VX_POOL_RESERVED, pages - rings - reserve, pages - rings);
	zone_init(p, VX_POOL_READONLY, pages - rings, pages);
	return 0;
}

#ifndef __KERNEL__
/* ---- for tests ---- */

static const char *verify_free(const struct vx_pool *p, const struct vx_zone *z, u32 *sum)
{
	for (unsigned int order = 0; order < VX_POOL_ORDERS; order++) {
		u32 prev = NONE, guard = 0;

		if (!(z->free_mask >> order & 1) != (z->free[order] == NONE))
			return "free_mask does not say which lists are empty";
		for (u32 i = z->free[order]; i != NONE; prev = i, i = p->page[i].next) {
			u32 buddy = i ^ (1u << order);

			if (i < z->start || i + (1u << order) > z->end || guard++ > p->pages)
				return "free block outside its zone";
			if (p->page[i].state != PAGE_FREE || p->page[i].order != order ||
			    p->page[i].prev != prev || i & ((1u << order) - 1))
				return "free block with a wrong record";
			if (order + 1 < VX_POOL_ORDERS && buddy >= z->start && buddy < z->end &&
			    p->page[buddy].state == PAGE_FREE && p->page[buddy].order == order)
				return "two free buddies";
			*sum += 1u << order;
		}
	}
	return NULL;
}

static const char *verify_slots(const struct vx_pool *p, const struct vx_zone *z, u32 i)
{
	const struct vx_page *pg = &p->page[i];
	bool listed = false;
	u32 guard = 0;

	if (pg->used != __builtin_popcountll(pg->data) || !pg->used || pg->link >= p->tables ||
	    (slots_in(pg->order) < 64 && pg->data >> slots_in(pg->order)))
		return "slot page with a wrong record";
	for (u32 k = z->partial[pg->order - VX_SLOT_MIN_SHIFT]; k != NONE; k = p->page[k].next) {
		listed |= k == i;
		if (guard++ > p->pages)
			return "list of slot pages with a loop";
	}
	return listed == (pg->used < slots_in(pg->order)) ? NULL : "slot page on a wrong list";
}

const char *vx_pool_verify(const struct vx_pool *p)
{
	u32 slot_pages = 0, used = 0, sum = 0, tables = 0;
	const char *bad = NULL;

	for (int n = 0; n < VX_POOL_ZONES && !bad; n++)
		bad = verify_free(p, &p->zone[n], &sum);
	if (!bad && sum != p->free_pages)
		bad = "free_pages is wrong";
	/* Whatever is not in a free block is in exactly one allocation. */
	for (u32 i = 0; i < p->pages && !bad; ) {
		const struct vx_page *pg = &p->page[i];

		if (pg->state == PAGE_FREE) {
			i += 1u << pg->order;
		} else if (pg->state == PAGE_SLOTS) {
			bad = verify_slots(p, &p->zone[zone_index(p, i)], i);
			slot_pages++, used++, i++;
		} else if (pg->state == PAGE_FIRST) {
			for (u32 k = 1; k < pg->link && !bad; k++)
				if (p->page[i + k].state != PAGE_MORE || p->page[i + k].link != i)
					bad = "page of an allocation with a wrong record";
			used += pg->link, i += pg->link;
		} else {
			bad = "a page of no allocation";
		}
	}
	if (!bad && used + sum != p->pages)
		bad = "pages are missing";
	for (u32 t = p->free_table; t != NONE && tables <= p->tables; t = p->slots[t].next_free)
		tables++;
	if (!bad && (slot_pages != p->slot_pages || tables + slot_pages != p->tables))
		bad = "slot pages or tables are missing";
	return bad;
}
#endif
