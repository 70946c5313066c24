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

static void vx_break(struct vx_device *vd)
{
	mutex_lock(&vd->child_lock);
	if (vd->child)
		virtio_break_device(&vd->child->vdev);
	mutex_unlock(&vd->child_lock);
}

/* No answer will come any more: nobody must wait for one. */
static void vx_gone(struct vx_device *vd)
{
	WRITE_ONCE(vd->lost, true);
	vx_call_end(vd);
	/* The work may be waiting for what the backend will not do any more. */
	queue_work(system_wq, &vd->fail_work);
	vx_break(vd);
}

/* Not while the guest is suspended: freezing waits for what the work does. */
void vx_wake(struct vx_device *vd)
{
	queue_work(system_freezable_wq, &vd->work);
}

/* Let go of everything; the backend may be closing, when it still answers, or gone. */
static void vx_down(struct vx_device *vd)
{
	cancel_delayed_work_sync(&vd->give_up);
	vd->stalled = false;
	vx_virtio_unrest(vd);
	if (READ_ONCE(vd->lost))
		vx_virtio_fail(vd);	/* also what a driver waits for while it probes */
	flush_work(&vd->add_work);
	if (READ_ONCE(vd->lost))
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
	if (vd->resuming) {
		vx_fail_later(vd, err, "%s", what);
		return;
	}
	/* Writes error/... in xenstore, logs, and sets Closing. */
	xenbus_dev_fatal(vd->xdev, err, "virtio-xenbus: %s", what);
	vx_gone(vd);
	vx_down(vd);
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

void vx_fail_later(struct vx_device *vd, int err, const char *fmt, ...)
{
	va_list ap;

	if (test_and_set_bit(0, &vd->finding))
		return;
	va_start(ap, fmt);
	vsnprintf(vd->why, sizeof(vd->why), fmt, ap);
	va_end(ap);
	vx_call_end(vd);
	smp_store_release(&vd->failed, err);
	vx_wake(vd);
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
	xenbus_switch_state(vd->xdev, XenbusStateInitialised);
}

static void vx_add_work(struct work_struct *work)
{
	struct vx_device *vd = container_of(work, struct vx_device, add_work);

	int ret = vx_virtio_add(vd);

	if (ret)
		vx_fail_later(vd, ret, "the virtio device cannot be registered");
}

/* A new device; the one from before the guest was suspended; or the one whose backend died. */
static int vx_device_up(struct vx_device *vd, const struct vx_parsed *info)
{
	if (vd->child && info->config_size != vd->config.size)
		return -ENODEV;
	if (vd->stalled && !vd->frozen && vx_virtio_can_rest(vd)) {
		int ret = vx_virtio_rest(vd);

		if (ret)
			return ret;
	}
	if (vd->stalled && !vd->frozen) {
		/* What is mapped was not cleared if the dead backend was to write all of it. */
		if (!(info->flags & VX_INFO_RESUME) ||
		    (vd->writes_all && !(info->flags & VX_INFO_WRITES_ALL)))
			return -EOPNOTSUPP;
		return vx_virtio_resume(vd);
	}
	vd->resumable = info->flags & VX_INFO_RESUME;
	vd->writes_all = info->flags & VX_INFO_WRITES_ALL;
	vx_config_begin(vd, info->config_size, false);
	if (vd->child)
		return vx_virtio_restore(vd);
	queue_work(system_freezable_wq, &vd->add_work);
	return 0;
}

/* The backend is there for which it stalled. */
static void vx_moves_again(struct vx_device *vd)
{
	cancel_delayed_work_sync(&vd->give_up);
	vd->stalled = vd->again = false;
}

static void vx_connected(struct vx_device *vd)
{
	struct vx_msg m = { .id = VX_MSG_GET_DEVICE_INFO };
	u32 value;
	const char *bad = vx_conn_check(vd, &value);
	bool was_stalled = vd->stalled;
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
	if (READ_ONCE(vd->finding) || (ret && READ_ONCE(vd->gone)))
		return;		/* the work is to run again, or the new state is being reported */
	if (ret == -EREMOTEIO && !vd->offer.limits.num_queues) {
		vx_fail(vd, ret, "the backend refused GET_DEVICE_INFO: error %u", info.error);
		return;
	}
	if (ret) {
		vx_fail(vd, ret, was_stalled ? "the new backend cannot go on where the old one stopped" :
			"the virtio device cannot be brought up");
		return;
	}
	if (was_stalled)
		dev_info(&vd->xdev->dev, "goes on with a new backend, %u requests in flight\n",
			 vd->in_flight);
	else
		dev_info(&vd->xdev->dev, "virtio device %u, %u queues, pool of %u KiB\n",
			 info.device_id, info.num_queues, vd->pages * (VX_PAGE_SIZE / 1024));
	xenbus_switch_state(vd->xdev, XenbusStateConnected);
	if (!was_stalled)
		return;
	vx_moves_again(vd);
	vx_virtio_kick_all(vd);
}

/* ---- going down ---- */

static void vx_closed(struct vx_device *vd)
{
	xenbus_switch_state(vd->xdev, XenbusStateClosing);
	vx_down(vd);
	xenbus_frontend_closed(vd->xdev);
}

/* The backend died, and nothing of the device can be kept. */
static void vx_anew(struct vx_device *vd, enum xenbus_state backend)
{
	dev_warn_ratelimited(&vd->xdev->dev, "backend was lost; beginning anew\n");
	vx_gone(vd);
	vx_down(vd);
	vd->again = false;
	xenbus_switch_state(vd->xdev, XenbusStateInitialising);
	if (backend == XenbusStateInitWait)
		vx_begin(vd);
}

static void vx_give_up(struct work_struct *work)
{
	struct vx_device *vd = container_of(to_delayed_work(work), struct vx_device, give_up);

	vd->again = true;
	vx_wake(vd);
}

/* Can the virtio device wait for another backend, with what is in flight or without? */
static bool vx_can_wait(struct vx_device *vd)
{
	if (!vd->child || vd->again)
		return false;
	/* It holds nothing of the old one any more. */
	if (vd->frozen)
		return true;
	if (!(vd->status & VIRTIO_CONFIG_S_DRIVER_OK))
		return false;
	return vx_virtio_can_rest(vd) ||
	       (vd->resumable && !virtio_has_feature(&vd->child->vdev, VIRTIO_F_RING_PACKED));
}

/* The first sign of it, in whatever state the backend is then. */
static void vx_stall(struct vx_device *vd)
{
	if (vd->stalled)
		return;
	dev_warn(&vd->xdev->dev, "backend was lost; waiting %u s for another\n", backend_timeout);
	vd->stalled = true;
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
	ret = vx_conn_again(vd);
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
 * set): its driver begins anew with the next one.  It does not let go before, since
 * processes ask it for statistics and can close it.  The network device stays; packets
 * on the way are lost, as packets are.  Is it still there?
 */
static bool vx_quiesce(struct vx_device *vd)
{
	vx_gone(vd);		/* who waits for an answer of the old one must not */
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

static void vx_backend_restarts(struct vx_device *vd, enum xenbus_state backend)
{
	bool stalls = vd->xdev->state == XenbusStateConnected || vd->stalled;

	if (!stalls && vx_same_instance(vd))
		return;		/* it has not yet seen that we are ready */
	if (!vx_can_wait(vd) ||
	    (!vd->stalled && !vd->frozen && vx_virtio_can_rest(vd) && !vx_quiesce(vd))) {
		vx_anew(vd, backend);
		return;
	}
	vx_stall(vd);
	if (backend != XenbusStateInitWait ||
	    (vd->xdev->state == XenbusStateInitialised && vx_same_instance(vd)))
		return;
	if (vd->frozen)
		vx_replace(vd);
	else
		vx_reconnect(vd);
}

static void vx_work(struct work_struct *work)
{
	struct vx_device *vd = container_of(work, struct vx_device, work);
	enum xenbus_state backend = READ_ONCE(vd->backend_state), own = vd->xdev->state;
	bool up = own == XenbusStateInitialised || own == XenbusStateConnected;

	if (READ_ONCE(vd->removing))
		return;
	if (smp_load_acquire(&vd->failed) && up) {
		vx_fail(vd, vd->failed, "%s", vd->why);
		return;
	}
	if (vd->stalled && vd->again) {
		dev_err(&vd->xdev->dev, "no new backend within %u s\n", backend_timeout);
		vx_gone(vd);
		vx_closed(vd);
		own = vd->xdev->state;
		up = false;
	}
	switch (backend) {
	case XenbusStateInitWait:
		if (own == XenbusStateInitialising)
			vx_begin(vd);
		else if (up)
			vx_backend_restarts(vd, backend);
		else if (own == XenbusStateClosed && vd->again)
			vx_anew(vd, backend);
		break;
	case XenbusStateInitialising:
	case XenbusStateInitialised:
		if (own == XenbusStateConnected || vd->stalled)
			vx_backend_restarts(vd, backend);
		break;
	case XenbusStateConnected:
		if (own == XenbusStateInitialised)
			vx_connected(vd);
		break;
	case XenbusStateClosing:
		/* One that died before it was to close answers nothing. */
		if (vd->stalled)
			vx_gone(vd);
		if (own != XenbusStateClosed)
			vx_closed(vd);
		break;
	case XenbusStateUnknown:
	case XenbusStateClosed:
		if (up) {
			dev_err(&vd->xdev->dev, "the backend is gone: its state is %d\n", backend);
			vx_gone(vd);
			vx_closed(vd);
		}
		break;
	default:
		break;
	}
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
		vx_gone(vd);
	} else if (served && state != XenbusStateConnected && state != XenbusStateClosing) {
		vx_call_end(vd);
		/* A driver that is beginning anew may wait for its first commands. */
		if (READ_ONCE(vd->frozen))
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
	if (READ_ONCE(vd->lost))
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
	vd->gone = true;
	dev_set_drvdata(&xdev->dev, vd);
	/* Bound again by hand: the backend waits for that. */
	if (xdev->state != XenbusStateInitialising)
		xenbus_switch_state(xdev, XenbusStateInitialising);
	return 0;
}

static void vx_remove(struct xenbus_device *xdev)
{
	struct vx_device *vd = dev_get_drvdata(&xdev->dev);

	WRITE_ONCE(vd->removing, true);
	/* Taken away by force: xenwatch, which we keep, would be needed to see the backend go. */
	if (!xenbus_exists(XBT_NIL, xdev->nodename, "state"))
		vx_gone(vd);
	cancel_work_sync(&vd->work);
	vx_down(vd);
	cancel_work_sync(&vd->work);	/* asked for meanwhile: it did nothing */
	cancel_work_sync(&vd->config_work);
	cancel_work_sync(&vd->fail_work);
	dev_set_drvdata(&xdev->dev, NULL);
	kfree(vd);
}

/*
 * Processes are still stopped: their requests, their looks at statistics, their closing
 * of a network card are not for a driver that has let go of its queues.  All devices
 * together do not wait for longer than this; who is not back by then comes by the work.
 */
static void vx_resume_now(struct vx_device *vd)
{
	static unsigned long end;

	if (!vx_resumes)
		end = jiffies + VX_RESUME_WAIT;
	vx_resumes = vd->resuming = true;
	vx_watch_begin(vd);
	while (vd->child && vd->frozen && !READ_ONCE(vd->failed) && time_before(jiffies, end)) {
		enum xenbus_state backend = READ_ONCE(vd->backend_state);

		if (backend == XenbusStateInitWait && vd->xdev->state == XenbusStateInitialising)
			vx_begin(vd);
		else if (backend == XenbusStateConnected && vd->xdev->state == XenbusStateInitialised)
			vx_connected(vd);
		else
			msleep(20);
	}
	vx_watch_end(vd);
	vd->resuming = false;
}

/*
 * After a restore all grants and ports are void, and xenbus has set our state to
 * Initialising.  The virtio device stays, frozen, until there is a connection.
 */
static int vx_resume(struct xenbus_device *xdev)
{
	struct vx_device *vd = dev_get_drvdata(&xdev->dev);
	int ret;

	if (vd->child && !vd->frozen) {
		/* Nothing was given back: its queues are of a backend that is no more. */
		vx_gone(vd);
		vx_down(vd);
	}
	vd->resting = vd->frozen;
	vx_conn_close(vd);
	WRITE_ONCE(vd->backend_state, XenbusStateUnknown);
	/* A suspend that failed half-way is told as a restore: the backend has to leave the old connection. */
	ret = xenbus_printf(XBT_NIL, xdev->nodename, "state", "%d", XenbusStateInitialising);
	if (!ret)
		vx_resume_now(vd);
	return ret;
}

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
