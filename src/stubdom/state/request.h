/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a request of the stubdomain means, and whether it may be done.  Pure: the
 * caller has copied the request, and the segments of an indirect one, out of memory that
 * the stubdomain can write.
 */
#ifndef REQUEST_H
#define REQUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "blkif_abi.h"
#include "state_disk.h"

/* Segments of any request; those of an indirect one fit into one page. */
#define REQUEST_SEGS STATE_DISK_INDIRECT

struct geometry {
	uint64_t sectors;
	bool readonly;
};

struct segment {
	uint32_t gref;
	uint16_t offset, len;	/* in the granted page; never behind its end */
	uint64_t at;		/* on the disk, in bytes; never behind its end */
};

struct request {
	uint64_t id;
	uint8_t op;		/* for the answer */
	int16_t status;		/* BLKIF_RSP_OKAY, or the answer: nothing is to be done */
	bool flush;		/* nothing to copy */
	bool to_guest;		/* a read */
	uint64_t sector;
	unsigned int n_segs;
	bool indirect;		/* segs[] is to be made of page @table */
	uint32_t table;
	struct segment segs[REQUEST_SEGS];
};

/* @raw: a private copy. */
void request_parse(const struct blkif_request *raw, const struct geometry *geo, struct request *out);
/* @segs: a private copy of req->n_segs segments, of page req->table. */
void request_indirect(struct request *req, const struct blkif_request_segment *segs,
		      const struct geometry *geo);

#endif
