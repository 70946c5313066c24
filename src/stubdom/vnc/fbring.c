// SPDX-License-Identifier: GPL-2.0-or-later
#include "fbring.h"

#include <errno.h>
#include <string.h>

#define READ_ONCE(x) (*(volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

int fb_mode_check(const struct fb_mode *m, uint32_t length)
{
	uint64_t end = m->offset + (uint64_t)m->stride * m->height;

	if (!m->width || m->width > FB_SIDE_MAX || !m->height || m->height > FB_SIDE_MAX)
		return -EINVAL;
	if (m->stride % FB_PIXEL || m->offset % FB_PIXEL || m->stride < m->width * FB_PIXEL)
		return -EINVAL;
	return end > length ? -EINVAL : 0;
}

bool fb_clip(const struct fb_mode *m, int32_t x, int32_t y, int32_t width, int32_t height, struct fb_rect *out)
{
	int64_t x1 = x < 0 ? 0 : x, y1 = y < 0 ? 0 : y, x2 = (int64_t)x + width, y2 = (int64_t)y + height;

	if (x2 > m->width)
		x2 = m->width;
	if (y2 > m->height)
		y2 = m->height;
	if (x1 >= x2 || y1 >= y2)
		return false;
	*out = (struct fb_rect){ (uint32_t)x1, (uint32_t)y1, (uint32_t)(x2 - x1), (uint32_t)(y2 - y1) };
	return true;
}

void fb_join(struct fb_rect *to, const struct fb_rect *more)
{
	uint32_t x2, y2;

	if (!more->width)
		return;
	if (!to->width) {
		*to = *more;
		return;
	}
	x2 = to->x + to->width > more->x + more->width ? to->x + to->width : more->x + more->width;
	y2 = to->y + to->height > more->y + more->height ? to->y + to->height : more->y + more->height;
	to->x = to->x < more->x ? to->x : more->x;
	to->y = to->y < more->y ? to->y : more->y;
	to->width = x2 - to->x;
	to->height = y2 - to->y;
}

int fb_page_read(struct xenfb_page *page, struct fb_mode *m, uint32_t *length)
{
	int32_t width = READ_ONCE(page->width), height = READ_ONCE(page->height);
	uint8_t depth = READ_ONCE(page->depth);

	*length = READ_ONCE(page->mem_length);
	if (width <= 0 || height <= 0 || depth != 8 * FB_PIXEL || *length > FB_BYTES_MAX)
		return -EINVAL;
	*m = (struct fb_mode){ (uint32_t)width, (uint32_t)height, READ_ONCE(page->line_length), 0 };
	return fb_mode_check(m, *length);
}

void fb_ring_init(struct fb_ring *r, struct xenfb_page *page)
{
	r->page = page;
	r->out_cons = READ_ONCE(page->out_cons);
}

int fb_ring_count(const struct fb_ring *r)
{
	uint32_t n = READ_ONCE(r->page->out_prod) - r->out_cons;

	if (n > XENFB_OUT_RING_LEN)
		return -EPROTO;
	/* Events are read after the index that announces them. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return (int)n;
}

void fb_ring_take(struct fb_ring *r, union xenfb_out_event *ev)
{
	const volatile uint8_t *from = (uint8_t *)&XENFB_OUT_RING_REF(r->page, r->out_cons);
	uint8_t *to = (uint8_t *)ev;

	for (size_t i = 0; i < sizeof(*ev); i++)
		to[i] = from[i];
	r->out_cons++;
}

void fb_ring_done(const struct fb_ring *r)
{
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	WRITE_ONCE(r->page->out_cons, r->out_cons);
}

void kbd_ring_init(struct kbd_ring *r, struct xenkbd_page *page)
{
	r->page = page;
	r->in_prod = READ_ONCE(page->in_prod);
}

int kbd_ring_put(struct kbd_ring *r, const union xenkbd_in_event *ev)
{
	uint32_t used = r->in_prod - READ_ONCE(r->page->in_cons);

	if (used > XENKBD_IN_RING_LEN)
		return -EPROTO;
	if (used == XENKBD_IN_RING_LEN)
		return 0;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	memcpy(&XENKBD_IN_RING_REF(r->page, r->in_prod), ev, sizeof(*ev));
	r->in_prod++;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	WRITE_ONCE(r->page->in_prod, r->in_prod);
	return 1;
}
