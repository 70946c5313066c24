// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A virtio device whose driver gives its queues back for a while: the guest is being
 * suspended, or the next backend cannot take the queues over.  docs/protocol.md,
 * sections 9 and 10.
 */
#include <linux/delay.h>
#include <linux/netdevice.h>
#include <linux/virtio_ids.h>
#ifdef VX_HAVE_NETDEV_RX_QUEUE_H
#include <net/netdev_rx_queue.h>
#endif

#include "vx.h"

/* How long a backend may take for a message that does nothing (ms); a toolstack waits 60 s for a guest. */
#define VX_FREEZE_ANSWER 10000

bool vx_resumes;

/* ---- the network device of a card, while its driver has no queues ---- */

#if defined(CONFIG_NET) && defined(CONFIG_SYSFS)
static struct net_device *vx_netdev(struct device *dev)
{
	return dev->class && !strcmp(dev->class->name, "net") ? to_net_dev(dev) : NULL;
}

static int vx_detach_netdev(struct device *dev, void *unused)
{
	if (vx_netdev(dev))
		netif_device_detach(vx_netdev(dev));
	return 0;
}

static int vx_hide_netdev(struct device *dev, void *hide)
{
	struct net_device *nd = vx_netdev(dev);

	for (u32 i = 0; nd && nd->sysfs_rx_queue_group && i < nd->real_num_rx_queues; i++)
		if (hide)
			sysfs_remove_group(&nd->_rx[i].kobj, nd->sysfs_rx_queue_group);
		else if (sysfs_create_group(&nd->_rx[i].kobj, nd->sysfs_rx_queue_group))
			netdev_warn(nd, "no files in sysfs for rx queue %u\n", i);
	return 0;
}
#else
static int vx_detach_netdev(struct device *dev, void *unused) { return 0; }
static int vx_hide_netdev(struct device *dev, void *hide) { return 0; }
#endif

void vx_virtio_detach(struct vx_device *vd)
{
	device_for_each_child(&vd->child->vdev.dev, NULL, vx_detach_netdev);
}

/* virtio-net's files of its receive queues look into what it frees: away with them, and with who reads them. */
static void vx_virtio_hide(struct vx_device *vd, bool hide)
{
	device_for_each_child(&vd->child->vdev.dev, hide ? vd : NULL, vx_hide_netdev);
}

/* ---- its queues ---- */

bool vx_can_quiesce(struct vx_device *vd)
{
#ifdef CONFIG_PM_SLEEP
	struct virtio_device *vdev = &vd->child->vdev;

	/* The others wait for their requests first. */
	return vdev->id.device == VIRTIO_ID_NET && vdev->dev.driver && drv_to_virtio(vdev->dev.driver)->freeze;
#else
	return false;
#endif
}

int vx_quiesce(struct vx_device *vd)
{
	enum vx_state before = vx_state(vd);
	int ret = -EOPNOTSUPP;

	/* Before its driver resets it, which is not to forget what was written. */
	if (!vx_set_state(vd, vx_state_after_quiesce(before)))
		return -EBUSY;
	vx_virtio_hide(vd, true);
#ifdef CONFIG_PM_SLEEP
	ret = virtio_device_freeze(&vd->child->vdev);
#endif
	if (!ret)
		return 0;
	vx_virtio_hide(vd, false);
	vx_set_state(vd, before);
	return ret;
}

/* Its driver begins with new queues.  The caller changes the state. */
static int vx_virtio_wake(struct vx_device *vd)
{
	int ret = -EOPNOTSUPP;

#ifdef CONFIG_PM_SLEEP
	ret = virtio_device_restore(&vd->child->vdev);
#endif
	if (!ret)
		vx_virtio_hide(vd, false);
	return ret;
}

/* It is live at once: from here on a lost backend must not break it, for the next one takes it over. */
static int vx_restart(struct vx_device *vd)
{
	int ret = vx_virtio_wake(vd);

	if (!ret)
		vx_set_state(vd, VX_LIVE);
	return ret;
}

int vx_virtio_restore(struct vx_device *vd)
{
	struct virtio_device *vdev = &vd->child->vdev;
	u64 offered = vx_ask_features(vd);

	if (vdev->id.device != vd->offer.limits.device_id || vdev->id.vendor != vd->offer.limits.vendor_id)
		return -ENODEV;
	if (vdev->features & ~offered) {
		dev_err(&vd->xdev->dev, "features %#llx in use are not offered any more\n",
			vdev->features & ~offered);
		return -ENODEV;
	}
	return vx_restart(vd);
}

void vx_prepare_removal(struct vx_device *vd)
{
	if (vx_conn_loopback(vd) || vx_virtio_wake(vd))
		dev_err(&vd->xdev->dev, "its driver cannot be brought up to be removed\n");
}

/* ---- suspend ---- */

#ifdef CONFIG_PM_SLEEP
/*
 * Called before the guest is suspended, while backend and xenstore still serve
 * it.  Not in xenbus' own suspend: a suspend that is cancelled (xl save -c) is
 * not told to xenbus drivers, but to this device's thaw.
 */
static int vx_freeze_drain(struct vx_device *vd)
{
	u32 begin = jiffies_to_msecs(jiffies), ended = vd->unmapped, last = begin;
	enum vx_drain next;

	do {
		u32 now = jiffies_to_msecs(jiffies);

		if (READ_ONCE(vd->unmapped) != ended) {
			ended = READ_ONCE(vd->unmapped);
			last = now;
		}
		next = vx_drain_next(vx_backend_now(vd), vx_link(vd), vx_dma_busy(vd), now - begin, now - last);
		if (next == VX_DRAIN_WAIT)
			msleep(20);
	} while (next == VX_DRAIN_WAIT);
	if (next == VX_DRAIN_LOST)
		dev_err(&vd->child->vdev.dev, "waits for its backend and cannot be suspended\n");
	else if (next == VX_DRAIN_LATE)
		dev_err(&vd->child->vdev.dev, "its backend has done nothing for 30 s: it cannot be suspended\n");
	return next == VX_DRAIN_DONE ? 0 : -EBUSY;
}

/* May its driver give its queues back, which cannot be ended any more once it has begun? */
static int vx_freeze_check(struct vx_device *vd)
{
	if (vd->child->vdev.id.device == VIRTIO_ID_BLOCK) {
		/* Its driver alone waits for requests; the queues of others are never empty. */
		int ret = vx_freeze_drain(vd);

		if (ret)
			return ret;
	} else if (vx_can_quiesce(vd) && vx_backend_now(vd) != XenbusStateConnected) {
		return 0;	/* it needs none */
	}
	/* The queues' reset is a message. */
	if (vx_link(vd) != VX_LINK_OPEN || vx_answers(vd, VX_FREEZE_ANSWER))
		return 0;
	dev_err(&vd->child->vdev.dev, "its backend does not answer: it cannot be suspended\n");
	return -EBUSY;
}

/*
 * From here on its driver waits without end, for requests and for commands, in the
 * thread in which xenbus would tell us of the backend.
 */
static int vx_freeze_watched(struct vx_device *vd)
{
	int ret;

	vx_watch_begin(vd, true);
	ret = vx_quiesce(vd);
	vx_watch_end(vd);
	return ret;
}

static int vx_freeze(struct device *dev)
{
	struct virtio_device *vdev = dev_to_virtio(dev);
	struct virtio_driver *drv = vdev->dev.driver ? drv_to_virtio(vdev->dev.driver) : NULL;
	struct vx_device *vd = to_vx(vdev);
	int ret;

	vx_resumes = false;
	/* Saved again before its backend came: a driver that gives back twice waits for ever. */
	if (vx_state_quiesced(vx_state(vd)))
		return 0;
	if (!vx_can_quiesce(vd) && (vx_state_lost(vx_state(vd)) || vx_link(vd) != VX_LINK_OPEN)) {
		/* What is in flight would be waited for, for ever. */
		dev_err(dev, "waits for its backend and cannot be suspended\n");
		return -EBUSY;
	}
	if (drv && !drv->freeze) {
		dev_err(dev, "%s cannot be suspended\n", drv->driver.name);
		return -EBUSY;
	}
	ret = drv ? vx_freeze_check(vd) : 0;
	return ret ? ret : vx_freeze_watched(vd);
}

/* The connection is as it was; a device that had lost its backend waits on. */
static int vx_thaw(struct device *dev)
{
	struct vx_device *vd = to_vx(dev_to_virtio(dev));
	int ret;

	if (vx_state(vd) != VX_SUSPENDED)
		return 0;
	vx_watch_begin(vd, false);
	ret = vx_restart(vd);
	vx_watch_end(vd);
	if (ret)
		vx_fail_later(vd, ret, "its driver cannot go on after a suspend that was cancelled");
	return ret;
}

/* There must be a new connection first: steps.c restores the device then. */
static int vx_restore(struct device *dev)
{
	return 0;
}

const struct dev_pm_ops vx_pm_ops = {
	.freeze = vx_freeze,
	.thaw = vx_thaw,
	.restore = vx_restore,
};
#endif
