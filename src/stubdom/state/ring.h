/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend's end of a blkif ring of one page.  The page is the stubdomain's too: each
 * request is copied out of it once, and nothing else in it is read twice.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stdint.h>

#include "request.h"

struct ring_ops {
	/* Copy between the stubdomain's pages and the disk.  0 or negative errno. */
	int (*copy)(void *arg, const struct segment *segs, unsigned int n, bool to_guest);
	/* The first @len bytes of one of its pages. */
	int (*fetch)(void *arg, uint32_t gref, void *buf, size_t len);
};

struct ring {
	blkif_back_ring_t back;
	const struct ring_ops *ops;
	void *arg;
	struct geometry geo;
};

void ring_init(struct ring *r, void *page, const struct geometry *geo,
	       const struct ring_ops *ops, void *arg);

/* The page was another process's, which has ended: go on with the first request that it has not answered. */
void ring_take_over(struct ring *r);

/*
 * Serve what is there, at most a ring's worth, so that a stubdomain that never stops
 * asking does not keep the caller from everything else.
 *   @notify: the stubdomain waits for an event
 *   @more:   come again without waiting for one
 * -EPROTO: its indices cannot be; the ring is not to be looked at again.
 */
int ring_serve(struct ring *r, bool *notify, bool *more);

#endif
