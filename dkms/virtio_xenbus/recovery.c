// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * A backend that died.  Rings and data are in the guest's pool, so the next one
 * can go on where it stopped: docs/protocol.md, section 9.  When there is no next
 * one, or it cannot, all that is in flight fails.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>
#include <xen/events.h>

#include "vx.h"

/* More than a driver that goes on sending could need. */
#define VX_FAIL_PASSES 64

/* ---- the next backend ---- */

static int vx_resume_status(struct vx_device *vd, u8 status)
{
	int ret = vx_tell_status(vd, status);

	/* It answers what it holds: FEATURES_OK may be missing. */
	return ret ? ret : vd->status == status ? 0 : -EOPNOTSUPP;
}

static int vx_resume_negotiate(struct vx_device *vd, u64 features)
{
	u64 offered = vx_ask_features(vd);
	u8 status = VIRTIO_CONFIG_S_ACKNOWLEDGE;
	int ret;

	if (features & ~offered)
		return -EOPNOTSUPP;
	ret = vx_resume_status(vd, status);
	status |= VIRTIO_CONFIG_S_DRIVER;
	if (!ret)
		ret = vx_resume_status(vd, status);
	if (!ret)
		ret = vx_tell_features(vd, features);
	return ret ? ret : vx_resume_status(vd, status | VIRTIO_CONFIG_S_FEATURES_OK);
}

static u32 vx_in_flight(const struct vx_queue *q)
{
	const u8 *head = q->inflight_va + sizeof(struct vx_inflight);
	u32 n = 0;

	for (u32 i = 0; q->inflight_va && i < virtqueue_get_vring_size(q->vq); i++)
		n += READ_ONCE(head[i]) == 1;
	return n;
}

static int vx_resume_queues(struct vx_device *vd)
{
	struct vx_queue *q;
	int ret = 0;

	vd->in_flight = 0;
	mutex_lock(&vd->queues_lock);
	list_for_each_entry(q, &vd->queues, node) {
		vd->in_flight += vx_in_flight(q);
		ret = q->inflight ? vx_queue_enable(q, true) : -EOPNOTSUPP;
		if (ret)
			break;
	}
	mutex_unlock(&vd->queues_lock);
	return ret;
}

int vx_virtio_resume(struct vx_device *vd)
{
	u8 status = vd->status & ~VIRTIO_CONFIG_S_NEEDS_RESET;
	int ret = vx_resume_negotiate(vd, vd->child->vdev.features);

	if (!ret)
		ret = vx_config_begin(vd, vd->config.size, true);
	if (!ret)
		ret = vx_resume_queues(vd);
	if (!ret)
		ret = vx_resume_status(vd, status);
	if (!ret)
		WRITE_ONCE(vd->needs_reset, false);
	else
		vd->status = status;	/* for the one after it */
	return ret;
}

void vx_virtio_kick_all(struct vx_device *vd)
{
	struct vx_queue *q;

	mutex_lock(&vd->queues_lock);
	list_for_each_entry(q, &vd->queues, node) {
		notify_remote_via_irq(q->irq);
		disable_irq(q->irq);
		local_bh_disable();
		vring_interrupt(q->irq, q->vq);
		local_bh_enable();
		enable_irq(q->irq);
	}
	mutex_unlock(&vd->queues_lock);
}

/* ---- no backend: requests end as failed ---- */

/*
 * virtio drivers have no way to give up a request: they wait for it.  So it is
 * completed here in the backend's place, with a length of 0 and (dma.c) nothing
 * but ones in what the device would have written, which no driver takes for success.
 *
 * Which requests are in flight is the ring code's own knowledge.  It tells where
 * it will read next, refuses an id that is not in flight (and then says so in
 * the log, hence the order in which they are tried), and goes on from there.
 */
static void vx_put_used(struct vx_queue *q, u16 at, u16 id)
{
	const struct vring *ring = virtqueue_get_vring(q->vq);
	struct virtio_device *vdev = q->vq->vdev;

	ring->used->ring[at & (ring->num - 1)].id = cpu_to_virtio32(vdev, id);
	ring->used->ring[at & (ring->num - 1)].len = 0;
	virt_wmb();
	ring->used->idx = cpu_to_virtio16(vdev, at + 1);
}

static struct vring_packed_desc *vx_packed_ring(struct vx_queue *q)
{
	return q->vd->pool_va + (virtqueue_get_desc_addr(q->vq) - VX_POOL_BASE);
}

static void vx_put_used_packed(struct vx_queue *q, u16 at, u16 id)
{
	struct vring_packed_desc *desc = vx_packed_ring(q) + (at & 0x7fff);

	desc->id = cpu_to_le16(id);
	desc->len = 0;
	virt_wmb();
	WRITE_ONCE(desc->flags, cpu_to_le16(vx_packed_used_flags(at)));
}

static bool vx_packed(const struct vx_queue *q)
{
	return virtio_has_feature(q->vq->vdev, VIRTIO_F_RING_PACKED);
}

static bool vx_fail_id(struct vx_queue *q, u16 id)
{
	u16 at = (u16)virtqueue_enable_cb_prepare(q->vq);
	struct virtio_device *vdev = q->vq->vdev;

	if (vx_packed(q))
		vx_put_used_packed(q, at, id);
	else
		vx_put_used(q, at, id);
	__virtio_unbreak_device(vdev);
	local_bh_disable();
	vring_interrupt(q->irq, q->vq);
	local_bh_enable();
	virtio_break_device(vdev);
	return (u16)virtqueue_enable_cb_prepare(q->vq) != at;
}

/* The descriptor is in shared memory: what it says decides the order, no more. */
static bool vx_head_likely(struct vx_queue *q, const struct vring *ring, u32 head)
{
	return vx_dma_is_mapped(q->vd, virtio64_to_cpu(q->vq->vdev, READ_ONCE(ring->desc[head].addr)),
				virtio32_to_cpu(q->vq->vdev, READ_ONCE(ring->desc[head].len)));
}

/*
 * The backend has written over the descriptors: each may be in flight.  The ring
 * code has a line for each that is not.
 */
static u32 vx_fail_any(struct vx_queue *q)
{
	u32 done = 0, size = virtqueue_get_vring_size(q->vq);

	for (u32 id = 0; id < size && vx_dma_busy(q->vd); id++)
		done += vx_fail_id(q, id);
	return done;
}

/* One pass over a queue; the number of requests that came to their end. */
static u32 vx_fail_split(struct vx_queue *q, unsigned long *tried)
{
	const struct vring *ring = virtqueue_get_vring(q->vq);
	u16 newest = virtio16_to_cpu(q->vq->vdev, READ_ONCE(ring->avail->idx));
	u32 done = 0;

	/* The newest first: a descriptor that was used again is then known for what it is. */
	for (u32 i = 1; i <= ring->num; i++) {
		u16 head = virtio16_to_cpu(q->vq->vdev,
				READ_ONCE(ring->avail->ring[(u16)(newest - i) & (ring->num - 1)]));

		if (head < ring->num && !__test_and_set_bit(head, tried) && vx_head_likely(q, ring, head))
			done += vx_fail_id(q, head);
	}
	/* Those that have waited for longer than a round of the ring. */
	for (u32 head = 0; head < ring->num && vx_dma_busy(q->vd); head++)
		if (!test_bit(head, tried) && vx_head_likely(q, ring, head))
			done += vx_fail_id(q, head);
	return done;
}

/*
 * A packed ring has descriptors where they were put, and the id of a request in each.
 * What is done for one is written over others', so that all ids are read before.
 */
static u32 vx_fail_packed(struct vx_queue *q, unsigned long *likely)
{
	const struct vring_packed_desc *desc = vx_packed_ring(q);
	u32 done = 0, size = virtqueue_get_vring_size(q->vq), id;

	for (u32 i = 0; i < size; i++) {
		id = le16_to_cpu(READ_ONCE(desc[i].id));
		if (id < size && vx_dma_is_mapped(q->vd, le64_to_cpu(READ_ONCE(desc[i].addr)),
						  le32_to_cpu(READ_ONCE(desc[i].len))))
			__set_bit(id, likely);
	}
	for_each_set_bit(id, likely, size)
		done += vx_fail_id(q, id);
	return done;
}

static u32 vx_fail_queue(struct vx_queue *q, bool any)
{
	unsigned long *ids;
	u32 done;

	if (any)
		return vx_fail_any(q);
	ids = bitmap_zalloc(virtqueue_get_vring_size(q->vq), GFP_KERNEL);
	if (!ids)
		return 0;	/* the next pass needs none */
	done = vx_packed(q) ? vx_fail_packed(q, ids) : vx_fail_split(q, ids);
	bitmap_free(ids);
	return done;
}

/*
 * Drivers of the others take back what is in their queues when they are removed;
 * virtio-net's would put new receive buffers there for each that came back.
 */
static bool vx_waits_for_requests(u32 device_id)
{
	switch (device_id) {
	case VIRTIO_ID_BLOCK:
	case VIRTIO_ID_SCSI:
	case VIRTIO_ID_9P:
	case VIRTIO_ID_FS:
		return true;
	default:
		return false;
	}
}

void vx_virtio_fail(struct vx_device *vd)
{
	struct vx_queue *q;
	u32 n, all = 0, passes = 0;
	bool any = false, once_more;

	/* Only a device whose driver has begun has requests. */
	if (!vd->child || !vx_waits_for_requests(vd->child->vdev.id.device))
		return;
	/* Each pass lets a moment for new ones, which the next finds. */
	do {
		n = 0;
		mutex_lock(&vd->queues_lock);
		list_for_each_entry(q, &vd->queues, node) {
			disable_irq(q->irq);
			n += vx_fail_queue(q, any);
			enable_irq(q->irq);
		}
		mutex_unlock(&vd->queues_lock);
		all += n;
		once_more = n || !any;
		any = !n;
	} while (once_more && vx_dma_busy(vd) && ++passes < VX_FAIL_PASSES);
	if (all)
		dev_warn(&vd->xdev->dev, "%u requests failed: the backend is gone\n", all);
}

void vx_fail_work(struct work_struct *work)
{
	struct vx_device *vd = container_of(work, struct vx_device, fail_work);

	unsigned int noio = memalloc_noio_save();

	mutex_lock(&vd->child_lock);
	if (vx_link_failed(vx_link(vd)))
		vx_virtio_fail(vd);
	mutex_unlock(&vd->child_lock);
	memalloc_noio_restore(noio);
}
