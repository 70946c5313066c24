/* SPDX-License-Identifier: GPL-2.0-or-later */
/* At most so many of something per time, for each domain on its own. */
#ifndef XE_LIMIT_H
#define XE_LIMIT_H

#include <stdbool.h>
#include <stdint.h>

struct limit {
	uint64_t start;		/* of the current window; 0: none yet */
	unsigned int used;
};

/* True when one more is allowed at @now. */
static inline bool limit_take(struct limit *l, uint64_t now, uint64_t window,
			      unsigned int max)
{
	if (!l->start || now >= l->start + window) {
		l->start = now ? now : 1;
		l->used = 0;
	}
	return l->used++ < max;
}

/* At most @burst of something at once, then one each @every; what is too soon waits, and is not lost. */
struct pace {
	uint64_t due;		/* when none of them would be owed any more */
};

/* When one more may happen: @now, or later. */
static inline uint64_t pace_at(const struct pace *p, uint64_t now, unsigned int burst, uint64_t every)
{
	uint64_t owed = (burst - 1) * every;

	return p->due > now + owed ? p->due - owed : now;
}

/* It happens. */
static inline void pace_take(struct pace *p, uint64_t now, uint64_t every)
{
	p->due = (p->due > now ? p->due : now) + every;
}

#endif
