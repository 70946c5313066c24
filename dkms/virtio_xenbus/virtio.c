// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The virtio device on top of a connection: configuration, status and features.
 * docs/protocol.md, sections 5.4, 7 and 12.
 */
#include <linux/delay.h>
#include <linux/slab.h>
#include <linux/virtio_ring.h>

#include "vx.h"

/* Bits of the transport that are ours to take or leave (12). */
#define VX_TRANSPORT_BITS (BIT_ULL(VIRTIO_F_VERSION_1) | BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) | \
			   BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) | \
			   BIT_ULL(VIRTIO_F_RING_PACKED))

/* Changes that are looked at at once, and after how long another may be. */
#define VX_CONFIGS_BURST 16
#define VX_CONFIGS_MS	5000

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
	/* No backend takes it, or no longer: the next one is told. */
	if (ret && ret != -EREMOTEIO) {
		spin_lock(&vd->config_lock);
		vx_config_write(&vd->config, offset, buf, len);
		spin_unlock(&vd->config_lock);
	}
	mutex_unlock(&vd->written_lock);
}

void vx_config_work(struct work_struct *work)
{
	struct vx_device *vd = container_of(to_delayed_work(work), struct vx_device, config_work);
	u32 wait = vx_pace(&vd->configs, ktime_to_ms(ktime_get()), VX_CONFIGS_BURST, VX_CONFIGS_MS);

	/* The device's driver has a line, and work, for each.  The last change is never lost. */
	if (wait) {
		if (!test_and_set_bit(VX_TOLD_CONFIGS, &vd->told))
			dev_warn(&vd->xdev->dev, "its configuration changes too often; looked at every %u s\n",
				 VX_CONFIGS_MS / 1000);
		queue_delayed_work(system_freezable_wq, &vd->config_work, msecs_to_jiffies(wait));
		return;
	}
	spin_lock(&vd->config_lock);
	vx_config_keep(&vd->config);
	spin_unlock(&vd->config_lock);
	mutex_lock(&vd->child_lock);
	if (vd->child)
		virtio_config_changed(&vd->child->vdev);
	mutex_unlock(&vd->child_lock);
}

/* ---- status and features ---- */

static u8 vx_get_status(struct virtio_device *vdev)
{
	struct vx_device *vd = to_vx(vdev);

	/* Not from the control page: the device is there, in sysfs, when no page is. */
	return vd->status | (READ_ONCE(vd->needs_reset) ? VIRTIO_CONFIG_S_NEEDS_RESET : 0);
}

static void vx_set_status(struct virtio_device *vdev, u8 status)
{
	struct vx_device *vd = to_vx(vdev);

	/* A kernel with CONFIG_XEN_VIRTIO puts its own operations there meanwhile. */
	vx_dma_set(vd);
	/* The driver of a quiesced disk knows of no reset: what it has written before counts. */
	if (status & VIRTIO_CONFIG_S_DRIVER_OK && vx_state_quiesced(vx_state(vd)) && vd->resumable) {
		mutex_lock(&vd->written_lock);
		vx_config_replay(vd);
		mutex_unlock(&vd->written_lock);
	}
	/* Lost: what the driver believes is kept, so that it comes to its end. */
	if (vx_tell_status(vd, status & ~VIRTIO_CONFIG_S_NEEDS_RESET))
		vd->status = status & ~VIRTIO_CONFIG_S_FEATURES_OK;
}

static u64 vx_get_features(struct virtio_device *vdev)
{
	struct vx_device *vd = to_vx(vdev);

	return vx_ask_features(vd) & ~vx_hidden_features(vd->offer.limits.device_id);
}

static int vx_finalize_features(struct virtio_device *vdev)
{
	static const u64 transport = GENMASK_ULL(VIRTIO_TRANSPORT_F_END - 1, VIRTIO_TRANSPORT_F_START);
	struct vx_device *vd = to_vx(vdev);

	vring_transport_features(vdev);
	vdev->features &= ~transport | VX_TRANSPORT_BITS;
	if (!vdev->features)	/* GET_FEATURES had no answer, which was said */
		return -EIO;
	if (!virtio_has_feature(vdev, VIRTIO_F_VERSION_1) ||
	    !virtio_has_feature(vdev, VIRTIO_F_ACCESS_PLATFORM)) {
		dev_err(&vdev->dev, "the backend does not offer VERSION_1 and ACCESS_PLATFORM\n");
		return -EINVAL;
	}
	/* The ring code finds the end of a chain in memory that the backend can write (protocol.md, 5.1). */
	if (!vd->ro_pages && !virtio_has_feature(vdev, VIRTIO_F_RING_PACKED) &&
	    !virtio_has_feature(vdev, VIRTIO_RING_F_INDIRECT_DESC)) {
		dev_err(&vd->xdev->dev, "the backend offers neither read-only rings nor INDIRECT_DESC\n");
		return -EINVAL;
	}
	return vx_tell_features(vd, vdev->features);
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

static int vx_virtio_add(struct vx_device *vd)
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
	vd->child_pages = vd->pages - vd->ro_pages;
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

void vx_add_work(struct work_struct *work)
{
	struct vx_device *vd = container_of(work, struct vx_device, add_work);
	int ret = vx_virtio_add(vd);

	if (ret)
		vx_fail_later(vd, ret, "the virtio device cannot be registered");
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
