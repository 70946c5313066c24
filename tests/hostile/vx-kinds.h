/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What vx-backend is, one kind of device at a time: just enough for Linux's driver of it. */
#ifndef VX_KINDS_H
#define VX_KINDS_H

#include <stdbool.h>
#include <stdint.h>

#define KIND_QUEUES 4u

/* INDIRECT_DESC, EVENT_IDX, VERSION_1, ACCESS_PLATFORM */
#define F_COMMON (1ull << 28 | 1ull << 29 | 1ull << 32 | 1ull << 33)
#define F_SEG_MAX (1ull << 2)
#define F_MULTIPORT (1ull << 1)
#define OFFERED (F_SEG_MAX | F_COMMON)	/* a disk's */
#define CONFIG_SIZE 60		/* struct virtio_blk_config up to discard */

/* A piece of a request, in the pool. */
struct seg {
	uint8_t *at;
	uint32_t len;
	bool write;
};

struct kind {
	const char *name;
	unsigned int bit;		/* in struct fault's kinds */
	uint32_t device_id, queues, config_size;
	uint64_t features;
	void (*config)(uint8_t *config);
	/* Is there something for queue @q?  NULL: always.  Buffers of those that only receive wait until then. */
	bool (*ready)(unsigned int q);
	/* Serve it: the bytes that were written. */
	uint32_t (*serve)(unsigned int q, const struct seg *segs, unsigned int n);
};

enum { BLOCK = 1, NET = 2, CONSOLE = 4, RNG = 8, SHARE = 16, PORTS = 32 };

/* A port's name comes in a message that is shorter than its header. */
extern bool kind_short_name;

/* NULL: no such kind. */
const struct kind *kind_of(const char *name);
/* As it is when its device is new.  False: no memory. */
bool kind_begin(void);

#endif
