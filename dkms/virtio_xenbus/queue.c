// SPDX-License-Identifier: GPL-2.0-or-later
/* Virtqueues and their event channels.  docs/protocol.md, sections 6 to 8. */
#include <linux/slab.h>
#include <linux/virtio_ring.h>
#include <xen/events.h>

#include "vx.h"

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

	/* It is closed, and nothing more is to be done for it. */
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
	/* The ring code has it behind the others; it is not. */
	m.u.set_queue.device = cpu_to_le64(q->ring.va ? q->ring.rw : virtqueue_get_used_addr(vq));
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

static void vx_queue_list(struct vx_queue *q, bool add)
{
	struct vx_device *vd = q->vd;
	unsigned long irq;

	mutex_lock(&vd->queues_lock);
	spin_lock_irqsave(&vd->state_lock, irq);
	if (add)
		list_add_tail(&q->node, &vd->queues);
	else
		list_del(&q->node);
	spin_unlock_irqrestore(&vd->state_lock, irq);
	mutex_unlock(&vd->queues_lock);
}

static void vx_queue_del(struct vx_queue *q)
{
	vx_queue_list(q, false);
	/* The port is closed with it; a reset has told the backend before. */
	if (q->irq)
		unbind_from_irqhandler(q->irq, q);
	q->vd->ring = &q->ring;
	if (q->vq)
		vring_del_virtqueue(q->vq);
	q->vd->ring = NULL;
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
	/* Its memory is asked for in there. */
	vd->ring = virtio_has_feature(vdev, VIRTIO_F_RING_PACKED) ? NULL : &q->ring;
	q->vq = vring_create_virtqueue(index, min(max, vx_queue_size()), PAGE_SIZE, vdev, true, true,
				       ctx, vx_notify, callback, name);
	vd->ring = NULL;
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
	vx_queue_list(q, true);
	ret = vx_queue_enable(q, false);
	if (!ret)
		return q->vq;
fail:
	vx_queue_del(q);
	return ERR_PTR(ret);
}

void vx_del_vqs(struct virtio_device *vdev)
{
	struct vx_queue *q, *next;

	list_for_each_entry_safe(q, next, &to_vx(vdev)->queues, node)
		vx_queue_del(q);
}

/*
 * Its driver is about to take back what is in its queues.  When the chains were changed,
 * the ring code would not find all descriptors again, which for it is a BUG(): what
 * is in the queue is taken, and lost, here, where the number of free ones can be put
 * right each time.
 */
static void vx_queue_drop(struct vx_queue *q)
{
	unsigned int n = virtqueue_get_vring_size(q->vq);

	do
		q->vq->num_free = n;
	while (virtqueue_detach_unused_buf(q->vq));
}

void vx_reset(struct virtio_device *vdev)
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
	if (!READ_ONCE(vd->distrust) || virtio_has_feature(vdev, VIRTIO_F_RING_PACKED))
		return;
	list_for_each_entry(q, &vd->queues, node)
		vx_queue_drop(q);
}

/* Did it fail half-way?  Those that are enabled must not be taken away below the backend. */
static int vx_find_failed(struct virtio_device *vdev, int err)
{
	vx_reset(vdev);
	vx_del_vqs(vdev);
	return err;
}

#ifdef VX_HAVE_VIRTQUEUE_INFO
int vx_find_vqs(struct virtio_device *vdev, unsigned int n, struct virtqueue *vqs[],
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
int vx_find_vqs(struct virtio_device *vdev, unsigned int n, struct virtqueue *vqs[],
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

void vx_synchronize_cbs(struct virtio_device *vdev)
{
	struct vx_queue *q;

	list_for_each_entry(q, &to_vx(vdev)->queues, node)
		if (q->irq)
			synchronize_irq(q->irq);
}

int vx_set_vq_affinity(struct virtqueue *vq, const struct cpumask *mask)
{
	struct vx_queue *q = vq->priv;

	return mask ? irq_set_affinity(q->irq, mask) : 0;
}
