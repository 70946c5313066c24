// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The steps of a device from one state to the next: docs/protocol.md, section 4.1.
 * Which one is to be done says state.c.
 */
#include <linux/delay.h>
#include <linux/module.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>

#include "vx.h"

static unsigned int backend_timeout = 60;
module_param(backend_timeout, uint, 0644);
MODULE_PARM_DESC(backend_timeout, "seconds that a device waits for a new backend when its own died (60)");

/* Connections that are offered at once, and after how long another may be: less than any backend_timeout that makes sense. */
#define VX_OFFERS_BURST	16
#define VX_OFFERS_MS	4000
/* How often it is looked whether the last pool is released, and when that is worth a line. */
#define VX_HELD_MS	200
#define VX_HELD_LINE	(10 * HZ)

/* How long a guest that is restored keeps its processes stopped for its devices. */
#define VX_RESUME_WAIT	(10 * HZ)

/* Remove the virtio device and the connection; the backend may be closing, when it still answers, or gone. */
void vx_down(struct vx_device *vd)
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

void vx_retry(struct work_struct *work)
{
	vx_wake(container_of(to_delayed_work(work), struct vx_device, retry));
}

/*
 * A backend that comes and goes must not have a pool each time, nor a line in the log:
 * not before the one before is released, and not too often.
 */
static bool vx_may_offer(struct vx_device *vd, bool anew)
{
	u32 wait = VX_HELD_MS;

	if (anew && vx_conn_held(vd)) {
		if (time_after(jiffies, vd->old_since + VX_HELD_LINE) && !test_and_set_bit(VX_TOLD_HELD, &vd->told))
			dev_warn(&vd->xdev->dev, "the last backend still maps its pool; there is no other before\n");
	} else {
		wait = vx_pace(&vd->offers, ktime_to_ms(ktime_get()), VX_OFFERS_BURST, VX_OFFERS_MS);
		if (!wait)
			return true;
		if (!test_and_set_bit(VX_TOLD_OFFERS, &vd->told))
			dev_warn(&vd->xdev->dev, "backends come and go too often; one every %u s\n", VX_OFFERS_MS / 1000);
	}
	queue_delayed_work(vd->wq, &vd->retry, msecs_to_jiffies(wait));
	return false;
}

static void vx_begin(struct vx_device *vd)
{
	const char *node;
	int ret;

	if (!vx_may_offer(vd, true))
		return;
	ret = vx_read_offer(vd, &vd->offer, &node);
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
	const char *bad = vx_ctrl_check(vd, &value);
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

/* Nothing of the device can be kept, or it was removed before. */
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

void vx_give_up(struct work_struct *work)
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
	queue_delayed_work(vd->wq, &vd->give_up, backend_timeout * HZ);
}

/* The same connection, as far as we are concerned, with another backend. */
static void vx_reconnect(struct vx_device *vd)
{
	struct vx_offer now;
	const char *node;
	int ret;

	if (!vx_may_offer(vd, false))
		return;
	ret = vx_read_offer(vd, &now, &node);
	if (ret) {
		vx_fail_node(vd, ret, node);
		return;
	}
	if (now.limits.device_id != vd->offer.limits.device_id ||
	    now.limits.vendor_id != vd->offer.limits.vendor_id ||
	    now.limits.max_queues < vd->offer.limits.num_queues || now.pool_max < vd->pages ||
	    now.limits.max_config < vd->config.size ||
	    vd->offer.version < now.oldest || vd->offer.version > now.newest) {
		vx_fail(vd, -ENODEV, "the new backend has another device");
		return;
	}
	now.version = vd->offer.version;	/* as the pool was made */
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

/* ---- the next step ---- */

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

void vx_work(struct work_struct *work)
{
	struct vx_device *vd = container_of(work, struct vx_device, work);
	/* What is written to free memory may wait for this device. */
	unsigned int noio = memalloc_noio_save();
	struct vx_view v;

	mutex_lock(&vd->step_lock);
	v.failed = smp_load_acquire(&vd->failed);
	v.state = vx_state(vd);
	v.own = vd->xdev->state;
	v.backend = READ_ONCE(vd->backend_state);
	v.expired = vx_state_lost(v.state) && time_after_eq(jiffies, vd->deadline);
	vx_do_step(vd, &v);
	mutex_unlock(&vd->step_lock);
	memalloc_noio_restore(noio);
}

/* ---- the guest is restored ---- */

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
	vx_watch_begin(vd, false);
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
int vx_resume(struct xenbus_device *xdev)
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
