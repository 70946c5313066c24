// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: dkms/virtio_xenbus/pool.c src/protocol/msg.c */
/*
 * The pool's allocator against a model that knows whose each 64 bytes are: no two
 * allocations overlap, each is inside, aligned and found again from each of its
 * bytes, sums agree, and nothing else can be freed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "msg.h"
#include "pool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LIVE_MAX 1024

struct live {
	u64 addr, cookie;
	u32 size;
};

static struct live live[LIVE_MAX];
static u32 nlive;
static struct vx_pool pool;
static u32 readonly;	/* pages for rings */
/* Number of the allocation that 64 bytes belong to, 0: none. */
static u16 *owner;

static void must(bool is)
{
	if (!is)
		abort();
}

static void own(const struct live *l, u16 from, u16 to)
{
	u16 *o = owner + (l->addr - VX_POOL_BASE) / 64;

	must(!(l->addr & 63));
	for (u32 i = 0; i < (l->size + 63) / 64; i++) {
		must(o[i] == from);
		o[i] = to;
	}
}

/* A slot's or page's rest belongs to nobody else: what is mapped may be copied whole. */
static void alloc(size_t size, size_t align, unsigned int flags, u64 cookie, u32 general)
{
	u32 free_pages = pool.free_pages;
	u64 total = (u64)pool.pages << VX_PAGE_SHIFT, addr = 0, end = VX_POOL_BASE + total;
	u64 border = end - ((u64)readonly << VX_PAGE_SHIFT);
	int ret = vx_pool_alloc(&pool, size, align, flags, cookie, &addr);
	struct live *l = &live[nlive];

	if (!size || size > total || !align || align & (align - 1) || align > total) {
		must(ret == -EINVAL);
		return;
	}
	if (ret) {
		must(ret == -ENOMEM && pool.free_pages == free_pages);
		/* A page that is free is given to whoever wants no more than one, and may have it. */
		must(size > VX_PAGE_SIZE || align > VX_PAGE_SIZE || flags & VX_POOL_RINGS || !(flags & VX_POOL_RESERVE) ||
		     free_pages <= readonly);
		return;
	}
	must(vx_range_ok(pool.pages, addr, size) && !(addr & (align - 1)));
	must(!!(flags & VX_POOL_RINGS) == (addr >= border) && addr + size <= (flags & VX_POOL_RINGS ? end : border));
	must(flags & (VX_POOL_RESERVE | VX_POOL_RINGS) || addr + size <= VX_POOL_BASE + ((u64)general << VX_PAGE_SHIFT));
	if (nlive == LIVE_MAX) {
		must(!vx_pool_free(&pool, addr, NULL));
		return;
	}
	*l = (struct live){ .addr = addr, .cookie = cookie, .size = (u32)size };
	own(l, 0, (u16)(nlive + 1));
	nlive++;
}

static void release(u32 i)
{
	struct live l = live[i];
	struct vx_mapping m;

	must(!vx_pool_free(&pool, l.addr, &m));
	must(m.addr == l.addr && m.size == l.size && m.cookie == l.cookie);
	must(vx_pool_free(&pool, l.addr, NULL) == -EINVAL);
	own(&l, (u16)(i + 1), 0);
	if (i != --nlive) {
		live[i] = live[nlive];
		own(&live[i], (u16)(nlive + 1), (u16)(i + 1));
	}
}

/* Any address and length: found exactly when the model says all is one allocation's. */
static void look(u64 addr, size_t len)
{
	/* Whose the first byte is: more may be asked for than the pool has behind it. */
	u16 who = vx_range_ok(pool.pages, addr, 1) ? owner[(addr - VX_POOL_BASE) / 64] : 0;
	const struct live *l = who ? &live[who - 1] : NULL;
	bool expect = l && addr - l->addr < l->size && addr - l->addr + len <= l->size;
	struct vx_mapping m;

	must(vx_pool_find(&pool, addr, len, &m) == (expect ? 0 : -EINVAL));
	if (expect)
		must(m.addr == l->addr && m.size == l->size && m.cookie == l->cookie);
	if (!l || l->addr != addr)
		must(vx_pool_free(&pool, addr, NULL) == -EINVAL);
}

static u32 take(const uint8_t **data, size_t *size, size_t n)
{
	u32 v = 0;

	for (; n && *size; n--, (*data)++, (*size)--)
		v = v << 8 | **data;
	return v;
}

static void step(const uint8_t **data, size_t *size, u32 general)
{
	/* Taken one by one: compilers differ in the order of a call's arguments. */
	u32 op = take(data, size, 1), a = take(data, size, 1), b, c;

	switch (op & 7) {
	case 0: case 1:		/* small */
		alloc((take(data, size, 2) & 0xfff) + 1, (size_t)1 << (a & 11), op >> 7, a, general);
		break;
	case 2:			/* pages, any size and alignment */
		alloc((size_t)take(data, size, 1) * 1024 + a, (size_t)1 << (op >> 3 & 15), op >> 7, ~(u64)a, general);
		break;
	case 3:			/* anything */
		b = take(data, size, 4);
		c = take(data, size, 3);
		alloc(b, c, a, 0, general);
		break;
	case 4:
		b = take(data, size, 3);
		c = take(data, size, 2);
		look(VX_POOL_BASE + b, c);
		break;
	case 5:
		b = take(data, size, 4);
		c = take(data, size, 4);
		look(((u64)b << 32) + c + (a & 1 ? VX_POOL_BASE : 0), a);
		break;
	default:
		if (nlive)
			release((a << 8 | op >> 3) % nlive);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u32 pages = VX_POOL_MIN_PAGES + take(&data, &size, 1) % 200;
	u32 reserve = take(&data, &size, 1), steps = 0;
	void *meta = malloc(vx_pool_meta_size(pages));

	readonly = reserve >> 4 & 3;
	reserve %= pages - readonly;
	memset(meta, 0x5a, vx_pool_meta_size(pages));
	must(!vx_pool_init(&pool, meta, pages, reserve, readonly));
	owner = calloc(((size_t)pages << VX_PAGE_SHIFT) / 64, sizeof(*owner));
	nlive = 0;
	while (size) {
		step(&data, &size, pages - reserve - readonly);
		if (!(++steps % 16))
			must(!vx_pool_verify(&pool));
	}
	must(!vx_pool_verify(&pool));
	while (nlive)
		release(nlive - 1);
	must(!vx_pool_verify(&pool));
	/* Nothing got lost: all is one run of free pages in each zone again. */
	must(pool.free_pages == pages && !pool.slot_pages);
	free(owner);
	free(meta);
	return 0;
}
