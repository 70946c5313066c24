// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_frames.h"

#include <errno.h>

struct frames {
	int none;
};

unsigned char fake_frame[FAKE_FRAMES][4096] __attribute__((aligned(4096)));
size_t fake_frames_mapped;

struct frames *frames_open(uint32_t stub)
{
	static struct frames f;

	(void)stub;
	return &f;
}

void *frames_map(struct frames *f, const uint64_t *gfns, size_t n, bool write)
{
	(void)f;
	(void)write;
	for (size_t i = 0; i < n; i++)
		if (!gfns[i] || gfns[i] >= FAKE_FRAMES || gfns[i] != gfns[0] + i) {
			errno = EINVAL;
			return NULL;
		}
	fake_frames_mapped += n;
	return n ? fake_frame[gfns[0]] : NULL;
}

void frames_unmap(struct frames *f, void *addr, size_t n)
{
	(void)f;
	(void)addr;
	fake_frames_mapped -= n;
}
