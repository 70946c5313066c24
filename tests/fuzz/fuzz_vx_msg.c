// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/protocol/msg.c */
/*
 * Whatever stands in the shared page or in xenstore: what the checks let pass
 * is within the bounds that its user relies on.  The bounds are worked out here
 * anew, in 128 bits, so that no sum can overflow on both sides.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/virtio_config.h>

#include "msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
	struct vx_msg m, sent;
	struct vx_device_view d;
	struct vx_queue_view queue[4];
	struct vx_limits limits;
	u32 posted;
	u16 a, b, c;
};

typedef unsigned __int128 wide;

static void must(bool is)
{
	if (!is)
		abort();
}

static bool accepted(const struct vx_device_view *d, unsigned int bit)
{
	return d->accepted[bit / 64] >> bit % 64 & 1;
}

static void inside(const struct vx_device_view *d, u64 addr, wide bytes)
{
	wide base = VX_POOL_BASE, end = base + (wide)d->pool_pages * VX_PAGE_SIZE;

	must(addr >= base && (wide)addr + bytes <= end);
}

static u64 border(const struct vx_device_view *d)
{
	return VX_POOL_BASE + (u64)(d->pool_pages - d->ro_pages) * VX_PAGE_SIZE;
}

static void writable(const struct vx_device_view *d, u64 addr, wide bytes)
{
	must((wide)addr + bytes <= border(d));
}

static void apart(u64 a, wide na, u64 b, wide nb)
{
	must((wide)a + na <= b || (wide)b + nb <= a);
}

static void queue_is_usable(const struct vx_parsed *p, const struct vx_device_view *d)
{
	bool packed = accepted(d, VIRTIO_F_RING_PACKED);
	wide n = p->size, nd = 16 * n, na = packed ? 4 : 6 + 2 * n, nu = packed ? 4 : 6 + 8 * n;
	u32 mask = packed ? 3 : 1;

	must(p->port && p->size && p->size <= d->queue[p->index].max_size);
	must(!d->queue[p->index].enabled && d->status & VIRTIO_CONFIG_S_FEATURES_OK);
	inside(d, p->desc, nd);
	inside(d, p->driver, na);
	inside(d, p->device, nu);
	apart(p->desc, nd, p->driver, na);
	apart(p->desc, nd, p->device, nu);
	apart(p->driver, na, p->device, nu);
	must(!(p->desc & 15) && !(p->driver & mask) && !(p->device & 3));
	must(packed || __builtin_popcount(p->size) == 1);
	/* What the backend writes, and what it must not. */
	writable(d, p->device, nu);
	if (packed)
		writable(d, p->desc, nd);
	else if (d->ro_pages)
		must(p->desc >= border(d) && p->driver >= border(d));
}

static void carried_out(const struct vx_parsed *p, const struct vx_device_view *d)
{
	switch (p->id) {
	case VX_MSG_SET_FEATURES:
		must(!(p->features[0] & ~d->offered[0]) && !(p->features[1] & ~d->offered[1]));
		must(p->features[0] >> VIRTIO_F_VERSION_1 & 1);
		break;
	case VX_MSG_SET_CONFIG:
		must(p->length && p->length <= sizeof(p->data));
		must((u64)p->offset + p->length <= d->config_size);
		break;
	case VX_MSG_SET_DEVICE_STATUS:
		must(p->status < 256);
		must(!p->status || !(d->status & ~p->status & ~(u32)VIRTIO_CONFIG_S_NEEDS_RESET));
		break;
	case VX_MSG_RESET_VQUEUE:
		must(accepted(d, VIRTIO_F_RING_RESET) && d->queue[p->index].enabled);
		/* fallthrough */
	case VX_MSG_GET_VQUEUE:
		must(p->index < d->num_queues);
		break;
	case VX_MSG_SET_VQUEUE:
		must(p->index < d->num_queues);
		queue_is_usable(p, d);
		break;
	case VX_MSG_SET_INFLIGHT:
		must(p->index < d->num_queues && p->size && p->size <= d->queue[p->index].max_size);
		inside(d, p->addr, sizeof(struct vx_inflight) + (wide)p->size);
		writable(d, p->addr, sizeof(struct vx_inflight) + (wide)p->size);
		must(!accepted(d, VIRTIO_F_RING_PACKED));
		break;
	default:
		must(p->id >= VX_MSG_GET_DEVICE_INFO && p->id <= VX_MSG_GET_DEVICE_STATUS);
	}
}

/* A SET_VQUEUE that is nearly right, which chance alone would not find. */
static void nearly_right(struct input *in, struct vx_queue_view *q)
{
	struct vx_msg_set_queue *s = &in->m.u.set_queue;
	u64 bytes = (u64)in->d.pool_pages * VX_PAGE_SIZE;

	in->m.id = VX_MSG_SET_VQUEUE;
	s->index &= 3;
	s->size = (u16)(1u << (s->size & 7));
	s->desc = VX_POOL_BASE + s->desc % bytes;
	s->driver = in->b & 1 ? s->desc + (s->driver & 0x7fff) : VX_POOL_BASE + s->driver % bytes;
	s->device = in->b & 2 ? s->desc - (s->device & 0xfff) : VX_POOL_BASE + s->device % bytes;
	in->d.status = in->b & 4 ? in->d.status : VIRTIO_CONFIG_S_FEATURES_OK;
	q[s->index] = (struct vx_queue_view){ .max_size = 128 };
}

static void backend(struct input *in)
{
	struct vx_queue_view *q = malloc(sizeof(in->queue));
	struct vx_parsed p;
	u16 error = 0xffff;

	/* Booleans of any byte are not C; the array's end is known to the sanitizer. */
	memcpy(q, in->queue, sizeof(in->queue));
	for (int i = 0; i < 4; i++)
		memset(&q[i].enabled, ((u8 *)&in->queue[i].enabled)[0] & 1, 1);
	in->d.queue = q;
	in->d.num_queues %= 5;
	in->d.pool_pages = VX_POOL_MIN_PAGES + in->d.pool_pages % (VX_POOL_MAX_PAGES - VX_POOL_MIN_PAGES + 1);
	in->d.ro_pages = in->a & 8 ? in->d.ro_pages % (in->d.pool_pages / 2 + 1) : 0;
	/* Half of the messages with the right frame, else few would come further. */
	if (in->a & 1) {
		in->m.type = 0;
		in->m.error = 0;
		in->m.seq = in->posted;
	}
	if (in->a & 4)
		nearly_right(in, q);
	if (!vx_request_check(&in->m, in->posted, &in->d, &p, &error)) {
		must(in->m.type == VX_MSG_REQUEST && in->posted && p.seq == in->posted);
		must(error <= VX_ERR_STATE);
		if (!error)
			carried_out(&p, &in->d);
	} else {
		must(error == 0xffff);
	}
	free(q);
}

static void driver(struct input *in)
{
	struct vx_parsed p;

	if (in->a & 2) {
		in->m.type = VX_MSG_RESPONSE;
		in->m.id = in->sent.id;
		in->m.seq = in->sent.seq;
	}
	if (vx_response_check(&in->m, &in->sent, &in->limits, &p))
		return;
	must(p.error <= VX_ERR_MAX && in->m.id == in->sent.id && in->m.seq == in->sent.seq);
	if (p.error)
		return;
	if (p.id == VX_MSG_GET_DEVICE_INFO)
		must(p.num_queues && p.num_queues <= in->limits.max_queues &&
		     p.config_size <= in->limits.max_config);
	if (p.id == VX_MSG_GET_VQUEUE)
		must(p.max_size <= VX_MAX_QUEUE_SIZE && p.size <= p.max_size);
	if (p.id == VX_MSG_SET_DEVICE_STATUS && !in->sent.u.status.status)
		must(!p.status);
}

static void texts(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), again[16];
	u32 v;

	memcpy(text, data, size);
	text[size] = '\0';
	if (!vx_parse_u32(text, 3, 4000000000u, &v)) {
		must(v >= 3 && v <= 4000000000u);
		snprintf(again, sizeof(again), "%u", v);
		must(!strcmp(again, text));
	}
	if (vx_list_has(text, "pool"))
		must(strstr(text, "pool") && strlen(text) <= 255 && !strchr(text, ' '));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct input in = { 0 };
	u16 next = 0;
	int n;

	texts(data, size);
	memcpy(&in, data, size < sizeof(in) ? size : sizeof(in));
	n = vx_adopt_used(in.posted & 0xffff, in.a, in.b);
	must(n < 0 || (u32)n <= (in.posted & 0xffff));
	if (!vx_adopt_next(in.posted & 0xffff, in.a, in.c, in.b, &next))
		must((u16)(in.b - next) + (u32)in.c <= (in.posted & 0xffff));
	backend(&in);
	memcpy(&in, data, size < sizeof(in) ? size : sizeof(in));
	driver(&in);
	if (size >= sizeof(struct vx_ctrl)) {
		struct vx_ctrl *c = malloc(sizeof(*c));
		u32 value;

		memcpy(c, data, sizeof(*c));
		if (!vx_ctrl_check_driver(c, c->version & 1 ? 1 : 2, 4096, &value))
			must(c->ro_pages <= (c->version == 1 ? 0 : c->pool_pages / 2) &&
			     c->pool_pages >= VX_POOL_MIN_PAGES && c->pool_pages <= 4096 &&
			     c->dir_pages <= VX_DIR_MAX_PAGES && c->dir_pages * VX_DIR_REFS >= c->pool_pages);
		free(c);
	}
	return 0;
}
