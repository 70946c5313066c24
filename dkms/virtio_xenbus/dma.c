// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DMA operations of the xenbus device: every buffer of its virtqueues lives in
 * the pool while it is mapped.  virtio on Xen always asks these (the ring code
 * says so for every Xen domain), so that descriptors hold pool addresses alone.
 *
 * What a mapping is a copy of, and in which direction, is recorded in the allocator's
 * own memory: nothing the backend writes can make us copy from or to another place.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "vx.h"

static void *vx_pool_at(struct vx_device *vd, u64 addr)
{
	return vd->pool_va + (addr - VX_POOL_BASE);
}

static int vx_alloc(struct vx_device *vd, size_t size, size_t align, unsigned int flags,
		    u64 cookie, u64 *addr)
{
	unsigned long irq;
	int ret;

	spin_lock_irqsave(&vd->pool_lock, irq);
	ret = vx_pool_alloc(&vd->pool, size, align, flags, cookie, addr);
	if (!ret && cookie != VX_COHERENT)
		vd->mapped++;
	spin_unlock_irqrestore(&vd->pool_lock, irq);
	return ret;
}

static int vx_find(struct vx_device *vd, u64 addr, size_t size, struct vx_mapping *m)
{
	unsigned long irq;
	int ret;

	spin_lock_irqsave(&vd->pool_lock, irq);
	ret = vx_pool_find(&vd->pool, addr, size, m);
	spin_unlock_irqrestore(&vd->pool_lock, irq);
	return ret;
}

/*
 * When it gives descriptors back, the ring code reads in shared memory where a chain
 * ends, if the backend can write there (version 1): it can be led to others, which are
 * not in use, or are of another request.  What is known of mappings is then no longer
 * right for the ring code's purposes, and nothing is copied any more.
 */
static void vx_changed(struct vx_device *vd, u64 addr, size_t size)
{
	vx_distrust(vd, "the descriptors were changed: %zu bytes at %#llx are unmapped, but not so mapped", size, addr);
}

static void vx_free(struct vx_device *vd, u64 addr)
{
	struct vx_mapping was;
	unsigned long irq;
	int ret;

	spin_lock_irqsave(&vd->pool_lock, irq);
	ret = vx_pool_free(&vd->pool, addr, &was);
	if (!ret && was.cookie != VX_COHERENT) {
		vd->mapped--;
		vd->unmapped++;
	}
	spin_unlock_irqrestore(&vd->pool_lock, irq);
	if (ret)
		vx_changed(vd, addr, 0);
}

bool vx_dma_is_mapped(struct vx_device *vd, u64 addr, u32 size)
{
	struct vx_mapping m;

	return !vx_find(vd, addr, 1, &m) && m.addr == addr && m.size == size && m.cookie != VX_COHERENT;
}

bool vx_dma_busy(struct vx_device *vd)
{
	return READ_ONCE(vd->mapped);
}

/* ---- one buffer ---- */

static dma_addr_t vx_map(struct vx_device *vd, phys_addr_t phys, size_t size,
			 enum dma_data_direction dir, unsigned long attrs)
{
	/* Transmission must not wait for receive buffers, which fill all there is. */
	unsigned int flags = dir == DMA_TO_DEVICE ? VX_POOL_RESERVE : 0;
	u64 addr;

	/* The ring code's free list may be wrong: it must take no descriptor from it. */
	if (READ_ONCE(vd->distrust))
		return DMA_MAPPING_ERROR;
	if (vx_alloc(vd, size, 1, flags, vx_cookie(phys, dir), &addr))
		return DMA_MAPPING_ERROR;
	/*
	 * All of it is written, whatever the attributes say: no byte of an earlier
	 * mapping may be copied back from this one.  A buffer that only the device
	 * writes is not shown to it; and it may have promised to leave no byte of
	 * it as it was.  One that lies knows all that is in the pool anyway.
	 */
	if (dir == DMA_FROM_DEVICE && vd->writes_all)
		return addr;
	if (dir == DMA_FROM_DEVICE || (attrs & DMA_ATTR_SKIP_CPU_SYNC))
		memset(vx_pool_at(vd, addr), 0, size);
	else
		memcpy(vx_pool_at(vd, addr), phys_to_virt(phys), size);
	return addr;
}

/* Nothing of what the backend has written is to be believed. */
static bool vx_no_copies(struct vx_device *vd)
{
	return READ_ONCE(vd->distrust) || vx_link_failed(vx_link(vd));
}

static void vx_copy(struct vx_device *vd, const struct vx_mapping *m, u64 addr, size_t size, bool to_cpu)
{
	void *buf = phys_to_virt(vx_cookie_phys(m->cookie)) + (addr - m->addr);

	/* No answer must look like one: a status of 0 would mean success. */
	if (to_cpu && vx_no_copies(vd))
		memset(buf, 0xff, size);
	else if (to_cpu)
		memcpy(buf, vx_pool_at(vd, addr), size);
	else if (!vx_no_copies(vd))
		memcpy(vx_pool_at(vd, addr), buf, size);
}

static void vx_sync(struct vx_device *vd, dma_addr_t addr, size_t size, enum dma_data_direction dir, bool to_cpu)
{
	struct vx_mapping m;

	if (vx_find(vd, addr, size, &m) || !vx_sync_ok(&m, dir))
		vx_changed(vd, addr, size);
	else
		vx_copy(vd, &m, addr, size, to_cpu);
}

/* What it is is known here; what the ring code says, which may be what the backend says, must be the same. */
static void vx_unmap(struct vx_device *vd, dma_addr_t addr, size_t size,
		     enum dma_data_direction dir, unsigned long attrs)
{
	struct vx_mapping m;

	if (vx_find(vd, addr, size, &m) || !vx_unmap_ok(&m, addr, size, dir)) {
		vx_changed(vd, addr, size);
		return;
	}
	if (dir != DMA_TO_DEVICE && !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		vx_copy(vd, &m, addr, size, true);
	vx_free(vd, addr);
}

#ifdef VX_HAVE_MAP_PHYS
static dma_addr_t vx_dma_map_phys(struct device *dev, phys_addr_t phys, size_t size,
				  enum dma_data_direction dir, unsigned long attrs)
{
	/* A device's registers are no memory that could be copied. */
	if (attrs & DMA_ATTR_MMIO)
		return DMA_MAPPING_ERROR;
	return vx_map(dev_get_drvdata(dev), phys, size, dir, attrs);
}
#else
static dma_addr_t vx_dma_map_page(struct device *dev, struct page *page, unsigned long offset,
				  size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	return vx_map(dev_get_drvdata(dev), page_to_phys(page) + offset, size, dir, attrs);
}
#endif

static void vx_dma_unmap(struct device *dev, dma_addr_t addr, size_t size,
			 enum dma_data_direction dir, unsigned long attrs)
{
	vx_unmap(dev_get_drvdata(dev), addr, size, dir, attrs);
}

static void vx_dma_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
{
	if (dir != DMA_TO_DEVICE)
		vx_sync(dev_get_drvdata(dev), addr, size, dir, true);
}

static void vx_dma_sync_for_device(struct device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir)
{
	if (dir != DMA_FROM_DEVICE)
		vx_sync(dev_get_drvdata(dev), addr, size, dir, false);
}

/* ---- scatter-gather ---- */

static void vx_dma_unmap_sg(struct device *dev, struct scatterlist *sgl, int n,
			    enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, n, i)
		vx_unmap(dev_get_drvdata(dev), sg_dma_address(sg), sg_dma_len(sg), dir, attrs);
}

static int vx_dma_map_sg(struct device *dev, struct scatterlist *sgl, int n,
			 enum dma_data_direction dir, unsigned long attrs)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, n, i) {
		dma_addr_t addr = vx_map(dev_get_drvdata(dev), sg_phys(sg), sg->length, dir, attrs);

		if (addr == DMA_MAPPING_ERROR) {
			/* Nothing came back from the device yet. */
			vx_dma_unmap_sg(dev, sgl, i, dir, attrs | DMA_ATTR_SKIP_CPU_SYNC);
			return -ENOMEM;
		}
		sg_dma_address(sg) = addr;
		sg_dma_len(sg) = sg->length;
	}
	return n;
}

static void vx_dma_sync_sg_for_cpu(struct device *dev, struct scatterlist *sgl, int n,
				   enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, n, i)
		vx_dma_sync_for_cpu(dev, sg_dma_address(sg), sg_dma_len(sg), dir);
}

static void vx_dma_sync_sg_for_device(struct device *dev, struct scatterlist *sgl, int n,
				      enum dma_data_direction dir)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, n, i)
		vx_dma_sync_for_device(dev, sg_dma_address(sg), sg_dma_len(sg), dir);
}

/* ---- coherent: what both sides write ---- */

void *vx_dma_alloc_shared(struct vx_device *vd, size_t size, dma_addr_t *handle)
{
	u64 addr;

	if (vx_alloc(vd, size, PAGE_SIZE, 0, VX_COHERENT, &addr))
		return NULL;
	memset(vx_pool_at(vd, addr), 0, size);
	*handle = addr;
	return vx_pool_at(vd, addr);
}

void vx_dma_free_shared(struct vx_device *vd, dma_addr_t handle)
{
	vx_free(vd, handle);
}

/* ---- coherent: rings ---- */

/* Two parts of the pool in a row, as the ring code wants them. */
static void *vx_ring_map(struct vx_device *vd, const struct vx_ring *r, size_t ro, size_t rw)
{
	unsigned int n = 0, total = PFN_UP(ro) + PFN_UP(rw);
	struct page **page = kmalloc_array(total, sizeof(*page), GFP_KERNEL);
	void *va;

	if (!page)
		return NULL;
	for (unsigned int i = 0; i < PFN_UP(ro); i++)
		page[n++] = vd->page[PFN_DOWN(r->ro - VX_POOL_BASE) + i];
	for (unsigned int i = 0; i < PFN_UP(rw); i++)
		page[n++] = vd->page[PFN_DOWN(r->rw - VX_POOL_BASE) + i];
	va = vmap(page, total, VM_MAP, PAGE_KERNEL);
	kfree(page);
	return va;
}

/*
 * The ring code reads in its descriptors where a chain ends: descriptors and available
 * ring are where the backend cannot write, the used ring where it can.
 */
static void *vx_ring_alloc(struct vx_device *vd, struct vx_ring *r, size_t size, size_t ro, dma_addr_t *handle)
{
	if (vx_alloc(vd, ro, PAGE_SIZE, VX_POOL_RINGS, VX_COHERENT, &r->ro))
		return NULL;
	if (vx_alloc(vd, size - ro, PAGE_SIZE, 0, VX_COHERENT, &r->rw))
		goto no_rw;
	r->va = vx_ring_map(vd, r, ro, size - ro);
	if (!r->va)
		goto no_va;
	memset(r->va, 0, size);
	*handle = r->ro;
	return r->va;
no_va:
	vx_free(vd, r->rw);
no_rw:
	vx_free(vd, r->ro);
	return NULL;
}

static void vx_ring_free(struct vx_device *vd, struct vx_ring *r)
{
	vunmap(r->va);
	r->va = NULL;
	vx_free(vd, r->rw);
	vx_free(vd, r->ro);
}

static void *vx_dma_alloc(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
			  unsigned long attrs)
{
	struct vx_device *vd = dev_get_drvdata(dev);
	size_t ro = vd->ro_pages && vd->ring && !vd->ring->va ? vx_ring_split(size) : 0;

	return ro ? vx_ring_alloc(vd, vd->ring, size, ro, handle) : vx_dma_alloc_shared(vd, size, handle);
}

static void vx_dma_free(struct device *dev, size_t size, void *va, dma_addr_t handle,
			unsigned long attrs)
{
	struct vx_device *vd = dev_get_drvdata(dev);

	if (vd->ring && vd->ring->va == va)
		vx_ring_free(vd, vd->ring);
	else
		vx_free(vd, handle);
}

static int vx_dma_supported(struct device *dev, u64 mask)
{
	return 1;
}

/* A request of many such segments must still find room. */
static size_t vx_dma_max_mapping_size(struct device *dev)
{
	struct vx_device *vd = dev_get_drvdata(dev);

	return max_t(size_t, (size_t)(vd->pages - vd->ro_pages) / 32 << PAGE_SHIFT, PAGE_SIZE);
}

static const struct dma_map_ops vx_dma_ops = {
	.alloc = vx_dma_alloc,
	.free = vx_dma_free,
#ifdef VX_HAVE_MAP_PHYS
	.map_phys = vx_dma_map_phys,
	.unmap_phys = vx_dma_unmap,
#else
	.map_page = vx_dma_map_page,
	.unmap_page = vx_dma_unmap,
#endif
	.map_sg = vx_dma_map_sg,
	.unmap_sg = vx_dma_unmap_sg,
	.sync_single_for_cpu = vx_dma_sync_for_cpu,
	.sync_single_for_device = vx_dma_sync_for_device,
	.sync_sg_for_cpu = vx_dma_sync_sg_for_cpu,
	.sync_sg_for_device = vx_dma_sync_sg_for_device,
	.dma_supported = vx_dma_supported,
	.max_mapping_size = vx_dma_max_mapping_size,
};

int vx_dma_set(struct vx_device *vd)
{
	struct device *dev = &vd->xdev->dev;

	if (get_dma_ops(dev) == &vx_dma_ops)
		return 0;
	set_dma_ops(dev, &vx_dma_ops);
	/* After that: it decides from the operations whether syncs may be skipped. */
	return dma_coerce_mask_and_coherent(dev, DMA_BIT_MASK(64));
}

void vx_dma_clear(struct vx_device *vd)
{
	set_dma_ops(&vd->xdev->dev, NULL);
}
