/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Framebuffer and keyboard of a stubdomain on one side, VNC clients on the other. */
#ifndef VNC_DISPLAY_H
#define VNC_DISPLAY_H

#include "base/log.h"
#include "base/ratelimit.h"
#include "fbring.h"
#include "input.h"
#include "pv/foreign.h"
#include "pv/link.h"
#include "pv/pace.h"
#include "screen.h"
#include "video.h"

/* What the stubdomain paints is looked at no more often, whatever it says. */
#define DISPLAY_FRAME_MS 16
/* Messages of clients at once; then PACE_RATE / PACE_EVENT a second. */
#define DISPLAY_MESSAGES 4096

struct display {
	struct foreign *foreign;
	int sock, listen;
	const struct log_about *about;
	struct limit lines;
	struct video video;
	int fb_port;			/* -1: not connected */
	bool fb_masked;			/* no event comes until foreign_unmask() */
	uint64_t fb_due;		/* look then; 0: at the next event */
	struct foreign_ring kbd_map;
	struct kbd_ring kbd;
	struct input input;
	bool had_clients;
	struct pace pace;		/* of what they send */
	uint64_t clients_due;		/* not before are they listened to */
};

/* All but the first four and video.frames.  Negative errno. */
int display_init(struct display *d, const char *name, bool password);
/* One round; waits for at most @max_ms (-1: for ever).  Negative errno: the parent is gone. */
int display_round(struct display *d, int max_ms);

#endif
