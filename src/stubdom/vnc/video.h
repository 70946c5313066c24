/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stubdomain's framebuffer: its page, its video memory, what has changed in it. */
#ifndef VNC_VIDEO_H
#define VNC_VIDEO_H

#include "fbring.h"
#include "frames.h"

struct video {
	struct frames *frames;
	struct xenfb_page *page;	/* NULL: not connected */
	struct fb_ring ring;
	const uint8_t *memory;
	uint32_t length;		/* of it, bytes */
	struct fb_mode mode;
	struct fb_rect damage;		/* since it was last taken; width 0: none */
	bool resized;			/* the same */
};

/* Map what the page at frame @gfn names.  Negative errno. */
int video_connect(struct video *v, uint64_t gfn);
void video_disconnect(struct video *v);

/* Take the ring's events.  -EPROTO: one of them cannot be. */
int video_events(struct video *v);

#endif
