// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/minmax.h>
#include <asm/barrier.h>
#else
#define READ_ONCE(v) (*(const volatile __typeof__(v) *)&(v))
#define virt_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define barrier() __asm__ __volatile__("" ::: "memory")
#define min(a, b) ((a) < (b) ? (a) : (b))
#endif

#include <linux/virtio_ids.h>

/* ---- fields that are believed ---- */

struct vx_field {
	u32 device_id;
	u8 at, size;			/* struct virtio_..._config */
	u64 low, high;
	/* Queues that a number of them is about: high is (queues - minus) / each. */
	u8 minus, each;
};

static const struct vx_field fields[] = {
	/* Bytes of a disk that can be told in a loff_t. */
	{ VIRTIO_ID_BLOCK, 0, 8, 0, (1ull << 54) - 1, 0, 0 },		/* capacity */
	{ VIRTIO_ID_BLOCK, 12, 4, 1, 0xffff, 0, 0 },			/* seg_max */
	/* Programs divide by them. */
	{ VIRTIO_ID_BLOCK, 18, 1, 1, 255, 0, 0 },			/* geometry.heads */
	{ VIRTIO_ID_BLOCK, 19, 1, 1, 255, 0, 0 },			/* geometry.sectors */
	/* blk_size is shifted by it. */
	{ VIRTIO_ID_BLOCK, 24, 1, 0, 11, 0, 0 },			/* physical_block_exp */
	/* An index into two words; a BUG() for others. */
	{ VIRTIO_ID_BLOCK, 32, 1, 0, 1, 0, 0 },				/* wce */
	{ VIRTIO_ID_BLOCK, 34, 2, 1, 0xffff, 0, 1 },			/* num_queues */
	/* Two for each pair, and one for control. */
	{ VIRTIO_ID_NET, 8, 2, 1, 0x8000, 1, 2 },			/* max_virtqueue_pairs */
	{ VIRTIO_ID_NET, 10, 2, 68, 65535, 0, 0 },			/* mtu */
	/* Sizes of what Linux before 6.10 has in arrays. */
	{ VIRTIO_ID_NET, 17, 1, 0, 40, 0, 0 },				/* rss_max_key_size */
	{ VIRTIO_ID_NET, 18, 2, 1, 128, 0, 0 },				/* rss_max_indirection_table_length */
	/* Two for each port, and two for control. */
	{ VIRTIO_ID_CONSOLE, 4, 4, 1, 0x8000, 2, 2 },			/* max_nr_ports */
	{ VIRTIO_ID_SCSI, 0, 4, 1, 0xffff, 2, 1 },			/* num_queues */
};

static u64 vx_field_get(const u8 *at, u32 size)
{
	u64 value = 0;

	while (size--)
		value = value << 8 | at[size];
	return value;
}

static void vx_field_set(u8 *at, u32 size, u64 value)
{
	for (; size--; value >>= 8)
		*at++ = (u8)value;
}

void vx_config_clamp(u32 device_id, u32 queues, u8 *config, u32 size)
{
	for (u32 i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		const struct vx_field *f = &fields[i];
		u64 value, high = f->high;

		if (f->device_id != device_id || f->at + f->size > size)
			continue;
		if (f->each && queues)
			high = min(high, (u64)(queues > f->minus ? queues - f->minus : 0) / f->each);
		value = vx_field_get(config + f->at, f->size);
		if (value > high)
			value = high;
		vx_field_set(config + f->at, f->size, value < f->low ? f->low : value);
	}
}

/* ---- the page, and what is kept of it ---- */

static u32 vx_page_gen(const struct vx_ctrl *page)
{
	return vx_get32(READ_ONCE(page->config_gen));
}

/* The backend may write at any moment: what is copied is good when the generation says so before and after. */
static bool vx_page_begin(const struct vx_ctrl *page, u32 *gen)
{
	*gen = vx_page_gen(page);
	virt_rmb();
	return !(*gen & 1);
}

static bool vx_page_end(const struct vx_ctrl *page, u32 gen)
{
	virt_rmb();
	return vx_page_gen(page) == gen;
}

/* Bytes of a range that are configuration. */
static u32 vx_config_part(const struct vx_config *c, u32 offset, u32 len)
{
	return offset < c->size ? min(len, c->size - offset) : 0;
}

void vx_config_keep(struct vx_config *c)
{
	u32 gen;

	if (!c->page || !vx_page_begin(c->page, &gen))
		return;
	memcpy(c->kept[!c->which], c->page->config, c->size);
	if (vx_page_end(c->page, gen))
		c->which = !c->which;
}

bool vx_config_follow(struct vx_config *c, const struct vx_ctrl *page, u32 size)
{
	bool differs = size != c->size || memcmp(c->kept[c->which], page->config, size);

	c->page = page;
	c->size = size;
	c->gen++;
	vx_config_keep(c);
	return differs;
}

void vx_config_hold(struct vx_config *c)
{
	if (!c->page)
		return;
	vx_config_keep(c);
	c->gen = vx_config_generation(c) + 1;
	c->page = NULL;
}

void vx_config_write(struct vx_config *c, u32 offset, const void *buf, u32 len)
{
	vx_config_hold(c);
	memcpy(c->kept[c->which] + offset, buf, vx_config_part(c, offset, len));
	c->gen++;
}

/* The first bytes as they are, and then as they may be: @buf has some of them, from @offset on. */
static void vx_config_put_right(const struct vx_config *c, const u8 *from, u32 offset, u8 *buf, u32 len)
{
	u8 head[VX_CONFIG_CHECKED] = { 0 };
	u32 size = min(c->size, (u32)sizeof(head));

	if (offset >= size)
		return;
	memcpy(head, from, size);
	barrier();		/* what is put right is the copy */
	vx_config_clamp(c->device_id, c->queues, head, size);
	memcpy(buf, head + offset, min(len, size - offset));
}

int vx_config_read(const struct vx_config *c, u32 offset, void *buf, u32 len)
{
	const u8 *from = c->page ? c->page->config : c->kept[c->which];
	u32 n = vx_config_part(c, offset, len), gen = 0;

	memset(buf, 0, len);
	if (!n)
		return 0;
	if (c->page && !vx_page_begin(c->page, &gen))
		return -EAGAIN;
	memcpy(buf, from + offset, n);
	vx_config_put_right(c, from, offset, buf, n);
	return c->page && !vx_page_end(c->page, gen) ? -EAGAIN : 0;
}

u32 vx_config_generation(const struct vx_config *c)
{
	return c->gen + (c->page ? vx_page_gen(c->page) : 0);
}
