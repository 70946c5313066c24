// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The connection to a backend: pool, directory, control page, control channel and
 * what xenstore says of them.  docs/protocol.md, sections 3 to 6.
 */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/virtio_ids.h>
#include <linux/vmalloc.h>
#include <xen/events.h>
#include <xen/page.h>

#include "vx.h"

static unsigned int pool_pages;
module_param(pool_pages, uint, 0444);
MODULE_PARM_DESC(pool_pages, "pages shared with the backend by each device (0: what the backend thinks right, or 1024)");

static unsigned int pool_limit;
module_param(pool_limit, uint, 0644);
MODULE_PARM_DESC(pool_limit, "most pages that a backend may think right (0: a 64th of the memory, or 1024)");

static unsigned int queue_size = 256;
module_param(queue_size, uint, 0444);
MODULE_PARM_DESC(queue_size, "most descriptors of a virtqueue (256)");

unsigned int vx_queue_size(void)
{
	return max(queue_size, 2u);
}

/* ---- memory ---- */

static int vx_grant(struct vx_device *vd, struct page *page, bool readonly, grant_ref_t *ref)
{
	int ret = gnttab_grant_foreign_access(vd->xdev->otherend_id, xen_page_to_gfn(page), readonly);

	if (ret < 0)
		return ret;
	*ref = ret;
	return 0;
}

/* The page goes back to the kernel when the backend has unmapped it, not before. */
static void vx_ungrant(struct page *page, grant_ref_t ref)
{
	gnttab_end_foreign_access(ref, page);
}

static __le32 *vx_pool_ref(struct vx_device *vd, u32 i)
{
	return &vd->dir[i / VX_DIR_REFS][i % VX_DIR_REFS];
}

static int vx_pool_fill(struct vx_device *vd, u32 pages)
{
	for (; vd->pages < pages; vd->pages++) {
		struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
		grant_ref_t ref;
		int ret;

		if (!page)
			return -ENOMEM;
		ret = vx_grant(vd, page, vd->pages >= pages - vd->ro_pages, &ref);
		if (ret) {
			__free_page(page);
			return ret;
		}
		vd->page[vd->pages] = page;
		*vx_pool_ref(vd, vd->pages) = cpu_to_le32(ref);
	}
	vd->pool_va = vmap(vd->page, pages, VM_MAP, PAGE_KERNEL);
	return vd->pool_va ? 0 : -ENOMEM;
}

static int vx_dir_make(struct vx_device *vd, u32 n)
{
	for (u32 i = 0; i < n; i++) {
		__le32 *dir = (__le32 *)get_zeroed_page(GFP_KERNEL);
		int ret;

		if (!dir)
			return -ENOMEM;
		ret = vx_grant(vd, virt_to_page(dir), true, &vd->dir_ref[i]);
		if (ret) {
			free_page((unsigned long)dir);
			return ret;
		}
		vd->dir[i] = dir;
		vd->ctrl->dir[i] = cpu_to_le32(vd->dir_ref[i]);
	}
	return 0;
}

static int vx_ctrl_make(struct vx_device *vd, u32 pages)
{
	struct vx_ctrl *c = (struct vx_ctrl *)get_zeroed_page(GFP_KERNEL);
	int ret;

	if (!c)
		return -ENOMEM;
	c->magic = cpu_to_le32(VX_MAGIC_DRIVER);
	c->version = cpu_to_le16(vd->offer.version);
	c->pool_pages = cpu_to_le32(pages);
	c->dir_pages = cpu_to_le32(VX_DIR_PAGES(pages));
	c->ro_pages = cpu_to_le32(vd->ro_pages);
	ret = vx_grant(vd, virt_to_page(c), false, &vd->ctrl_ref);
	if (ret) {
		free_page((unsigned long)c);
		return ret;
	}
	vd->ctrl = c;
	return 0;
}

/*
 * What only transmission may use.  virtio-net fills its receive queues with all
 * the buffers they take, and drops a packet for which it finds no room; other
 * drivers try again.
 */
static u32 vx_pool_reserve(struct vx_device *vd, u32 pages)
{
	return vd->offer.limits.device_id == VIRTIO_ID_NET ? pages / 4 : 0;
}

static int vx_memory_make(struct vx_device *vd, u32 pages)
{
	int ret;

	vd->distrust = false;
	vd->page = kvcalloc(pages, sizeof(*vd->page), GFP_KERNEL);
	vd->pool_meta = kvzalloc(vx_pool_meta_size(pages), GFP_KERNEL);
	if (!vd->page || !vd->pool_meta)
		return -ENOMEM;
	ret = vx_pool_init(&vd->pool, vd->pool_meta, pages, vx_pool_reserve(vd, pages), vd->ro_pages);
	if (!ret)
		ret = vx_ctrl_make(vd, pages);
	if (!ret)
		ret = vx_dir_make(vd, VX_DIR_PAGES(pages));
	return ret ? ret : vx_pool_fill(vd, pages);
}

/*
 * A page that the backend has not unmapped stays the pool's, and the next pool would be
 * more memory.  A reference tells when all of them are free; their array is kept.
 */
static void vx_pool_hold(struct vx_device *vd)
{
	/* Of the pool before there is something left: this is the loopback's, which nobody maps. */
	if (vd->old_page || !vd->pages)
		return;
	for (u32 i = 0; i < vd->pages; i++)
		get_page(vd->page[i]);
	vd->old_page = kvmalloc_array(vd->pages, sizeof(*vd->page), GFP_KERNEL);
	if (vd->old_page)
		memcpy(vd->old_page, vd->page, vd->pages * sizeof(*vd->page));
	else
		for (u32 i = 0; i < vd->pages; i++)
			put_page(vd->page[i]);
	vd->old_pages = vd->old_page ? vd->pages : 0;
	vd->old_since = jiffies;
}

bool vx_conn_held(struct vx_device *vd)
{
	while (vd->old_pages) {
		struct page *page = vd->old_page[vd->old_pages - 1];

		if (page_count(page) > 1)
			return true;
		put_page(page);
		vd->old_pages--;
	}
	kvfree(vd->old_page);
	vd->old_page = NULL;
	return false;
}

void vx_conn_forget(struct vx_device *vd)
{
	while (vd->old_pages)
		put_page(vd->old_page[--vd->old_pages]);
	kvfree(vd->old_page);
	vd->old_page = NULL;
}

static void vx_memory_free(struct vx_device *vd)
{
	if (vd->pool_va)
		vunmap(vd->pool_va);
	vd->pool_va = NULL;
	vx_pool_hold(vd);
	/* The directory is granted read-only: what is read back is what we wrote. */
	while (vd->pages) {
		vd->pages--;
		vx_ungrant(vd->page[vd->pages], le32_to_cpu(*vx_pool_ref(vd, vd->pages)));
	}
	for (u32 i = 0; i < VX_DIR_MAX_PAGES && vd->dir[i]; i++) {
		vx_ungrant(virt_to_page(vd->dir[i]), vd->dir_ref[i]);
		vd->dir[i] = NULL;
	}
	if (vd->ctrl)
		vx_ungrant(virt_to_page(vd->ctrl), vd->ctrl_ref);
	vd->ctrl = NULL;
	kvfree(vd->pool_meta);
	kvfree(vd->page);
	vd->pool_meta = NULL;
	vd->page = NULL;
}

/* ---- the whole ---- */

static int vx_channel_make(struct vx_device *vd)
{
	evtchn_port_t port;
	int ret = xenbus_alloc_evtchn(vd->xdev, &port);

	if (ret)
		return ret;
	ret = bind_evtchn_to_irqhandler_lateeoi(port, vx_control_event, 0, "virtio-xenbus", vd);
	if (ret < 0) {
		xenbus_free_evtchn(vd->xdev, port);
		return ret;
	}
	vd->port = port;
	vd->irq = ret;
	return 0;
}

static int vx_publish_in(struct vx_device *vd, struct xenbus_transaction t)
{
	const char *node = vd->xdev->nodename;
	int ret = xenbus_printf(t, node, VX_NODE_VERSION, "%u", vd->offer.version);

	if (!ret)
		ret = xenbus_printf(t, node, VX_NODE_MEM_MODE, "%s", VX_MEM_MODE_POOL);
	if (!ret)
		ret = xenbus_printf(t, node, VX_NODE_INSTANCE, "%u", vd->offer.instance);
	if (!ret)
		ret = xenbus_printf(t, node, VX_NODE_CTRL_REF, "%u", vd->ctrl_ref);
	if (!ret)
		ret = xenbus_printf(t, node, VX_NODE_EVENT_CHANNEL, "%u", vd->port);
	return ret;
}

static int vx_publish(struct vx_device *vd)
{
	struct xenbus_transaction t;
	int ret;

	do {
		ret = xenbus_transaction_start(&t);
		if (ret)
			return ret;
		ret = vx_publish_in(vd, t);
		if (ret) {
			xenbus_transaction_end(t, 1);
			return ret;
		}
		ret = xenbus_transaction_end(t, 0);
	} while (ret == -EAGAIN);
	return ret;
}

/* Its pages, those for the rings included.  The backend must not choose what the guest can spare. */
static u32 vx_pool_size(struct vx_device *vd)
{
	const struct vx_offer *o = &vd->offer;
	u32 cap = READ_ONCE(pool_limit) ? : vx_pool_cap(totalram_pages());
	u32 pages = vx_pool_choose(pool_pages, o->pool_hint, cap, o->pool_max);

	vd->ro_pages = o->version < VX_VERSION_READONLY ? 0 :
		       vx_pool_ro_pages(o->limits.max_queues, vx_queue_size(), pages);
	return min(pages + vd->ro_pages, o->pool_max);
}

/* The backend's half, and both message slots, as in a new control page. */
static void vx_ctrl_clear(struct vx_ctrl *c)
{
	size_t from = offsetof(struct vx_ctrl, req_posted);

	memset((void *)c + from, 0, offsetof(struct vx_ctrl, dir) - from);
	memset(c->config, 0, sizeof(c->config));
}

int vx_conn_reconnect(struct vx_device *vd)
{
	/* The cleared page is not to be taken for the device's configuration. */
	vx_config_end(vd);
	mutex_lock(&vd->call_lock);
	vx_ctrl_clear(vd->ctrl);
	vd->seq = vd->seen_posted = vd->seen_gen = 0;
	vd->late = false;
	vx_set_link(vd, VX_LINK_OPEN);
	mutex_unlock(&vd->call_lock);
	dev_dbg(&vd->xdev->dev, "connection: offered to instance %u as it is\n", vd->offer.instance);
	return vx_publish(vd);
}

int vx_conn_loopback(struct vx_device *vd)
{
	int ret;

	vx_conn_close(vd);
	vd->ro_pages = 0;
	ret = vx_memory_make(vd, VX_POOL_MIN_PAGES * 32);
	if (ret)
		vx_memory_free(vd);
	else
		vx_set_link(vd, VX_LINK_LOOPBACK);
	return ret;
}

int vx_conn_open(struct vx_device *vd)
{
	int ret;

	vd->seq = vd->seen_posted = vd->seen_gen = 0;
	vd->late = false;
	vd->failed = 0;
	clear_bit(0, &vd->finding);
	vd->needs_reset = false;
	ret = vx_memory_make(vd, vx_pool_size(vd));
	if (!ret)
		ret = vx_channel_make(vd);
	if (!ret) {
		vx_set_link(vd, VX_LINK_OPEN);	/* there is a page for messages, not before */
		ret = vx_publish(vd);
	}
	dev_dbg(&vd->xdev->dev, "connection: offered to instance %u, %u pages, control page %u, port %u: %d\n",
		vd->offer.instance, vd->pages, vd->ctrl_ref, vd->port, ret);
	if (ret)
		vx_conn_close(vd);
	return ret;
}

void vx_conn_close(struct vx_device *vd)
{
	vx_set_link(vd, VX_LINK_CLOSED);
	vx_config_end(vd);
	/* Who still waits for an answer looks at the page once more. */
	mutex_lock(&vd->call_lock);
	/* After this no handler runs; the port is closed with it. */
	if (vd->irq) {
		dev_dbg(&vd->xdev->dev, "connection: ended\n");
		unbind_from_irqhandler(vd->irq, vd);
	}
	vd->irq = 0;
	vx_memory_free(vd);
	mutex_unlock(&vd->call_lock);
}
