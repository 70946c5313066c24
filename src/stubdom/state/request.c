// SPDX-License-Identifier: GPL-2.0-or-later
#include "request.h"

static_assert(sizeof(struct blkif_request_segment) * REQUEST_SEGS <= BLKIF_PAGE, "one page");
static_assert(STATE_DISK_SECTOR == BLKIF_SECTOR, "sectors");
static_assert(sizeof(struct blkif_request_indirect) <= sizeof(struct blkif_request), "a slot");
static_assert(offsetof(struct blkif_request_indirect, id) == offsetof(struct blkif_request, id), "ids");

static void refuse(struct request *out, int16_t status)
{
	out->status = status;
	out->n_segs = 0;
	out->indirect = false;
}

/* May these be read, or written? */
static bool permitted(struct request *out, uint8_t op, const struct geometry *geo)
{
	out->to_guest = op == BLKIF_OP_READ;
	return out->to_guest || (op == BLKIF_OP_WRITE && !geo->readonly);
}

/* out->segs of @segs; false when one leaves its page or the disk. */
static bool take_segments(struct request *out, const struct blkif_request_segment *segs,
			  const struct geometry *geo)
{
	uint64_t sector = out->sector;

	for (unsigned int i = 0; i < out->n_segs; i++) {
		unsigned int first = segs[i].first_sect, last = segs[i].last_sect, n;

		if (first > last || last >= BLKIF_SECTORS_PAGE)
			return false;
		n = last - first + 1;
		if (sector >= geo->sectors || geo->sectors - sector < n)
			return false;
		out->segs[i] = (struct segment){
			.gref = segs[i].gref,
			.offset = first * BLKIF_SECTOR,
			.len = n * BLKIF_SECTOR,
			.at = sector * BLKIF_SECTOR,
		};
		sector += n;
	}
	return true;
}

static void parse_indirect(const struct blkif_request *raw, const struct geometry *geo,
			   struct request *out)
{
	struct blkif_request_indirect ind;

	memcpy(&ind, raw, sizeof(ind));
	/* blkfront compares the answer's with the operation that it meant. */
	out->op = ind.indirect_op;
	out->sector = ind.sector_number;
	out->n_segs = ind.nr_segments;
	out->table = ind.indirect_grefs[0];
	out->indirect = true;
	if (!permitted(out, ind.indirect_op, geo) || !out->n_segs || out->n_segs > REQUEST_SEGS)
		refuse(out, BLKIF_RSP_ERROR);
}

static void parse_direct(const struct blkif_request *raw, const struct geometry *geo,
			 struct request *out)
{
	out->sector = raw->sector_number;
	out->n_segs = raw->nr_segments;
	if (!permitted(out, raw->operation, geo) ||
	    !out->n_segs || out->n_segs > BLKIF_MAX_SEGMENTS_PER_REQUEST ||
	    !take_segments(out, raw->seg, geo))
		refuse(out, BLKIF_RSP_ERROR);
}

void request_parse(const struct blkif_request *raw, const struct geometry *geo, struct request *out)
{
	memset(out, 0, sizeof(*out));
	out->id = raw->id;
	out->op = raw->operation;
	out->status = BLKIF_RSP_OKAY;
	switch (raw->operation) {
	case BLKIF_OP_READ:
	case BLKIF_OP_WRITE:
		parse_direct(raw, geo, out);
		break;
	case BLKIF_OP_INDIRECT:
		parse_indirect(raw, geo, out);
		break;
	case BLKIF_OP_FLUSH_DISKCACHE:
		out->flush = true;
		if (raw->nr_segments)
			refuse(out, BLKIF_RSP_ERROR);
		break;
	default:
		refuse(out, BLKIF_RSP_EOPNOTSUPP);
	}
}

void request_indirect(struct request *req, const struct blkif_request_segment *segs,
		      const struct geometry *geo)
{
	req->indirect = false;
	if (!take_segments(req, segs, geo))
		refuse(req, BLKIF_RSP_ERROR);
}
