/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How fast a domain may keep us busy: a burst, then so much per second.  Pure.
 */
#ifndef XE_PV_PACE_H
#define XE_PV_PACE_H

#include <stdint.h>

/* Each event costs as much as so many bytes. */
#define PACE_EVENT	256
#define PACE_RATE	(200 * 1024)	/* per second */
#define PACE_WAIT_MS	10

struct pace {
	int64_t left, burst;
	uint64_t at;
};

static inline void pace_init(struct pace *p, int64_t burst, uint64_t now)
{
	*p = (struct pace){ .left = burst, .burst = burst, .at = now };
}

/*
 * @cost was spent at @now (milliseconds).  How long to leave the domain alone: 0, or
 * PACE_WAIT_MS, again and again until it has earned what it spent.
 */
static inline unsigned int pace_take(struct pace *p, uint64_t now, uint32_t cost)
{
	uint64_t gone = now > p->at ? now - p->at : 0;

	/* Time beyond that cannot matter, and does not overflow. */
	if (gone > 3600 * 1000)
		gone = 3600 * 1000;
	p->at = now;
	p->left += (int64_t)gone * PACE_RATE / 1000;
	if (p->left > p->burst)
		p->left = p->burst;
	p->left -= cost;
	/* What waits is served once in a while all the same: a debt does not grow. */
	if (p->left < -(int64_t)PACE_RATE)
		p->left = -(int64_t)PACE_RATE;
	return p->left < 0 ? PACE_WAIT_MS : 0;
}

#endif
