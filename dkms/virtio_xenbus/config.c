// SPDX-License-Identifier: GPL-2.0-or-later
#include "config.h"

#ifdef __KERNEL__
#include <linux/compiler.h>
#include <linux/minmax.h>
#include <asm/barrier.h>
#else
#define READ_ONCE(v) (*(const volatile __typeof__(v) *)&(v))
#define virt_rmb() __atomic_thread_fence(__ATOMIC_ACQUIRE)
#define min(a, b) ((a) < (b) ? (a) : (b))
#endif

static u32 vx_page_gen(const struct vx_ctrl *page)
{
	return vx_get32(READ_ONCE(page->config_gen));
}

/* The backend may write at any moment: what was copied is good when the generation says so before and after. */
static bool vx_page_copy(const struct vx_ctrl *page, u32 offset, void *buf, u32 len)
{
	u32 before = vx_page_gen(page);

	if (before & 1)
		return false;
	virt_rmb();
	memcpy(buf, page->config + offset, len);
	virt_rmb();
	return vx_page_gen(page) == before;
}

/* Bytes of a range that are configuration. */
static u32 vx_config_part(const struct vx_config *c, u32 offset, u32 len)
{
	return offset < c->size ? min(len, c->size - offset) : 0;
}

void vx_config_keep(struct vx_config *c)
{
	if (c->page && vx_page_copy(c->page, 0, c->kept[!c->which], c->size))
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

int vx_config_read(const struct vx_config *c, u32 offset, void *buf, u32 len)
{
	u32 n = vx_config_part(c, offset, len);

	memset(buf, 0, len);
	if (!n)
		return 0;
	if (c->page)
		return vx_page_copy(c->page, offset, buf, n) ? 0 : -EAGAIN;
	memcpy(buf, c->kept[c->which] + offset, n);
	return 0;
}

u32 vx_config_generation(const struct vx_config *c)
{
	return c->gen + (c->page ? vx_page_gen(c->page) : 0);
}
