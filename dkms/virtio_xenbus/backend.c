// SPDX-License-Identifier: GPL-2.0-or-later
/* What the backend says in xenstore: its nodes and its state.  docs/protocol.md, section 3. */
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/virtio_ids.h>

#include "vx.h"

static unsigned int oldest_version = VX_VERSION_OLDEST;
module_param(oldest_version, uint, 0444);
MODULE_PARM_DESC(oldest_version, "oldest version of the protocol that a backend may speak (1); 2: not without rings that it can only read");

/* How long a backend that is there and does not answer is waited for while the guest is restored, and suspended: a toolstack waits 60 s for that. */
#define VX_RESUME_END	(60 * HZ)
#define VX_FREEZE_END	(30 * HZ)

/* ---- what it offers ---- */

static int vx_read_u32(struct vx_device *vd, const char *node, u32 min, u32 max, u32 *value)
{
	unsigned int len;
	char *text = xenbus_read(XBT_NIL, vd->xdev->otherend, node, &len);
	int ret = -EINVAL;

	if (IS_ERR(text))
		return PTR_ERR(text);
	if (strlen(text) == len)
		ret = vx_parse_u32(text, min, max, value);
	kfree(text);
	return ret;
}

static int vx_read_modes(struct vx_device *vd)
{
	unsigned int len;
	char *text = xenbus_read(XBT_NIL, vd->xdev->otherend, VX_NODE_MEM_MODES, &len);
	bool has;

	if (IS_ERR(text))
		return PTR_ERR(text);
	has = strlen(text) == len && vx_list_has(text, VX_MEM_MODE_POOL);
	kfree(text);
	return has ? 0 : -EINVAL;
}

int vx_read_offer(struct vx_device *vd, struct vx_offer *o, const char **node)
{
	const struct { const char *node; u32 min, max; u32 *value; } t[] = {
		{ VX_NODE_VERSION_MIN, 1, VX_VERSION, &o->oldest },
		{ VX_NODE_VERSION_MAX, max(oldest_version, 1u), 65535, &o->newest },
		{ VX_NODE_INSTANCE, 1, U32_MAX, &o->instance },
		{ VX_NODE_DEVICE_ID, 1, 65535, &o->limits.device_id },
		{ VX_NODE_VENDOR_ID, 0, U32_MAX, &o->limits.vendor_id },
		{ VX_NODE_MAX_QUEUES, 1, VX_MAX_QUEUES, &o->limits.max_queues },
		{ VX_NODE_MAX_CONFIG, 0, VX_MAX_CONFIG, &o->limits.max_config },
		{ VX_NODE_POOL_MAX_PAGES, VX_POOL_MIN_PAGES, VX_POOL_MAX_PAGES, &o->pool_max },
		{ VX_NODE_POOL_HINT_PAGES, 0, VX_POOL_MAX_PAGES, &o->pool_hint },
	};

	memset(o, 0, sizeof(*o));
	for (unsigned int i = 0; i < ARRAY_SIZE(t); i++) {
		int ret = vx_read_u32(vd, t[i].node, t[i].min, t[i].max, t[i].value);

		*node = t[i].node;
		if (ret)
			return ret;
	}
	*node = VX_NODE_VERSION_MIN;
	o->version = vx_version_choose(o->oldest, o->newest, oldest_version);
	if (!o->version)
		return -EINVAL;
	*node = VX_NODE_POOL_HINT_PAGES;
	if (o->pool_hint > o->pool_max)
		return -EINVAL;
	*node = VX_NODE_MEM_MODES;
	return vx_read_modes(vd);
}

bool vx_same_instance(struct vx_device *vd)
{
	u32 now;

	return !vx_read_u32(vd, VX_NODE_INSTANCE, 1, U32_MAX, &now) && now == vd->offer.instance;
}

/* ---- its state ---- */

/* Also when the device is being closed: its driver waits for an answer to its reset. */
void vx_otherend_changed(struct xenbus_device *xdev, enum xenbus_state state)
{
	struct vx_device *vd = dev_get_drvdata(&xdev->dev);
	enum xenbus_state before = READ_ONCE(vd->backend_state);
	bool served = before == XenbusStateConnected || before == XenbusStateClosing;

	if (state > XenbusStateClosed)	/* not a state of this protocol */
		state = XenbusStateUnknown;
	WRITE_ONCE(vd->backend_state, state);
	if (state != before)
		dev_dbg(&xdev->dev, "backend: XenBus state %d -> %d\n", before, state);
	/* Here and not in the work, which may be what waits for an answer. */
	if (served && (state == XenbusStateClosed || state == XenbusStateUnknown)) {
		vx_lose(vd);
	} else if (served && state != XenbusStateConnected && state != XenbusStateClosing) {
		vx_set_link(vd, VX_LINK_SILENT);
		/* A disk's suspend waits for what is in flight, and is not to wait for the next backend. */
		if (READ_ONCE(vd->freezing) && vd->offer.limits.device_id == VIRTIO_ID_BLOCK)
			vx_lose(vd);
		/* A driver that begins with new queues may wait for its first commands. */
		else if (vx_state_quiesced(vx_state(vd)))
			vx_break(vd);
	}
	vx_wake(vd);
}

enum xenbus_state vx_backend_now(struct vx_device *vd)
{
	u32 state = XenbusStateUnknown;

	vx_read_u32(vd, "state", XenbusStateInitialising, XenbusStateClosed, &state);
	return state;
}

/* In the place of xenwatch, which would tell us of the backend's states, but is what suspends and resumes the guest. */
void vx_watch(struct work_struct *work)
{
	struct vx_device *vd = container_of(to_delayed_work(work), struct vx_device, watch);
	unsigned int noio = memalloc_noio_save();

	vx_otherend_changed(vd->xdev, vx_backend_now(vd));
	if (time_after(jiffies, vd->watch_end)) {
		vx_fail_later(vd, -ETIMEDOUT, "the backend does not answer while the guest is %s",
			      vd->freezing ? "suspended" : "restored");
		if (vd->freezing)
			vx_lose(vd);
		else
			vx_break(vd);	/* virtio-net waits for its commands without end */
	} else {
		queue_delayed_work(vx_wq, &vd->watch, HZ / 20);
	}
	memalloc_noio_restore(noio);
}

void vx_watch_begin(struct vx_device *vd, bool freezing)
{
	vd->watch_end = jiffies + (freezing ? VX_FREEZE_END : VX_RESUME_END);
	WRITE_ONCE(vd->freezing, freezing);
	queue_delayed_work(vx_wq, &vd->watch, 0);
}

void vx_watch_end(struct vx_device *vd)
{
	cancel_delayed_work_sync(&vd->watch);
	WRITE_ONCE(vd->freezing, false);
}
