// SPDX-License-Identifier: GPL-2.0-or-later
#include "msg.h"

#include <linux/virtio_config.h>

#define STATUS_ALL (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | \
		    VIRTIO_CONFIG_S_DRIVER_OK | VIRTIO_CONFIG_S_FEATURES_OK | \
		    VIRTIO_CONFIG_S_NEEDS_RESET | VIRTIO_CONFIG_S_FAILED)

/* Bytes of the payload that a message uses; those behind must be zero. */
static const struct { u8 id, request, response; } formats[] = {
	{ VX_MSG_GET_DEVICE_INFO, 0, 20 },
	{ VX_MSG_GET_FEATURES, 0, 16 },
	{ VX_MSG_SET_FEATURES, 16, 0 },
	{ VX_MSG_SET_CONFIG, 32, 0 },
	{ VX_MSG_GET_DEVICE_STATUS, 0, 4 },
	{ VX_MSG_SET_DEVICE_STATUS, 4, 4 },
	{ VX_MSG_GET_VQUEUE, 4, 16 },
	{ VX_MSG_SET_VQUEUE, 32, 0 },
	{ VX_MSG_RESET_VQUEUE, 4, 0 },
	{ VX_MSG_SET_INFLIGHT, 16, 0 },
};

static int format_of(u8 id)
{
	for (unsigned int i = 0; i < sizeof(formats) / sizeof(formats[0]); i++)
		if (formats[i].id == id)
			return (int)i;
	return -1;
}

static bool all_zero(const u8 *bytes, size_t n)
{
	u8 or = 0;

	while (n--)
		or |= bytes[n];
	return !or;
}

/* ---- xenstore ---- */

int vx_parse_u32(const char *text, u32 min, u32 max, u32 *value)
{
	u64 v = 0;
	int n;

	for (n = 0; text[n]; n++) {
		if (n == 10 || text[n] < '0' || text[n] > '9' || (n && text[0] == '0'))
			return -EINVAL;
		v = v * 10 + (u64)(text[n] - '0');
	}
	if (!n || v < min || v > max)
		return -EINVAL;
	*value = (u32)v;
	return 0;
}

bool vx_list_has(const char *list, const char *word)
{
	size_t at = 0, len = strlen(word);
	bool has = false;

	for (size_t i = 0; i <= 255; i++) {
		char c = list[i];

		if (c && c != ',') {
			if (!(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') && c != '-')
				return false;
			continue;
		}
		if (i == at)	/* an empty word */
			return false;
		if (i - at == len && !memcmp(list + at, word, len))
			has = true;
		if (!c)
			return has;
		at = i + 1;
	}
	return false;		/* too long */
}

/* ---- control page ---- */

static const char *field(const char *name, u32 is, u32 *value)
{
	*value = is;
	return name;
}

const char *vx_ctrl_check_driver(const struct vx_ctrl *c, u16 version, u32 pool_max_pages, u32 *value)
{
	const struct { const char *name; const u8 *bytes; size_t n; } reserved[] = {
		{ "reserved0", c->reserved0, sizeof(c->reserved0) },
		{ "reserved1", c->reserved1, sizeof(c->reserved1) },
		{ "reserved2", c->reserved2, sizeof(c->reserved2) },
		{ "reserved3", c->reserved3, sizeof(c->reserved3) },
		{ "reserved8", c->reserved8, sizeof(c->reserved8) },
	};
	u32 pages = vx_get32(c->pool_pages), ro = vx_get32(c->ro_pages);

	if (vx_get32(c->magic) != VX_MAGIC_DRIVER)
		return field("magic", vx_get32(c->magic), value);
	if (vx_get16(c->version) != version)
		return field("version", vx_get16(c->version), value);
	if (pages < VX_POOL_MIN_PAGES || pages > VX_POOL_MAX_PAGES || pages > pool_max_pages)
		return field("pool_pages", pages, value);
	if (vx_get32(c->dir_pages) != VX_DIR_PAGES(pages))
		return field("dir_pages", vx_get32(c->dir_pages), value);
	if (ro > (version < VX_VERSION_READONLY ? 0 : pages / 2))
		return field("ro_pages", ro, value);
	for (unsigned int i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		for (size_t k = 0; k < reserved[i].n; k++)
			if (reserved[i].bytes[k])
				return field(reserved[i].name, reserved[i].bytes[k], value);
	return NULL;
}

const char *vx_ctrl_check_backend(u32 be_magic, u16 be_version, u32 config_size,
				  u16 version, u32 max_config, u32 *value)
{
	if (be_magic != VX_MAGIC_BACKEND)
		return field("be_magic", be_magic, value);
	if (be_version != version)
		return field("be_version", be_version, value);
	if (config_size > max_config || config_size > VX_MAX_CONFIG)
		return field("config_size", config_size, value);
	return NULL;
}

u32 vx_version_choose(u32 oldest, u32 newest, u32 min)
{
	u32 version = newest < VX_VERSION ? newest : VX_VERSION;

	return version < VX_VERSION_OLDEST || version < oldest || version < min ? 0 : version;
}

int vx_posted_check(u32 last, u32 posted)
{
	if (posted == last)
		return 0;
	return posted == vx_seq_next(last) ? 1 : -EPROTO;
}

/* ---- addresses ---- */

struct area {
	u64 addr, bytes;
	u32 align;
};

/* Both lie in the pool: no sum overflows. */
static bool apart(const struct area *a, const struct area *b)
{
	return a->addr + a->bytes <= b->addr || b->addr + b->bytes <= a->addr;
}

/* Does the area lie wholly in the part that the backend can only read (@ro), or in the other? */
static bool area_in(u32 pool_pages, u32 ro_pages, const struct area *a, bool ro)
{
	u32 writable = pool_pages - ro_pages;

	if (!ro)
		return vx_range_ok(writable, a->addr, a->bytes);
	return vx_range_ok(pool_pages, a->addr, a->bytes) &&
	       a->addr - VX_POOL_BASE >= (u64)writable * VX_PAGE_SIZE;
}

bool vx_queue_ok(u32 pool_pages, u32 ro_pages, bool packed, u32 size, u64 desc, u64 driver, u64 device)
{
	bool ro = ro_pages && !packed;
	const struct area a[3] = {
		{ desc, 16ull * size, 16 },
		{ driver, packed ? 4 : 6 + 2ull * size, packed ? 4 : 2 },
		{ device, packed ? 4 : 6 + 8ull * size, 4 },
	};

	if (!size || size > VX_MAX_QUEUE_SIZE || (!packed && !is_power_of_2(size)))
		return false;
	for (int i = 0; i < 3; i++)
		if (a[i].addr & (a[i].align - 1))
			return false;
	if (!area_in(pool_pages, ro_pages, &a[0], ro) || !area_in(pool_pages, ro_pages, &a[2], false))
		return false;
	/* A packed ring's is written by the driver alone, and read by nobody but the backend. */
	if (!area_in(pool_pages, ro_pages, &a[1], ro) && !(packed && area_in(pool_pages, ro_pages, &a[1], true)))
		return false;
	return apart(&a[0], &a[1]) && apart(&a[0], &a[2]) && apart(&a[1], &a[2]);
}

bool vx_inflight_ok(u32 pages, u32 size, u64 addr)
{
	return size && size <= VX_MAX_QUEUE_SIZE && is_power_of_2(size) && !(addr & 7) &&
	       vx_range_ok(pages, addr, VX_INFLIGHT_BYTES(size));
}

int vx_adopt_used(u32 size, u16 area_used_idx, u16 ring_used_idx)
{
	u16 n = (u16)(ring_used_idx - area_used_idx);

	return n <= size ? n : -EPROTO;
}

int vx_adopt_next(u32 size, u16 ring_used_idx, u32 heads, u16 ring_avail_idx, u16 *next)
{
	u16 at = (u16)(ring_used_idx + heads);

	/* All that is available or in flight has a descriptor of its own. */
	if (heads > size || (u16)(ring_avail_idx - at) > size - heads)
		return -EPROTO;
	*next = at;
	return 0;
}

/* ---- messages: byte order ---- */

static void unpack_queue(const struct vx_msg *m, bool response, struct vx_parsed *out)
{
	out->index = vx_get32(m->u.queue.index);
	if (!response)
		return;
	out->max_size = vx_get32(m->u.queue.max_size);
	out->size = vx_get32(m->u.queue.size);
	out->flags = vx_get32(m->u.queue.flags);
}

static void unpack(const struct vx_msg *m, bool response, struct vx_parsed *out)
{
	switch (out->id) {
	case VX_MSG_GET_DEVICE_INFO:
		out->device_id = vx_get32(m->u.info.device_id);
		out->vendor_id = vx_get32(m->u.info.vendor_id);
		out->num_queues = vx_get32(m->u.info.num_queues);
		out->config_size = vx_get32(m->u.info.config_size);
		out->flags = vx_get32(m->u.info.flags);
		break;
	case VX_MSG_GET_FEATURES:
	case VX_MSG_SET_FEATURES:
		out->features[0] = vx_get64(m->u.features.words[0]);
		out->features[1] = vx_get64(m->u.features.words[1]);
		break;
	case VX_MSG_SET_CONFIG:
		out->offset = vx_get32(m->u.config.offset);
		out->length = vx_get32(m->u.config.length);
		memcpy(out->data, m->u.config.data, sizeof(out->data));
		break;
	case VX_MSG_GET_DEVICE_STATUS:
	case VX_MSG_SET_DEVICE_STATUS:
		out->status = vx_get32(m->u.status.status);
		break;
	case VX_MSG_GET_VQUEUE:
	case VX_MSG_RESET_VQUEUE:
		unpack_queue(m, response, out);
		break;
	case VX_MSG_SET_VQUEUE:
		out->index = vx_get16(m->u.set_queue.index);
		out->size = vx_get16(m->u.set_queue.size);
		out->port = vx_get32(m->u.set_queue.port);
		out->desc = vx_get64(m->u.set_queue.desc);
		out->driver = vx_get64(m->u.set_queue.driver);
		out->device = vx_get64(m->u.set_queue.device);
		break;
	case VX_MSG_SET_INFLIGHT:
		out->index = vx_get16(m->u.inflight.index);
		out->size = vx_get16(m->u.inflight.size);
		out->flags = vx_get32(m->u.inflight.flags);
		out->addr = vx_get64(m->u.inflight.addr);
		break;
	}
}

static bool has_feature(const u64 *words, unsigned int bit)
{
	return words[bit / 64] >> bit % 64 & 1;
}

/* ---- requests, as the backend sees them ---- */

static u16 check_features(const struct vx_parsed *r, const struct vx_device_view *d)
{
	if ((r->features[0] & ~d->offered[0]) || (r->features[1] & ~d->offered[1]) ||
	    !has_feature(r->features, VIRTIO_F_VERSION_1) ||
	    !has_feature(r->features, VIRTIO_F_ACCESS_PLATFORM))
		return VX_ERR_INVAL;
	if ((d->status & (VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)) !=
	    VIRTIO_CONFIG_S_DRIVER)
		return VX_ERR_STATE;
	return VX_ERR_NONE;
}

static u16 check_config(const struct vx_parsed *r, const struct vx_device_view *d)
{
	if (!r->length || r->length > VX_CONFIG_CHUNK || r->offset > d->config_size ||
	    r->length > d->config_size - r->offset ||
	    !all_zero(r->data + r->length, VX_CONFIG_CHUNK - r->length))
		return VX_ERR_INVAL;
	return d->status & VIRTIO_CONFIG_S_DRIVER ? VX_ERR_NONE : VX_ERR_STATE;
}

static u16 check_status(const struct vx_parsed *r, const struct vx_device_view *d)
{
	u32 held = d->status & ~(u32)VIRTIO_CONFIG_S_NEEDS_RESET;

	if (!r->status)		/* reset: always */
		return VX_ERR_NONE;
	if (r->status & ~(u32)STATUS_ALL || held & ~r->status)
		return VX_ERR_INVAL;
	if (r->status & VIRTIO_CONFIG_S_FEATURES_OK && !d->accepted[0])
		return VX_ERR_STATE;
	if (r->status & VIRTIO_CONFIG_S_DRIVER_OK && !(held & VIRTIO_CONFIG_S_FEATURES_OK))
		return VX_ERR_STATE;
	return VX_ERR_NONE;
}

static u16 check_set_queue(const struct vx_parsed *r, const struct vx_device_view *d)
{
	const struct vx_queue_view *q = &d->queue[r->index];
	bool packed = has_feature(d->accepted, VIRTIO_F_RING_PACKED);

	if (!(d->status & VIRTIO_CONFIG_S_FEATURES_OK) || q->enabled ||
	    (d->status & VIRTIO_CONFIG_S_DRIVER_OK &&
	     !has_feature(d->accepted, VIRTIO_F_RING_RESET)))
		return VX_ERR_STATE;
	if (!r->port || r->size > q->max_size ||
	    (q->inflight_size && q->inflight_size != r->size) ||
	    !vx_queue_ok(d->pool_pages, d->ro_pages, packed, r->size, r->desc, r->driver, r->device))
		return VX_ERR_INVAL;
	return VX_ERR_NONE;
}

static u16 check_inflight(const struct vx_parsed *r, const struct vx_device_view *d)
{
	const struct vx_queue_view *q = &d->queue[r->index];

	if (!(d->status & VIRTIO_CONFIG_S_FEATURES_OK) || q->enabled ||
	    has_feature(d->accepted, VIRTIO_F_RING_PACKED))
		return VX_ERR_STATE;
	if (r->flags & ~VX_INFLIGHT_RESUME || r->size > q->max_size ||
	    !vx_inflight_ok(d->pool_pages - d->ro_pages, r->size, r->addr))
		return VX_ERR_INVAL;
	return VX_ERR_NONE;
}

static u16 check_request(const struct vx_parsed *r, const struct vx_device_view *d)
{
	switch (r->id) {
	case VX_MSG_SET_FEATURES:
		return check_features(r, d);
	case VX_MSG_SET_CONFIG:
		return check_config(r, d);
	case VX_MSG_SET_DEVICE_STATUS:
		return check_status(r, d);
	case VX_MSG_GET_VQUEUE:
	case VX_MSG_SET_VQUEUE:
	case VX_MSG_RESET_VQUEUE:
	case VX_MSG_SET_INFLIGHT:
		if (r->index >= d->num_queues)
			return VX_ERR_INVAL;
		break;
	default:
		return VX_ERR_NONE;
	}
	if (r->id == VX_MSG_SET_VQUEUE)
		return check_set_queue(r, d);
	if (r->id == VX_MSG_SET_INFLIGHT)
		return check_inflight(r, d);
	if (r->id == VX_MSG_RESET_VQUEUE && (!d->queue[r->index].enabled ||
					     !has_feature(d->accepted, VIRTIO_F_RING_RESET)))
		return VX_ERR_STATE;
	return VX_ERR_NONE;
}

int vx_request_check(const struct vx_msg *m, u32 posted, const struct vx_device_view *d,
		     struct vx_parsed *out, u16 *error)
{
	int f;

	memset(out, 0, sizeof(*out));
	out->id = m->id;
	out->seq = vx_get32(m->seq);
	if (m->type != VX_MSG_REQUEST || m->error || !posted || out->seq != posted)
		return -EPROTO;
	f = format_of(m->id);
	if (f < 0) {
		*error = VX_ERR_UNKNOWN;
		return 0;
	}
	if (!all_zero(m->u.bytes + formats[f].request, sizeof(m->u.bytes) - formats[f].request)) {
		*error = VX_ERR_INVAL;
		return 0;
	}
	unpack(m, false, out);
	*error = check_request(out, d);
	return 0;
}

/* ---- responses, as the driver sees them ---- */

static bool response_ok(const struct vx_parsed *r, const struct vx_msg *sent,
			const struct vx_limits *l)
{
	switch (r->id) {
	case VX_MSG_GET_DEVICE_INFO:
		return r->device_id == l->device_id && r->vendor_id == l->vendor_id &&
		       r->num_queues && r->num_queues <= l->max_queues &&
		       r->config_size <= l->max_config && !(r->flags & ~VX_INFO_ALL);
	case VX_MSG_GET_FEATURES:
		return has_feature(r->features, VIRTIO_F_VERSION_1) &&
		       has_feature(r->features, VIRTIO_F_ACCESS_PLATFORM);
	case VX_MSG_GET_DEVICE_STATUS:
		return !(r->status & ~(u32)STATUS_ALL);
	case VX_MSG_SET_DEVICE_STATUS:
		/* Nothing that was not asked for; a reset is complete. */
		return !(r->status & ~(vx_get32(sent->u.status.status) |
				       (sent->u.status.status ? VIRTIO_CONFIG_S_NEEDS_RESET : 0)));
	case VX_MSG_GET_VQUEUE:
		return r->index == vx_get32(sent->u.queue.index) &&
		       r->max_size <= VX_MAX_QUEUE_SIZE && r->size <= r->max_size &&
		       !(r->flags & ~VX_QUEUE_ENABLED) &&
		       !r->size == !(r->flags & VX_QUEUE_ENABLED);
	default:
		return true;
	}
}

int vx_response_check(const struct vx_msg *m, const struct vx_msg *sent,
		      const struct vx_limits *limits, struct vx_parsed *out)
{
	int f = format_of(sent->id);
	u8 used;

	memset(out, 0, sizeof(*out));
	out->id = m->id;
	out->seq = vx_get32(m->seq);
	out->error = vx_get16(m->error);
	if (f < 0 || m->type != VX_MSG_RESPONSE || m->id != sent->id || m->seq != sent->seq ||
	    out->error > VX_ERR_MAX)
		return -EPROTO;
	used = out->error ? 0 : formats[f].response;
	if (!all_zero(m->u.bytes + used, sizeof(m->u.bytes) - used))
		return -EPROTO;
	if (out->error)
		return 0;
	if (used)
		unpack(m, true, out);
	return response_ok(out, sent, limits) ? 0 : -EPROTO;
}
