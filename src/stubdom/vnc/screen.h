/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The RFB server: libvncserver, without threads.  It never reads the stubdomain's memory: what
 * has changed there is copied first, and only while somebody looks.
 */
#ifndef VNC_SCREEN_H
#define VNC_SCREEN_H

#include <poll.h>
#include <stdbool.h>

#include "base/log.h"
#include "video.h"

#define SCREEN_CLIENTS	8
/* A client that has not said who it is by then makes room for another. */
#define SCREEN_AUTH_MS	10000
/* A client that takes or says nothing, in the middle of something, is dropped. */
#define SCREEN_STALL_MS	3000

struct screen_ops {
	void (*key)(void *arg, bool down, uint32_t keysym);
	/* @x, @y: pixels; @buttons: bit 0 left, 1 middle, 2 right, 3 wheel up, 4 wheel down */
	void (*pointer)(void *arg, unsigned int buttons, uint32_t x, uint32_t y);
};

/* Before rights are given up: libraries look for what they need.  There is one in a process. */
int screen_init(const char *name, bool password, const struct screen_ops *ops, void *arg, const struct log_about *about);
/* At most 8 characters count, as the protocol has it; until then nobody is let in. */
void screen_password(const char *text);

/* Accept from @listen. */
void screen_accept(int listen);
/* Clients' sockets: how many. */
unsigned int screen_poll(struct pollfd *fds);
/* Serve whoever has something to say; send what has changed.  Returns milliseconds until it is to be called again; -1: never. */
int screen_serve(void);

/* What @v has: another mode, damage.  @v->memory NULL: a black screen. */
void screen_update(struct video *v);

#endif
