/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend's end of fbif and kbdif.  Pages and events are the stubdomain's: each value is
 * copied once and checked; indices that are ours are kept here.  Pure.
 */
#ifndef VNC_FBRING_H
#define VNC_FBRING_H

#include <stdbool.h>
#include <stdint.h>
#include <xen/io/fbif.h>
#include <xen/io/kbdif.h>

#define FB_PAGE		4096u
#define FB_PIXEL	4u			/* bytes: x8r8g8b8, nothing else */
#define FB_SIDE_MAX	8192u			/* pixels */
#define FB_BYTES_MAX	(64u * 1024 * 1024)	/* of video memory */

struct fb_mode {
	uint32_t width, height;		/* pixels */
	uint32_t stride, offset;	/* bytes */
};

struct fb_rect {
	uint32_t x, y, width, height;
};

/* 0 when every pixel of @m lies inside of @length bytes of video memory; else -EINVAL. */
int fb_mode_check(const struct fb_mode *m, uint32_t length);
/* The part of a rectangle that is on the screen; false when there is none. */
bool fb_clip(const struct fb_mode *m, int32_t x, int32_t y, int32_t width, int32_t height, struct fb_rect *out);
/* The smallest rectangle with both; an empty one (width 0) counts for nothing. */
void fb_join(struct fb_rect *to, const struct fb_rect *more);

/* What the page says of the first mode, and the length of video memory; 0 or -EINVAL. */
int fb_page_read(struct xenfb_page *page, struct fb_mode *m, uint32_t *length);

struct fb_ring {
	struct xenfb_page *page;
	uint32_t out_cons;
};

void fb_ring_init(struct fb_ring *r, struct xenfb_page *page);
/* Events that wait: how many, or -EPROTO. */
int fb_ring_count(const struct fb_ring *r);
void fb_ring_take(struct fb_ring *r, union xenfb_out_event *ev);
/* All that were taken are done. */
void fb_ring_done(const struct fb_ring *r);

struct kbd_ring {
	struct xenkbd_page *page;
	uint32_t in_prod;
};

void kbd_ring_init(struct kbd_ring *r, struct xenkbd_page *page);
/* 1, 0 when there is no room (the stubdomain does not read), or -EPROTO. */
int kbd_ring_put(struct kbd_ring *r, const union xenkbd_in_event *ev);

#endif
