// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio over XenBus: the frontend for the xenstore kinds "virtio" and
 * "virtio_disk", as a stock xl writes them:
 *
 *	disk   = [ "vdev=xvda,backendtype=standalone,specification=virtio,target=/dev/vg/guest" ]
 *	virtio = [ "type=virtio,device4,transport=mmio" ]
 *
 * The protocol is docs/protocol.md.  This file is the ring of states: section 4.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <xen/xen.h>

#include "vx.h"

static unsigned int backend_timeout = 60;
module_param(backend_timeout, uint, 0644);
MODULE_PARM_DESC(backend_timeout, "seconds that a device waits for a new backend when its own died (60)");

/* How long a guest that is restored keeps its processes stopped for its devices; and for one whose backend is there and does not answer. */
#define VX_RESUME_WAIT	(10 * HZ)
#define VX_RESUME_END	(60 * HZ)
bool vx_resumes;

/* ---- what the backend offers ---- */

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

/* *@node names the one that is wrong. */
static int vx_read_offer(struct vx_device *vd, struct vx_offer *o, const char **node)
{
	u32 oldest = 0, newest = 0;
	const struct { const char *node; u32 min, max; u32 *value; } t[] = {
		{ VX_NODE_VERSION_MIN, 1, VX_VERSION, &oldest },
		{ VX_NODE_VERSION_MAX, VX_VERSION, 65535, &newest },
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
	*node = VX_NODE_POOL_HINT_PAGES;
	if (o->pool_hint > o->pool_max)
		return -EINVAL;
	*node = VX_NODE_MEM_MODES;
	return vx_read_modes(vd);
}

/* ---- the ring of states ---- */

/* Remove the virtio device and the connection; the backend may be closing, when it still answers, or gone. */
static void vx_down(struct vx_device *vd)
{
	bool quiesced = vx_state_quiesced(vx_state(vd));

	cancel_delayed_work_sync(&vd->give_up);
	if (!vx_set_state(vd, VX_CLOSING))
		return;
	if (vd->child && quiesced)
		vx_prepare_removal(vd);
	if (vx_link_failed(vx_link(vd)))
		vx_virtio_fail(vd);	/* also what a driver waits for while it probes */
	flush_work(&vd->add_work);
	if (vx_link_failed(vx_link(vd)))
		vx_virtio_fail(vd);
	vx_virtio_del(vd);
	vx_conn_close(vd);
}

/* Our side is at fault or has found the other's: close this device, say why once. */
static __printf(3, 4) void vx_fail(struct vx_device *vd, int err, const char *fmt, ...)
{
	char what[VX_WHY];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	/* Removing a device may wait for what is still stopped then. */
	if (vx_state(vd) == VX_RESUMING) {
		vx_fail_later(vd, err, "%s", what);
		return;
	}
	/* Writes error/... in xenstore, logs, and sets Closing. */
	xenbus_dev_fatal(vd->xdev, err, "virtio-xenbus: %s", what);
	vx_lose(vd);
	vx_down(vd);
	vx_set_state(vd, VX_CLOSED);
	xenbus_frontend_closed(vd->xdev);
}

/* A node is wrong: say what it is. */
static void vx_fail_node(struct vx_device *vd, int err, const char *node)
{
	unsigned int len;
	char *text = xenbus_read(XBT_NIL, vd->xdev->otherend, node, &len);

	if (IS_ERR(text)) {
		vx_fail(vd, err, "the backend's %s is missing", node);
		return;
	}
	vx_fail(vd, err, "the backend's %s is '%*pEhp'", node, (int)min(len, 40u), text);
	kfree(text);
}

/* ---- coming up ---- */

static void vx_begin(struct vx_device *vd)
{
	const char *node;
	int ret = vx_read_offer(vd, &vd->offer, &node);

	if (ret) {
		vx_fail_node(vd, ret, node);
		return;
	}
	ret = vx_conn_open(vd);
	if (ret) {
		vx_fail(vd, ret, "no memory, grants or event channel for the connection");
		return;
	}
	if (vx_state(vd) == VX_WAITING)
		vx_set_state(vd, VX_CONNECTING);
	xenbus_switch_state(vd->xdev, XenbusStateInitialised);
}

static void vx_add_work(struct work_struct *work)
{
	struct vx_device *vd = container_of(work, struct vx_device, add_work);

	int ret = vx_virtio_add(vd);

	if (ret)
		vx_fail_later(vd, ret, "the virtio device cannot be registered");
}

/* With its queues as they are. */
static int vx_device_take_over(struct vx_device *vd, const struct vx_parsed *info)
{
	/* What is mapped was not cleared if the dead backend was to write all of it. */
	if (!(info->flags & VX_INFO_RESUME) || (vd->writes_all && !(info->flags & VX_INFO_WRITES_ALL)))
		return -EOPNOTSUPP;
	return vx_virtio_resume(vd);
}

/* A new device; the one from before the guest was suspended; or the one whose backend died. */
static int vx_device_up(struct vx_device *vd, const struct vx_parsed *info)
{
	if (vd->child && info->config_size != vd->config.size)
		return -ENODEV;
	if (vx_state(vd) == VX_RECONNECTING) {
		int ret;

		if (!vx_can_quiesce(vd))
			return vx_device_take_over(vd, info);
		ret = vx_quiesce(vd);
		if (ret)
			return ret;
	}
	vd->resumable = info->flags & VX_INFO_RESUME;
	vd->writes_all = info->flags & VX_INFO_WRITES_ALL;
	vx_config_begin(vd, info->config_size, false);
	if (vd->child)
		return vx_virtio_restore(vd);
	queue_work(system_freezable_wq, &vd->add_work);
	return 0;
}

static void vx_connected(struct vx_device *vd)
{
	struct vx_msg m = { .id = VX_MSG_GET_DEVICE_INFO };
	u32 value;
	const char *bad = vx_conn_check(vd, &value);
	bool was_lost = vx_state_lost(vx_state(vd));
	struct vx_parsed info;
	int ret;

	if (bad) {
		vx_fail(vd, -EPROTO, "the control page's %s is 0x%x", bad, value);
		return;
	}
	ret = vx_call(vd, &m, &info);
	if (!ret) {
		vd->offer.limits.num_queues = info.num_queues;
		ret = vx_device_up(vd, &info);
	}
	if (READ_ONCE(vd->finding) || (ret && vx_link(vd) != VX_LINK_OPEN))
		return;		/* the work is to run again, or the new state is being reported */
	if (ret == -EREMOTEIO && !vd->offer.limits.num_queues) {
		vx_fail(vd, ret, "the backend refused GET_DEVICE_INFO: error %u", info.error);
		return;
	}
	if (ret) {
		vx_fail(vd, ret, was_lost ? "the new backend cannot go on where the old one stopped" :
			"the virtio device cannot be brought up");
		return;
	}
	if (was_lost)
		dev_info(&vd->xdev->dev, "goes on with a new backend, %u requests in flight\n",
			 vd->in_flight);
	else
		dev_info(&vd->xdev->dev, "virtio device %u, %u queues, pool of %u KiB\n",
			 info.device_id, info.num_queues, vd->pages * (VX_PAGE_SIZE / 1024));
	vx_set_state(vd, VX_LIVE);
	xenbus_switch_state(vd->xdev, XenbusStateConnected);
	if (!was_lost)
		return;
	cancel_delayed_work_sync(&vd->give_up);
	vx_virtio_kick_all(vd);
}

/* ---- going down ---- */

static void vx_close(struct vx_device *vd, enum vx_state to)
{
	xenbus_switch_state(vd->xdev, XenbusStateClosing);
	vx_down(vd);
	vx_set_state(vd, to);
	xenbus_frontend_closed(vd->xdev);
}

/* Nothing of the device can be kept, or there is none any more. */
static void vx_reinitialise(struct vx_device *vd, enum xenbus_state backend)
{
	dev_warn_ratelimited(&vd->xdev->dev, "backend was lost; reinitialising\n");
	if (vx_state(vd) != VX_EXPIRED) {
		vx_lose(vd);
		vx_down(vd);
	}
	vx_set_state(vd, VX_WAITING);
	xenbus_switch_state(vd->xdev, XenbusStateInitialising);
	if (backend == XenbusStateInitWait)
		vx_begin(vd);
}

static void vx_give_up(struct work_struct *work)
{
	vx_wake(container_of(to_delayed_work(work), struct vx_device, give_up));
}

/* Can the virtio device wait for another backend, with what is in flight or without? */
static bool vx_can_wait(struct vx_device *vd)
{
	if (!vd->child)
		return false;
	/* It holds nothing of the old one any more. */
	if (vx_state_quiesced(vx_state(vd)))
		return true;
	/* Lost: requests have been failed that the next one would find in flight. */
	if (!(vd->status & VIRTIO_CONFIG_S_DRIVER_OK) || vx_link_failed(vx_link(vd)))
		return false;
	return vx_can_quiesce(vd) ||
	       (vd->resumable && !virtio_has_feature(&vd->child->vdev, VIRTIO_F_RING_PACKED));
}

/* The first sign of it, in whatever state the backend is then. */
static void vx_wait_for_another(struct vx_device *vd)
{
	enum vx_state to = vx_state_after_loss(vx_state(vd));

	if (vx_state_lost(vx_state(vd)) || !vx_set_state(vd, to))
		return;
	dev_warn(&vd->xdev->dev, "backend was lost; waiting %u s for another\n", backend_timeout);
	vd->deadline = jiffies + backend_timeout * HZ;
	queue_delayed_work(system_freezable_wq, &vd->give_up, backend_timeout * HZ);
}

/* The same connection, as far as we are concerned, with another backend. */
static void vx_reconnect(struct vx_device *vd)
{
	struct vx_offer now;
	const char *node;
	int ret = vx_read_offer(vd, &now, &node);

	if (ret) {
		vx_fail_node(vd, ret, node);
		return;
	}
	if (now.limits.device_id != vd->offer.limits.device_id ||
	    now.limits.vendor_id != vd->offer.limits.vendor_id ||
	    now.limits.max_queues < vd->offer.limits.num_queues || now.pool_max < vd->pages ||
	    now.limits.max_config < vd->config.size) {
		vx_fail(vd, -ENODEV, "the new backend has another device");
		return;
	}
	vd->offer = now;
	ret = vx_conn_reconnect(vd);
	if (ret)
		vx_fail(vd, ret, "xenstore");
	else
		xenbus_switch_state(vd->xdev, XenbusStateInitialised);
}

/* As before, but on a connection that is new. */
static void vx_replace(struct vx_device *vd)
{
	vx_conn_close(vd);
	xenbus_switch_state(vd->xdev, XenbusStateInitialising);
	vx_begin(vd);
}

/*
 * A device whose state the backend alone had (what virtio-net's control queue has
 * set): its driver reinitialises it with the next one.  It does not give its queues
 * back before, since processes ask it for statistics and can close it.  The network
 * device stays; packets on the way are lost, as packets are.  Is it still there?
 */
static bool vx_detach(struct vx_device *vd)
{
	/* Who waits for an answer of the old one must not. */
	vx_set_link(vd, VX_LINK_SILENT);
	vx_break(vd);
	flush_work(&vd->add_work);
	if (vd->child)
		vx_virtio_detach(vd);
	return vd->child;
}

/* Is what we connect to still the backend that is there? */
static bool vx_same_instance(struct vx_device *vd)
{
	u32 now;

	return !vx_read_u32(vd, VX_NODE_INSTANCE, 1, U32_MAX, &now) && now == vd->offer.instance;
}

/* ---- the ring of states: section 4.1 ---- */

static void vx_backend_restarted(struct vx_device *vd, const struct vx_view *v)
{
	enum vx_step step = vx_restart_step(v, vx_same_instance(vd), vx_can_wait(vd));

	if (step == VX_STEP_NOTHING)
		return;
	if (step == VX_STEP_REINITIALISE ||
	    (v->state == VX_LIVE && vx_can_quiesce(vd) && !vx_detach(vd))) {
		vx_reinitialise(vd, v->backend);
		return;
	}
	vx_wait_for_another(vd);
	if (step == VX_STEP_RECONNECT)
		vx_reconnect(vd);
	else if (step == VX_STEP_REPLACE)
		vx_replace(vd);
}

static void vx_expire(struct vx_device *vd)
{
	dev_err(&vd->xdev->dev, "no new backend within %u s\n", backend_timeout);
	vx_lose(vd);
	vx_close(vd, VX_EXPIRED);
	vx_wake(vd);	/* there may be one now */
}

static void vx_do_step(struct vx_device *vd, const struct vx_view *v)
{
	switch (vx_next_step(v)) {
	case VX_STEP_BEGIN:
		vx_begin(vd);
		break;
	case VX_STEP_CONNECT:
		vx_connected(vd);
		break;
	case VX_STEP_RESTARTED:
		vx_backend_restarted(vd, v);
		break;
	case VX_STEP_CLOSE:
		/* One that died before it was to close answers nothing. */
		if (vx_state_lost(v->state))
			vx_lose(vd);
		vx_close(vd, VX_CLOSED);
		break;
	case VX_STEP_GONE:
		dev_err(&vd->xdev->dev, "the backend is gone: its state is %d\n", v->backend);
		vx_lose(vd);
		vx_close(vd, VX_CLOSED);
		break;
	case VX_STEP_FAIL:
		vx_fail(vd, vd->failed, "%s", vd->why);
		break;
	case VX_STEP_EXPIRE:
		vx_expire(vd);
		break;
	case VX_STEP_REINITIALISE:
		vx_reinitialise(vd, v->backend);
		break;
	default:
		break;
	}
}

static void vx_work(struct work_struct *work)
{
	struct vx_device *vd = container_of(work, struct vx_device, work);
	struct vx_view v;

	mutex_lock(&vd->step_lock);
	v.failed = smp_load_acquire(&vd->failed);
	v.state = vx_state(vd);
	v.own = vd->xdev->state;
	v.backend = READ_ONCE(vd->backend_state);
	v.expired = vx_state_lost(v.state) && time_after_eq(jiffies, vd->deadline);
	vx_do_step(vd, &v);
	mutex_unlock(&vd->step_lock);
}

/* Also when the device is being closed: its driver waits for an answer to its reset. */
static void vx_otherend_changed(struct xenbus_device *xdev, enum xenbus_state state)
{
	struct vx_device *vd = dev_get_drvdata(&xdev->dev);
	enum xenbus_state before = READ_ONCE(vd->backend_state);
	bool served = before == XenbusStateConnected || before == XenbusStateClosing;

	if (state > XenbusStateClosed)	/* none of this protocol */
		state = XenbusStateUnknown;
	WRITE_ONCE(vd->backend_state, state);
	/* Here and not in the work, which may be what waits for an answer. */
	if (served && (state == XenbusStateClosed || state == XenbusStateUnknown)) {
		vx_lose(vd);
	} else if (served && state != XenbusStateConnected && state != XenbusStateClosing) {
		vx_set_link(vd, VX_LINK_SILENT);
		/* A driver that begins with new queues may wait for its first commands. */
		if (vx_state_quiesced(vx_state(vd)))
			vx_break(vd);
	}
	vx_wake(vd);
}

static void vx_config_work(struct work_struct *work)
{
	struct vx_device *vd = container_of(work, struct vx_device, config_work);

	spin_lock(&vd->config_lock);
	vx_config_keep(&vd->config);
	spin_unlock(&vd->config_lock);
	mutex_lock(&vd->child_lock);
	if (vd->child)
		virtio_config_changed(&vd->child->vdev);
	mutex_unlock(&vd->child_lock);
}

static void vx_fail_work(struct work_struct *work)
{
	struct vx_device *vd = container_of(work, struct vx_device, fail_work);

	mutex_lock(&vd->child_lock);
	if (vx_link_failed(vx_link(vd)))
		vx_virtio_fail(vd);
	mutex_unlock(&vd->child_lock);
}

/* In the place of xenwatch, which would tell us of the backend's states, but is what resumes the guest. */
static void vx_watch(struct work_struct *work)
{
	struct vx_device *vd = container_of(to_delayed_work(work), struct vx_device, watch);
	u32 state = XenbusStateUnknown;

	vx_read_u32(vd, "state", XenbusStateInitialising, XenbusStateClosed, &state);
	vx_otherend_changed(vd->xdev, state);
	if (time_after(jiffies, vd->watch_end)) {
		vx_fail_later(vd, -ETIMEDOUT, "the backend does not answer while the guest is restored");
		vx_break(vd);	/* virtio-net waits for its commands without end */
		return;
	}
	queue_delayed_work(system_wq, &vd->watch, HZ / 20);
}

void vx_watch_begin(struct vx_device *vd)
{
	vd->watch_end = jiffies + VX_RESUME_END;
	queue_delayed_work(system_wq, &vd->watch, 0);
}

void vx_watch_end(struct vx_device *vd)
{
	cancel_delayed_work_sync(&vd->watch);
}

/* ---- driver ---- */

static int vx_probe(struct xenbus_device *xdev, const struct xenbus_device_id *id)
{
	struct vx_device *vd = kzalloc(sizeof(*vd), GFP_KERNEL);

	BUILD_BUG_ON(PAGE_SIZE != VX_PAGE_SIZE);
	if (!vd)
		return -ENOMEM;
	vd->xdev = xdev;
	mutex_init(&vd->step_lock);
	spin_lock_init(&vd->state_lock);
	mutex_init(&vd->call_lock);
	mutex_init(&vd->written_lock);
	spin_lock_init(&vd->config_lock);
	mutex_init(&vd->child_lock);
	mutex_init(&vd->queues_lock);
	spin_lock_init(&vd->pool_lock);
	INIT_LIST_HEAD(&vd->queues);
	init_waitqueue_head(&vd->answer);
	INIT_WORK(&vd->work, vx_work);
	INIT_WORK(&vd->add_work, vx_add_work);
	INIT_WORK(&vd->config_work, vx_config_work);
	INIT_WORK(&vd->fail_work, vx_fail_work);
	INIT_DELAYED_WORK(&vd->give_up, vx_give_up);
	INIT_DELAYED_WORK(&vd->watch, vx_watch);
	dev_set_drvdata(&xdev->dev, vd);
	/* Bound again by hand: the backend waits for that. */
	if (xdev->state != XenbusStateInitialising)
		xenbus_switch_state(xdev, XenbusStateInitialising);
	return 0;
}

static void vx_remove(struct xenbus_device *xdev)
{
	struct vx_device *vd = dev_get_drvdata(&xdev->dev);

	/* Taken away by force: xenwatch, which we keep, would be needed to see the backend go. */
	if (!xenbus_exists(XBT_NIL, xdev->nodename, "state"))
		vx_lose(vd);
	mutex_lock(&vd->step_lock);
	if (!vx_state_closed(vx_state(vd)))
		vx_down(vd);
	vx_set_state(vd, VX_REMOVED);
	mutex_unlock(&vd->step_lock);
	cancel_work_sync(&vd->work);	/* asked for meanwhile: it does nothing */
	cancel_work_sync(&vd->config_work);
	cancel_work_sync(&vd->fail_work);
	dev_set_drvdata(&xdev->dev, NULL);
	kfree(vd);
}

/*
 * Processes are still stopped: their requests, their looks at statistics, their closing
 * of a network card are not for a driver that has given its queues back.  All devices
 * together do not wait for longer than this; who is not back by then comes by the work.
 */
static void vx_resume_now(struct vx_device *vd)
{
	static unsigned long end;

	if (!vx_resumes)
		end = jiffies + VX_RESUME_WAIT;
	vx_resumes = true;
	if (vx_state(vd) != VX_RESTORING)
		return;
	vx_set_state(vd, VX_RESUMING);
	vx_watch_begin(vd);
	while (vx_state(vd) == VX_RESUMING && !READ_ONCE(vd->failed) && time_before(jiffies, end)) {
		enum xenbus_state backend = READ_ONCE(vd->backend_state);

		if (backend == XenbusStateInitWait && vd->xdev->state == XenbusStateInitialising)
			vx_begin(vd);
		else if (backend == XenbusStateConnected && vd->xdev->state == XenbusStateInitialised)
			vx_connected(vd);
		else
			msleep(20);
	}
	vx_watch_end(vd);
	if (vx_state(vd) == VX_RESUMING)
		vx_set_state(vd, VX_RESTORING);
}

/*
 * After a restore all grants and ports are void, and xenbus has set our state to
 * Initialising.  The virtio device stays, quiesced, until there is a connection.
 */
static int vx_resume(struct xenbus_device *xdev)
{
	struct vx_device *vd = dev_get_drvdata(&xdev->dev);
	int ret;

	if (vd->child && !vx_state_quiesced(vx_state(vd))) {
		/* Nothing was given back: its queues are of a backend that is no more. */
		vx_lose(vd);
		vx_down(vd);
	}
	cancel_delayed_work_sync(&vd->give_up);
	vx_conn_close(vd);
	vx_set_state(vd, vd->child ? VX_RESTORING : VX_WAITING);
	WRITE_ONCE(vd->backend_state, XenbusStateUnknown);
	/* A suspend that failed half-way is told as a restore: the backend has to leave the old connection. */
	ret = xenbus_printf(XBT_NIL, xdev->nodename, "state", "%d", XenbusStateInitialising);
	if (!ret)
		vx_resume_now(vd);
	return ret;
}

/* Called "driver_": the bus has a "state", the XenBus state of this side. */
static ssize_t driver_state_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", vx_state_name(vx_state(dev_get_drvdata(dev))));
}
static DEVICE_ATTR_RO(driver_state);

static ssize_t driver_link_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%s\n", vx_link_name(vx_link(dev_get_drvdata(dev))));
}
static DEVICE_ATTR_RO(driver_link);

static struct attribute *vx_attrs[] = {
	&dev_attr_driver_state.attr,
	&dev_attr_driver_link.attr,
	NULL
};
ATTRIBUTE_GROUPS(vx);

static const struct xenbus_device_id vx_ids[] = {
	{ "virtio" },
	{ "virtio_disk" },
	{ "" }
};
MODULE_ALIAS("xen:virtio");
MODULE_ALIAS("xen:virtio_disk");

static struct xenbus_driver vx_driver = {
	.name = "virtio_xenbus",
	.ids = vx_ids,
	.driver.dev_groups = vx_groups,	/* taken away before vx_remove() */
	.probe = vx_probe,
	.remove = vx_remove,
	.resume = vx_resume,
	.otherend_changed = vx_otherend_changed,
};

static int __init vx_init(void)
{
	return xen_domain() ? xenbus_register_frontend(&vx_driver) : -ENODEV;
}
module_init(vx_init);

static void __exit vx_exit(void)
{
	xenbus_unregister_driver(&vx_driver);
}
module_exit(vx_exit);

MODULE_DESCRIPTION("virtio devices over XenBus");
MODULE_LICENSE("GPL");
#ifdef VX_MODULE_VERSION
MODULE_VERSION(VX_MODULE_VERSION);
#endif
