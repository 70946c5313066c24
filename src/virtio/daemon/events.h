/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is watched, folded into "look at guest N".  Nothing that a guest may
 * write is watched.
 */
#ifndef XE_VD_EVENTS_H
#define XE_VD_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/watches.h"
#include "virtio/nodes.h"

struct vd_events {
	bool scan;		/* look at everything */
	bool release;		/* some domain ended */
	struct domid_set marked;	/* look at these */
};

int vd_events_watch(const struct vd_store *st);
/* Take what is queued, without waiting.  -errno when xenstored went away. */
int vd_events_take(const struct vd_store *st, struct vd_events *ev);
/* Pure: what one event means. */
void vd_events_note(struct vd_events *ev, uint32_t own, const char *path, const char *token);

#endif
