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

#endif
