/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks of what the other side wrote: numbers of xenstore, the control page,
 * messages, queue addresses (docs/protocol.md, sections 3, 5, 7, 9 and 11).
 *
 * Pure functions for driver, backend and tests.  Whatever is passed as shared
 * contents must be a private copy: these functions read it more than once.
 */
#ifndef VX_MSG_H
#define VX_MSG_H

#include "shim.h"
#include "virtio_xenbus.h"

/* ---- xenstore ---- */

/* Decimal, no sign, blank or leading zero, within the range.  0 or -EINVAL. */
int vx_parse_u32(const char *text, u32 min, u32 max, u32 *value);

/* Is the word in the comma-separated list?  False for a list of another form. */
bool vx_list_has(const char *list, const char *word);

/* ---- control page: NULL, or the name of the first field that is wrong, and its *@value ---- */

const char *vx_ctrl_check_driver(const struct vx_ctrl *copy, u16 version, u32 pool_max_pages, u32 *value);
const char *vx_ctrl_check_backend(u32 be_magic, u16 be_version, u32 config_size,
				  u16 version, u32 max_config, u32 *value);

/* The newest version that both speak, when @oldest to @newest is what the other does, and it is not below @min; or 0. */
u32 vx_version_choose(u32 oldest, u32 newest, u32 min);

/* ---- sequence numbers ---- */

static inline u32 vx_seq_next(u32 seq)
{
	return seq == 0xffffffffu ? 1 : seq + 1;
}

/* 0: nothing new, 1: the next message is there, -EPROTO: neither. */
int vx_posted_check(u32 last, u32 posted);

/* ---- addresses ---- */

/* Do @len bytes at @addr lie in a pool of @pages pages?  Any values. */
static inline bool vx_range_ok(u32 pages, u64 addr, u64 len)
{
	u64 size = (u64)pages * VX_PAGE_SIZE;

	return addr >= VX_POOL_BASE && addr - VX_POOL_BASE <= size &&
	       len <= size - (addr - VX_POOL_BASE);
}

/*
 * May a queue have this size, and do its three areas lie in the pool, aligned and apart?
 * The last @ro_pages of the pool can only be read by the backend: what it writes must
 * not be there, and with split rings all else must.
 */
bool vx_queue_ok(u32 pool_pages, u32 ro_pages, bool packed, u32 size, u64 desc, u64 driver, u64 device);

/* @pages: the first ones of the pool, that the backend can write. */
bool vx_inflight_ok(u32 pages, u32 size, u64 addr);

/*
 * Adopting a split queue: how many used elements the in-flight area has not
 * seen, or -EPROTO; and, with @heads requests still in flight, which available
 * index comes next (*@next), 0 or -EPROTO.
 */
int vx_adopt_used(u32 size, u16 area_used_idx, u16 ring_used_idx);
int vx_adopt_next(u32 size, u16 ring_used_idx, u32 heads, u16 ring_avail_idx, u16 *next);

/* ---- messages ---- */

/* A message in the host's byte order.  Which part of it counts depends on id. */
struct vx_parsed {
	u8 id;
	u16 error;
	u32 seq;
	u64 features[2];
	u32 status;
	u32 index, size, max_size, port, flags;	/* of a queue, or of its in-flight area */
	u64 desc, driver, device, addr;
	u32 offset, length;
	u8 data[VX_CONFIG_CHUNK];
	u32 device_id, vendor_id, num_queues, config_size;
};

/* The device as the backend holds it, as far as messages depend on it. */
struct vx_queue_view {
	u32 max_size;			/* 0: there is no such queue */
	u32 inflight_size;		/* of a SET_INFLIGHT since the last reset; 0: none */
	bool enabled;
};

struct vx_device_view {
	u32 pool_pages, ro_pages, config_size, num_queues, status;
	u64 offered[2], accepted[2];	/* accepted: zero before SET_FEATURES */
	const struct vx_queue_view *queue;	/* num_queues of them */
};

/*
 * The backend, on a copy of the request slot.  -EPROTO: the framing is wrong and
 * the device fails.  Else 0, and *@error is VX_ERR_NONE when the request may be
 * carried out, or what to answer.
 */
int vx_request_check(const struct vx_msg *m, u32 posted, const struct vx_device_view *d,
		     struct vx_parsed *out, u16 *error);

/* What the driver has learnt of the backend before. */
struct vx_limits {
	u32 device_id, vendor_id, max_queues, max_config;	/* of xenstore */
	u32 num_queues;		/* of GET_DEVICE_INFO; 0 before */
};

/*
 * The driver, on a copy of the response slot; @sent is its own request.
 * -EPROTO: the device fails.  Else 0; out->error may say that the backend refused.
 */
int vx_response_check(const struct vx_msg *m, const struct vx_msg *sent,
		      const struct vx_limits *limits, struct vx_parsed *out);

#endif
