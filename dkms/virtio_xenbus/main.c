// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Virtio over XenBus: the frontend for the xenstore kinds "virtio" and
 * "virtio_disk", as a stock xl writes them:
 *
 *	disk   = [ "vdev=xvda,backendtype=standalone,specification=virtio,target=/dev/vg/guest" ]
 *	virtio = [ "type=virtio,device4,transport=mmio" ]
 *
 * The protocol is docs/protocol.md.  This file: the module, and a device that comes and goes.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <xen/xen.h>

#include "vx.h"

static int vx_probe(struct xenbus_device *xdev, const struct xenbus_device_id *id)
{
	struct vx_device *vd = kzalloc(sizeof(*vd), GFP_KERNEL);

	BUILD_BUG_ON(PAGE_SIZE != VX_PAGE_SIZE);
	if (!vd)
		return -ENOMEM;
	vd->wq = create_freezable_workqueue(dev_name(&xdev->dev));
	if (!vd->wq) {
		kfree(vd);
		return -ENOMEM;
	}
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
	INIT_DELAYED_WORK(&vd->config_work, vx_config_work);
	INIT_WORK(&vd->fail_work, vx_fail_work);
	INIT_DELAYED_WORK(&vd->give_up, vx_give_up);
	INIT_DELAYED_WORK(&vd->retry, vx_retry);
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
	cancel_delayed_work_sync(&vd->retry);
	cancel_work_sync(&vd->work);	/* asked for meanwhile: it does nothing */
	cancel_delayed_work_sync(&vd->config_work);
	cancel_work_sync(&vd->fail_work);
	destroy_workqueue(vd->wq);
	vx_conn_forget(vd);
	dev_set_drvdata(&xdev->dev, NULL);
	kfree(vd);
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
	int ret;

	if (!xen_domain())
		return -ENODEV;
	vx_wq = alloc_workqueue("virtio_xenbus", WQ_MEM_RECLAIM, 0);
	if (!vx_wq)
		return -ENOMEM;
	ret = xenbus_register_frontend(&vx_driver);
	if (ret)
		destroy_workqueue(vx_wq);
	return ret;
}
module_init(vx_init);

static void __exit vx_exit(void)
{
	xenbus_unregister_driver(&vx_driver);
	destroy_workqueue(vx_wq);
}
module_exit(vx_exit);

MODULE_DESCRIPTION("virtio devices over XenBus");
MODULE_LICENSE("GPL");
#ifdef VX_MODULE_VERSION
MODULE_VERSION(VX_MODULE_VERSION);
#endif
