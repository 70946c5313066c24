/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watch events, folded into "look at guest N".  However many a guest causes, it
 * is looked at once a round.  Nothing that a guest may write is watched.
 */
#ifndef XE_VD_EVENTS_H
#define XE_VD_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/nodes.h"
#include "xen/domain.h"

#define VD_EVENTS_ROUND 512

struct vd_events {
	bool scan;		/* look at everything */
	bool release;		/* some domain ended */
	uint64_t mark[(DOMID_LIMIT + 63) / 64];
};

int vd_events_watch(const struct vd_store *st);
/* Take what is queued, without waiting.  -errno when xenstored went away. */
int vd_events_take(const struct vd_store *st, struct vd_events *ev);
/* Pure: what one event means. */
void vd_events_note(struct vd_events *ev, uint32_t own, const char *path, const char *token);
/* The next marked guest at or after @from, unmarked; -1 when there is none. */
int vd_events_next(struct vd_events *ev, uint32_t from);

#endif
