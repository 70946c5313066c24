// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * State, link and error latch of a device, as all parts of the driver change them:
 * vx.h has the locking, state.h what may follow what.
 */
#include <linux/virtio_ring.h>

#include "vx.h"

struct workqueue_struct *vx_wq;

bool vx_set_state(struct vx_device *vd, enum vx_state to)
{
	enum vx_state from;
	unsigned long irq;
	bool ok;

	spin_lock_irqsave(&vd->state_lock, irq);
	from = vd->state;
	ok = vx_state_allowed(from, to);
	if (ok)
		WRITE_ONCE(vd->state, to);
	spin_unlock_irqrestore(&vd->state_lock, irq);
	if (ok && from != to)
		dev_dbg(&vd->xdev->dev, "state: %s -> %s\n", vx_state_name(from), vx_state_name(to));
	if (!ok && !test_and_set_bit(0, &vd->refused))
		dev_err(&vd->xdev->dev, "a device that is %s cannot become %s\n", vx_state_name(from), vx_state_name(to));
	return ok;
}

void vx_set_link(struct vx_device *vd, enum vx_link to)
{
	enum vx_link from, now;
	unsigned long irq;

	spin_lock_irqsave(&vd->state_lock, irq);
	from = vd->link;
	now = vx_link_after(from, to);
	WRITE_ONCE(vd->link, now);
	spin_unlock_irqrestore(&vd->state_lock, irq);
	if (now != from)
		dev_dbg(&vd->xdev->dev, "link: %s -> %s\n", vx_link_name(from), vx_link_name(now));
	wake_up(&vd->answer);
}

void vx_break(struct vx_device *vd)
{
	mutex_lock(&vd->child_lock);
	if (vd->child)
		virtio_break_device(&vd->child->vdev);
	mutex_unlock(&vd->child_lock);
}

void vx_lose(struct vx_device *vd)
{
	vx_set_link(vd, VX_LINK_LOST);
	/* The work may be waiting for what the backend will not do any more. */
	queue_work(vx_wq, &vd->fail_work);
	vx_break(vd);
}

/* Not while the guest is suspended: freezing waits for what the work does. */
void vx_wake(struct vx_device *vd)
{
	queue_work(vd->wq, &vd->work);
}

static __printf(3, 0) void vx_fail_why(struct vx_device *vd, int err, const char *fmt, va_list ap)
{
	if (test_and_set_bit(0, &vd->finding))
		return;
	vsnprintf(vd->why, sizeof(vd->why), fmt, ap);
	vx_set_link(vd, VX_LINK_SILENT);
	smp_store_release(&vd->failed, err);
	vx_wake(vd);
}

void vx_fail_later(struct vx_device *vd, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vx_fail_why(vd, err, fmt, ap);
	va_end(ap);
}

/* Where the ring code looks for the next descriptor of a chain: nowhere. */
static void vx_cut_chains(struct virtqueue *vq)
{
	const struct vring *ring = virtqueue_get_vring(vq);

	for (u32 i = 0; i < ring->num; i++)
		WRITE_ONCE(ring->desc[i].flags, ring->desc[i].flags & ~cpu_to_virtio16(vq->vdev, VRING_DESC_F_NEXT));
}

void vx_distrust(struct vx_device *vd, const char *fmt, ...)
{
	struct vx_queue *q;
	unsigned long irq;
	va_list ap;

	WRITE_ONCE(vd->distrust, true);
	va_start(ap, fmt);
	vx_fail_why(vd, -EPROTO, fmt, ap);
	va_end(ap);
	spin_lock_irqsave(&vd->state_lock, irq);
	list_for_each_entry(q, &vd->queues, node) {
		__virtqueue_break(q->vq);
		/* It may be on its way along one that has no end. */
		if (!virtio_has_feature(q->vq->vdev, VIRTIO_F_RING_PACKED))
			vx_cut_chains(q->vq);
	}
	spin_unlock_irqrestore(&vd->state_lock, irq);
}
