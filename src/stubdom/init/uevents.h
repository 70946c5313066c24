/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel says about the disks of vbds: each that comes and goes. */
#ifndef UEVENTS_H
#define UEVENTS_H

#include "loop.h"
#include "vbd.h"

struct uevents {
	struct loop_source src;
	/* @dir: 1, it came; -1, it went. */
	void (*fn)(void *arg, const struct vbd_event *ev, int dir);
	void *arg;
};

/* From now on no event is missed; negative errno. */
int uevents_open(struct uevents *u, struct loop *loop,
		 void (*fn)(void *arg, const struct vbd_event *ev, int dir), void *arg);

#endif
