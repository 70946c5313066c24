// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The virtio device on top of a connection: configuration, status, features and
 * virtqueues.  docs/protocol.md, sections 5.4 and 7 to 9.
 */
#include <linux/delay.h>
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <xen/events.h>
#ifdef VX_HAVE_NETDEV_RX_QUEUE_H
#include <net/netdev_rx_queue.h>
#endif

#include "vx.h"

static unsigned int queue_size = 256;
module_param(queue_size, uint, 0444);
MODULE_PARM_DESC(queue_size, "most descriptors of a virtqueue (256)");

/* Bits of the transport that are ours to take or leave (12). */
#define VX_TRANSPORT_BITS (BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) | \
			   BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) | \
			   BIT_ULL(VIRTIO_F_RING_PACKED))

static struct vx_device *to_vx(struct virtio_device *vdev)
{
	return container_of(vdev, struct vx_child, vdev)->vd;
}

/* A message of the device's driver failed: what it does next must not reach the backend. */
int vx_tell(struct vx_device *vd, struct vx_msg *m, struct vx_parsed *out, const char *what)
{
	int ret = vx_call(vd, m, out);

	if (ret == -EREMOTEIO)
		dev_err(&vd->xdev->dev, "the backend refused %s: error %u\n", what, out->error);
	return ret;
}

/* ---- configuration ---- */

/* Without a connection, or when it will not finish its change any more: what was known last.  @last: wait no longer. */
static bool vx_config_try(struct vx_device *vd, unsigned int offset, void *buf, unsigned int len, bool last)
{
	bool done, gone;

	spin_lock(&vd->config_lock);
	gone = vx_link(vd) != VX_LINK_OPEN;
	done = !vx_config_read(&vd->config, offset, buf, len);
	if (!done && last && !gone)
		vx_fail_later(vd, -EPROTO, "config_gen is %u: the backend does not finish changing its configuration",
			      le32_to_cpu(READ_ONCE(vd->config.page->config_gen)));
	if (!done && (last || gone)) {
		vx_config_hold(&vd->config);
		done = !vx_config_read(&vd->config, offset, buf, len);
	}
	spin_unlock(&vd->config_lock);
	return done;
}

/* sysfs and ioctls ask at any time, whatever becomes of the connection. */
static void vx_get(struct virtio_device *vdev, unsigned int offset, void *buf, unsigned int len)
{
	unsigned long end = jiffies + HZ;
	bool last = false;

	while (!vx_config_try(to_vx(vdev), offset, buf, len, last)) {
		usleep_range(100, 1000);
		last = time_after(jiffies, end);
	}
}

static u32 vx_generation(struct virtio_device *vdev)
{
	struct vx_device *vd = to_vx(vdev);
	u32 gen;

	spin_lock(&vd->config_lock);
	gen = vx_config_generation(&vd->config);
	spin_unlock(&vd->config_lock);
	return gen;
}

static int vx_tell_config(struct vx_device *vd, unsigned int offset, const u8 *buf, unsigned int len)
{
	struct vx_parsed out;
	int ret = 0;

	for (unsigned int at = 0; !ret && at < len; at += VX_CONFIG_CHUNK) {
		struct vx_msg m = { .id = VX_MSG_SET_CONFIG };
		unsigned int n = min_t(unsigned int, len - at, VX_CONFIG_CHUNK);

		m.u.config.offset = cpu_to_le32(offset + at);
		m.u.config.length = cpu_to_le32(n);
		memcpy(m.u.config.data, buf + at, n);
		ret = vx_tell(vd, &m, &out, "SET_CONFIG");
	}
	return ret;
}

/* A backend that is new, or was reset, has defaults where the device's driver has written. */
static int vx_config_replay(struct vx_device *vd)
{
	unsigned long from, to;
	int ret = 0;

	for_each_set_bitrange(from, to, vd->is_written, VX_MAX_CONFIG) {
		ret = vx_tell_config(vd, from, vd->written + from, to - from);
		if (ret)
			break;
	}
	return ret;
}

int vx_config_begin(struct vx_device *vd, u32 size, bool replay)
{
	bool news = false;
	int ret = 0;

	mutex_lock(&vd->written_lock);
	if (replay)
		ret = vx_config_replay(vd);
	if (!ret) {
		spin_lock(&vd->config_lock);
		news = vx_config_follow(&vd->config, vd->ctrl, size);
		spin_unlock(&vd->config_lock);
	}
	mutex_unlock(&vd->written_lock);
	/* Later changes are told by an event; of this one nobody tells. */
	if (news && vd->child)
		queue_work(system_freezable_wq, &vd->config_work);
	return ret;
}

void vx_config_end(struct vx_device *vd)
{
	unsigned long from, to;

	mutex_lock(&vd->written_lock);
	spin_lock(&vd->config_lock);
	vx_config_hold(&vd->config);
	/* A reset may have undone it, until the next backend is told. */
	for_each_set_bitrange(from, to, vd->is_written, VX_MAX_CONFIG)
		vx_config_write(&vd->config, from, vd->written + from, to - from);
	spin_unlock(&vd->config_lock);
	mutex_unlock(&vd->written_lock);
}

static void vx_set(struct virtio_device *vdev, unsigned int offset, const void *buf, unsigned int len)
{
	struct vx_device *vd = to_vx(vdev);
	int ret = -EIO;

	if (offset > VX_MAX_CONFIG || len > VX_MAX_CONFIG - offset)
		return;
	mutex_lock(&vd->written_lock);
	if (vd->config.page)
		ret = vx_tell_config(vd, offset, buf, len);
	if (ret != -EREMOTEIO) {
		memcpy(vd->written + offset, buf, len);
		bitmap_set(vd->is_written, offset, len);
	}
	/* There is none that takes it, or no longer: the next one is told. */
	if (ret && ret != -EREMOTEIO) {
		spin_lock(&vd->config_lock);
		vx_config_write(&vd->config, offset, buf, len);
		spin_unlock(&vd->config_lock);
	}
	mutex_unlock(&vd->written_lock);
}

/* ---- status and features ---- */

static u8 vx_get_status(struct virtio_device *vdev)
{
	struct vx_device *vd = to_vx(vdev);

	/* Not from the control page: the device is there, in sysfs, when no page is. */
	return vd->status | (READ_ONCE(vd->needs_reset) ? VIRTIO_CONFIG_S_NEEDS_RESET : 0);
}

int vx_tell_status(struct vx_device *vd, u8 status)
{
	struct vx_msg m = { .id = VX_MSG_SET_DEVICE_STATUS };
	struct vx_parsed out;
	int ret;

	m.u.status.status = cpu_to_le32(status);
	ret = vx_tell(vd, &m, &out, "SET_DEVICE_STATUS");
	if (!ret)
		vd->status = out.status & 0xff;
	return ret;
}

static void vx_set_status(struct virtio_device *vdev, u8 status)
{
	struct vx_device *vd = to_vx(vdev);

	/* A kernel with CONFIG_XEN_VIRTIO puts its own operations there meanwhile. */
	vx_dma_set(vd);
	/* A disk whose driver has only let go of its queues believes in what was written before. */
	if (status & VIRTIO_CONFIG_S_DRIVER_OK && vx_state_quiesced(vx_state(vd)) && vd->resumable) {
		mutex_lock(&vd->written_lock);
		vx_config_replay(vd);
		mutex_unlock(&vd->written_lock);
	}
	/* Lost: what the driver believes is kept, so that it comes to its end. */
	if (vx_tell_status(vd, status & ~VIRTIO_CONFIG_S_NEEDS_RESET))
		vd->status = status & ~VIRTIO_CONFIG_S_FEATURES_OK;
}

static void vx_reset(struct virtio_device *vdev)
{
	struct vx_device *vd = to_vx(vdev);
	struct vx_queue *q;

	vx_tell_status(vd, 0);
	vd->status = 0;
	if (!vx_state_quiesced(vx_state(vd))) {
		mutex_lock(&vd->written_lock);
		bitmap_zero(vd->is_written, VX_MAX_CONFIG);
		mutex_unlock(&vd->written_lock);
	}
	WRITE_ONCE(vd->needs_reset, false);
	list_for_each_entry(q, &vd->queues, node)
		synchronize_irq(q->irq);
}

u64 vx_ask_features(struct vx_device *vd)
{
	struct vx_msg m = { .id = VX_MSG_GET_FEATURES };
	struct vx_parsed out;

	return vx_tell(vd, &m, &out, "GET_FEATURES") ? 0 : out.features[0];
}

static u64 vx_get_features(struct virtio_device *vdev)
{
	return vx_ask_features(to_vx(vdev));
}

int vx_tell_features(struct vx_device *vd, u64 features)
{
	struct vx_msg m = { .id = VX_MSG_SET_FEATURES };
	struct vx_parsed out;

	m.u.features.words[0] = cpu_to_le64(features);
	return vx_tell(vd, &m, &out, "SET_FEATURES");
}

static int vx_finalize_features(struct virtio_device *vdev)
{
	static const u64 transport = GENMASK_ULL(VIRTIO_TRANSPORT_F_END - 1, VIRTIO_TRANSPORT_F_START);

	vring_transport_features(vdev);
	vdev->features &= ~transport | VX_TRANSPORT_BITS;
	if (!vdev->features)	/* GET_FEATURES had no answer, which was said */
		return -EIO;
	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1) ||
	    !virtio_has_feature(vdev, VIRTIO_F_ACCESS_PLATFORM)) {
		dev_err(&vdev->dev, "the backend does not offer VERSION_1 and ACCESS_PLATFORM\n");
		return -EINVAL;
	}
	return vx_tell_features(to_vx(vdev), vdev->features);
}

/* ---- virtqueues ---- */

static bool vx_notify(struct virtqueue *vq)
{
	struct vx_queue *q = vq->priv;

	if (vx_link(q->vd) == VX_LINK_LOOPBACK)
		return false;	/* and the queue is broken: its driver waits for no answer */
	notify_remote_via_irq(q->irq);
	return true;
}

static void vx_queue_broken(struct vx_queue *q)
{
	const struct vring *ring = virtqueue_get_vring(q->vq);
	const struct vring_used_elem *e;
	u16 idx;

	if (virtio_has_feature(q->vq->vdev, VIRTIO_F_RING_PACKED)) {
		vx_fail_later(q->vd, -EPROTO, "its virtqueue %u is broken", q->vq->index);
		return;
	}
	idx = virtio16_to_cpu(q->vq->vdev, READ_ONCE(ring->used->idx));
	e = &ring->used->ring[(u16)(idx - 1) & (ring->num - 1)];
	vx_fail_later(q->vd, -EPROTO, "its virtqueue %u is broken: used index %u, newest element's id %u", q->vq->index,
		      idx, virtio32_to_cpu(q->vq->vdev, READ_ONCE(e->id)));
}

static irqreturn_t vx_queue_event(int irq, void *arg)
{
	struct vx_queue *q = arg;
	/* Nothing new in the ring: who sends such events is slowed down. */
	bool news = vring_interrupt(irq, q->vq) == IRQ_HANDLED;

	/* Its free list is not to be trusted any more (dma.c). */
	if (test_bit(0, &q->vd->finding))
		__virtqueue_break(q->vq);
	/* A used element was wrong, which the core has found; nothing more would come of this queue. */
	if (virtqueue_is_broken(q->vq) && q->vd->status & VIRTIO_CONFIG_S_DRIVER_OK &&
	    vx_link(q->vd) == VX_LINK_OPEN)
		vx_queue_broken(q);
	xen_irq_lateeoi(irq, news ? 0 : XEN_EOI_FLAG_SPURIOUS);
	return IRQ_HANDLED;
}

static int vx_queue_max(struct vx_device *vd, unsigned int index, u32 *max)
{
	struct vx_msg m = { .id = VX_MSG_GET_VQUEUE };
	struct vx_parsed out;
	int ret;

	m.u.queue.index = cpu_to_le32(index);
	ret = vx_tell(vd, &m, &out, "GET_VQUEUE");
	if (ret)
		return ret;
	*max = out.max_size;
	return out.max_size && !(out.flags & VX_QUEUE_ENABLED) ? 0 : -ENOENT;
}

static int vx_queue_tell_inflight(struct vx_queue *q, bool resume)
{
	struct vx_msg m = { .id = VX_MSG_SET_INFLIGHT };
	struct vx_parsed out;

	m.u.inflight.index = cpu_to_le16(q->vq->index);
	m.u.inflight.size = cpu_to_le16(virtqueue_get_vring_size(q->vq));
	m.u.inflight.flags = cpu_to_le32(resume ? VX_INFLIGHT_RESUME : 0);
	m.u.inflight.addr = cpu_to_le64(q->inflight);
	return vx_tell(q->vd, &m, &out, "SET_INFLIGHT");
}

int vx_queue_enable(struct vx_queue *q, bool resume)
{
	struct vx_msg m = { .id = VX_MSG_SET_VQUEUE };
	struct virtqueue *vq = q->vq;
	struct vx_parsed out;
	int ret = q->inflight ? vx_queue_tell_inflight(q, resume) : 0;

	if (ret)
		return ret;
	m.u.set_queue.index = cpu_to_le16(vq->index);
	m.u.set_queue.size = cpu_to_le16(virtqueue_get_vring_size(vq));
	m.u.set_queue.port = cpu_to_le32(q->port);
	m.u.set_queue.desc = cpu_to_le64(virtqueue_get_desc_addr(vq));
	m.u.set_queue.driver = cpu_to_le64(virtqueue_get_avail_addr(vq));
	m.u.set_queue.device = cpu_to_le64(virtqueue_get_used_addr(vq));
	return vx_tell(q->vd, &m, &out, "SET_VQUEUE");
}

static int vx_queue_channel(struct vx_queue *q, const char *name)
{
	int ret = xenbus_alloc_evtchn(q->vd->xdev, &q->port);

	if (ret)
		return ret;
	ret = bind_evtchn_to_irqhandler_lateeoi(q->port, vx_queue_event, 0, name, q);
	if (ret < 0) {
		xenbus_free_evtchn(q->vd->xdev, q->port);
		return ret;
	}
	q->irq = ret;
	return 0;
}

static int vx_queue_inflight(struct vx_queue *q)
{
	struct vx_device *vd = q->vd;

	if (!vd->resumable || virtio_has_feature(q->vq->vdev, VIRTIO_F_RING_PACKED))
		return 0;
	q->inflight_va = vx_dma_alloc_shared(vd, VX_INFLIGHT_BYTES(virtqueue_get_vring_size(q->vq)),
					     &q->inflight);
	return q->inflight_va ? 0 : -ENOMEM;
}

static void vx_queue_del(struct vx_queue *q)
{
	mutex_lock(&q->vd->queues_lock);
	list_del(&q->node);
	mutex_unlock(&q->vd->queues_lock);
	/* The port is closed with it; the backend was told to let go before. */
	if (q->irq)
		unbind_from_irqhandler(q->irq, q);
	if (q->vq)
		vring_del_virtqueue(q->vq);
	if (q->inflight_va)
		vx_dma_free_shared(q->vd, q->inflight);
	kfree(q);
}

static struct virtqueue *vx_queue_new(struct virtio_device *vdev, unsigned int index, const char *name,
				      void (*callback)(struct virtqueue *), bool ctx)
{
	struct vx_device *vd = to_vx(vdev);
	struct vx_queue *q;
	u32 max = 0;
	int ret = vx_queue_max(vd, index, &max);

	if (ret)
		return ERR_PTR(ret);
	q = kzalloc(sizeof(*q), GFP_KERNEL);
	if (!q)
		return ERR_PTR(-ENOMEM);
	q->vd = vd;
	INIT_LIST_HEAD(&q->node);
	ret = -ENOMEM;
	q->vq = vring_create_virtqueue(index, min(max, max(queue_size, 2u)), PAGE_SIZE, vdev, true, true,
				       ctx, vx_notify, callback, name);
	if (!q->vq)
		goto fail;
	q->vq->priv = q;
	q->vq->num_max = max;
	ret = vx_queue_inflight(q);
	if (!ret)
		ret = vx_queue_channel(q, name);
	if (ret)
		goto fail;
	/* From here on a backend that is lost is lost to this queue too. */
	mutex_lock(&vd->queues_lock);
	list_add_tail(&q->node, &vd->queues);
	mutex_unlock(&vd->queues_lock);
	ret = vx_queue_enable(q, false);
	if (!ret)
		return q->vq;
fail:
	vx_queue_del(q);
	return ERR_PTR(ret);
}

static void vx_del_vqs(struct virtio_device *vdev)
{
	struct vx_queue *q, *next;

	list_for_each_entry_safe(q, next, &to_vx(vdev)->queues, node)
		vx_queue_del(q);
}

/* Did it fail half-way?  Those that are enabled must not be taken away below the backend. */
static int vx_find_failed(struct virtio_device *vdev, int err)
{
	vx_reset(vdev);
	vx_del_vqs(vdev);
	return err;
}

#ifdef VX_HAVE_VIRTQUEUE_INFO
static int vx_find_vqs(struct virtio_device *vdev, unsigned int n, struct virtqueue *vqs[],
		       struct virtqueue_info info[], struct irq_affinity *desc)
{
	unsigned int index = 0;

	vx_dma_set(to_vx(vdev));
	for (unsigned int i = 0; i < n; i++) {
		vqs[i] = NULL;
		if (!info[i].name)
			continue;
		vqs[i] = vx_queue_new(vdev, index++, info[i].name, info[i].callback, info[i].ctx);
		if (IS_ERR(vqs[i]))
			return vx_find_failed(vdev, PTR_ERR(vqs[i]));
	}
	return 0;
}
#else
static int vx_find_vqs(struct virtio_device *vdev, unsigned int n, struct virtqueue *vqs[],
		       vq_callback_t *callbacks[], const char *const names[], const bool *ctx,
		       struct irq_affinity *desc)
{
	unsigned int index = 0;

	vx_dma_set(to_vx(vdev));
	for (unsigned int i = 0; i < n; i++) {
		vqs[i] = NULL;
		if (!names[i])
			continue;
		vqs[i] = vx_queue_new(vdev, index++, names[i], callbacks[i], ctx && ctx[i]);
		if (IS_ERR(vqs[i]))
			return vx_find_failed(vdev, PTR_ERR(vqs[i]));
	}
	return 0;
}
#endif

static void vx_synchronize_cbs(struct virtio_device *vdev)
{
	struct vx_queue *q;

	list_for_each_entry(q, &to_vx(vdev)->queues, node)
		if (q->irq)
			synchronize_irq(q->irq);
}

static int vx_set_vq_affinity(struct virtqueue *vq, const struct cpumask *mask)
{
	struct vx_queue *q = vq->priv;

	return mask ? irq_set_affinity(q->irq, mask) : 0;
}

static const char *vx_bus_name(struct virtio_device *vdev)
{
	return to_vx(vdev)->xdev->nodename;
}

static const struct virtio_config_ops vx_config_ops = {
	.get = vx_get,
	.set = vx_set,
	.generation = vx_generation,
	.get_status = vx_get_status,
	.set_status = vx_set_status,
	.reset = vx_reset,
	.find_vqs = vx_find_vqs,
	.del_vqs = vx_del_vqs,
	.synchronize_cbs = vx_synchronize_cbs,
	.get_features = vx_get_features,
	.finalize_features = vx_finalize_features,
	.bus_name = vx_bus_name,
	.set_vq_affinity = vx_set_vq_affinity,
};

/* ---- the network device of a card, while its driver begins anew ---- */

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

/* ---- suspend ---- */

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

/* Its driver begins with new queues.  The state is the caller's. */
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

#ifdef CONFIG_PM_SLEEP
/*
 * Called before the guest is suspended, while backend and xenstore still serve
 * it.  Not in xenbus' own suspend: a suspend that is cancelled (xl save -c) is
 * not told to xenbus drivers, but to this device's thaw.
 */
static int vx_freeze(struct device *dev)
{
	struct virtio_device *vdev = dev_to_virtio(dev);
	struct virtio_driver *drv = vdev->dev.driver ? drv_to_virtio(vdev->dev.driver) : NULL;
	struct vx_device *vd = to_vx(vdev);

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
	return vx_quiesce(vd);
}

/* The connection is as it was; a device that had lost its backend waits on. */
static int vx_thaw(struct device *dev)
{
	struct vx_device *vd = to_vx(dev_to_virtio(dev));
	int ret;

	if (vx_state(vd) != VX_SUSPENDED)
		return 0;
	vx_watch_begin(vd);
	ret = vx_virtio_wake(vd);
	vx_watch_end(vd);
	if (ret)
		vx_fail_later(vd, ret, "its driver cannot go on after a suspend that was cancelled");
	else
		vx_set_state(vd, VX_LIVE);
	return ret;
}

/* There must be a new connection first: main.c restores the device then. */
static int vx_restore(struct device *dev)
{
	return 0;
}

static const struct dev_pm_ops vx_pm_ops = {
	.freeze = vx_freeze,
	.thaw = vx_thaw,
	.restore = vx_restore,
};
#endif

static const struct device_type vx_device_type = {
	.name = "virtio_xenbus",
#ifdef CONFIG_PM_SLEEP
	.pm = &vx_pm_ops,
#endif
};

/* ---- the device ---- */

static void vx_child_release(struct device *dev)
{
	kfree(container_of(dev, struct vx_child, vdev.dev));
}

static void vx_child_forget(struct vx_device *vd)
{
	struct vx_child *c = vd->child;

	mutex_lock(&vd->child_lock);
	vd->child = NULL;
	mutex_unlock(&vd->child_lock);
	put_device(&c->vdev.dev);
}

int vx_virtio_add(struct vx_device *vd)
{
	struct vx_child *c = kzalloc(sizeof(*c), GFP_KERNEL);
	int ret;

	if (!c)
		return -ENOMEM;
	ret = vx_dma_set(vd);
	if (ret) {
		kfree(c);
		return ret;
	}
	c->vd = vd;
	c->vdev.id.device = vd->offer.limits.device_id;
	c->vdev.id.vendor = vd->offer.limits.vendor_id;
	c->vdev.config = &vx_config_ops;
	c->vdev.dev.parent = &vd->xdev->dev;
	c->vdev.dev.release = vx_child_release;
	c->vdev.dev.type = &vx_device_type;
	vd->status = 0;
	mutex_lock(&vd->child_lock);
	vd->child = c;
	mutex_unlock(&vd->child_lock);
	ret = register_virtio_device(&c->vdev);
	if (!ret) {
		/* For those who look at it under the lock, until it is taken away there. */
		get_device(&c->vdev.dev);
		return 0;
	}
	vx_child_forget(vd);
	return ret;
}

int vx_virtio_restore(struct vx_device *vd)
{
	struct virtio_device *vdev = &vd->child->vdev;
	u64 offered = vx_ask_features(vd);
	int ret;

	if (vdev->id.device != vd->offer.limits.device_id || vdev->id.vendor != vd->offer.limits.vendor_id)
		return -ENODEV;
	if (vdev->features & ~offered) {
		dev_err(&vd->xdev->dev, "features %#llx in use are not offered any more\n",
			vdev->features & ~offered);
		return -ENODEV;
	}
	ret = vx_virtio_wake(vd);
	if (!ret)
		vx_set_state(vd, VX_LIVE);
	return ret;
}

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

void vx_prepare_removal(struct vx_device *vd)
{
	if (vx_conn_loopback(vd) || vx_virtio_wake(vd))
		dev_err(&vd->xdev->dev, "its driver cannot be brought up to be removed\n");
}

void vx_virtio_del(struct vx_device *vd)
{
	struct vx_child *c = vd->child;

	if (!c)
		return;
	unregister_virtio_device(&c->vdev);
	vx_child_forget(vd);
	vx_dma_clear(vd);
}
