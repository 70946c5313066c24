// SPDX-License-Identifier: GPL-2.0-or-later
#include "ring.h"

#include <errno.h>

void ring_init(struct ring *r, void *page, const struct geometry *geo,
	       const struct ring_ops *ops, void *arg)
{
	*r = (struct ring){ .ops = ops, .arg = arg, .geo = *geo };
	BACK_RING_INIT(&r->back, (blkif_sring_t *)page, BLKIF_PAGE);
}

void ring_take_over(struct ring *r)
{
	r->back.req_cons = r->back.rsp_prod_pvt = *(volatile RING_IDX *)&r->back.sring->rsp_prod;
}

static void fetch_segments(struct ring *r, struct request *req)
{
	struct blkif_request_segment segs[REQUEST_SEGS];

	if (r->ops->fetch(r->arg, req->table, segs, req->n_segs * sizeof(segs[0])))
		req->status = BLKIF_RSP_ERROR;
	else
		request_indirect(req, segs, &r->geo);
}

static int16_t serve_one(struct ring *r, struct request *req)
{
	if (req->status == BLKIF_RSP_OKAY && req->indirect)
		fetch_segments(r, req);
	if (req->status != BLKIF_RSP_OKAY || req->flush)
		return req->status;
	return r->ops->copy(r->arg, req->segs, req->n_segs, req->to_guest) ?
	       BLKIF_RSP_ERROR : BLKIF_RSP_OKAY;
}

static void answer(struct ring *r, const struct request *req, int16_t status)
{
	blkif_response_t *rsp = RING_GET_RESPONSE(&r->back, r->back.rsp_prod_pvt);

	/* What is between its fields was part of a request: it is the stubdomain's own. */
	rsp->id = req->id;
	rsp->operation = req->op;
	rsp->status = status;
	r->back.rsp_prod_pvt++;
}

int ring_serve(struct ring *r, bool *notify, bool *more)
{
	RING_IDX prod = *(volatile RING_IDX *)&r->back.sring->req_prod;
	struct blkif_request raw;
	struct request req;
	int left;
	bool wake;

	*notify = *more = false;
	xen_rmb();	/* requests are read after the index that announces them */
	if (RING_REQUEST_PROD_OVERFLOW(&r->back, prod))
		return -EPROTO;
	while (r->back.req_cons != prod) {
		RING_COPY_REQUEST(&r->back, r->back.req_cons, &raw);
		r->back.req_cons++;
		request_parse(&raw, &r->geo, &req);
		answer(r, &req, serve_one(r, &req));
		/* At once: an answer takes the place of its request, which ring_take_over() may need. */
		RING_PUSH_RESPONSES_AND_CHECK_NOTIFY(&r->back, wake);
		*notify |= wake;
	}
	/* An index that leaps is found out by the next call. */
	RING_FINAL_CHECK_FOR_REQUESTS(&r->back, left);
	*more = left;
	return 0;
}
