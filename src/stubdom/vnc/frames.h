/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stubdomain's own pages by their frame numbers, which fbif has instead of grants.  The
 * device is restricted to that stubdomain, and Xen checks whose a frame is.
 * Tests link tests/unit/fake_frames.c instead.
 */
#ifndef VNC_FRAMES_H
#define VNC_FRAMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct frames;

/* Takes root's rights; all else does not.  NULL with errno. */
struct frames *frames_open(uint32_t stub);

/* All of them, one behind the other; NULL with errno.  Read only unless @write. */
void *frames_map(struct frames *f, const uint64_t *gfns, size_t n, bool write);
void frames_unmap(struct frames *f, void *addr, size_t n);

#endif
