// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * DMA operations of the xenbus device: every buffer of its virtqueues lives in
 * the pool while it is mapped.  virtio on Xen always asks these (the ring code
 * says so for every Xen domain), so that descriptors hold pool addresses alone.
 *
 * What a mapping is a copy of is recorded in the allocator's own memory: nothing
 * the backend writes can make us copy from or to another place.
 */
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/mm.h>
#include <linux/scatterlist.h>

#include "vx.h"

/* Cookie of a coherent allocation, which is a copy of nothing; no buffer is there. */
#define COHERENT	(~0ull)

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
	if (!ret && cookie != COHERENT)
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
 * When it gives descriptors back, the ring code reads in shared memory where a
 * chain ends: it can be led to others, which are not in use.
 */
static void vx_not_mapped(struct vx_device *vd, u64 addr)
{
	vx_fail_later(vd, -EPROTO, "%#llx is unmapped, but is not mapped: the descriptors were changed", addr);
}

static void vx_free(struct vx_device *vd, u64 addr)
{
	struct vx_mapping was;
	unsigned long irq;
	int ret;

	spin_lock_irqsave(&vd->pool_lock, irq);
	ret = vx_pool_free(&vd->pool, addr, &was);
	if (!ret && was.cookie != COHERENT)
		vd->mapped--;
	spin_unlock_irqrestore(&vd->pool_lock, irq);
	if (ret)
		vx_not_mapped(vd, addr);
}

bool vx_dma_is_mapped(struct vx_device *vd, u64 addr, u32 size)
{
	struct vx_mapping m;

	return !vx_find(vd, addr, 1, &m) && m.addr == addr && m.size == size && m.cookie != COHERENT;
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

	if (vx_alloc(vd, size, 1, flags, phys, &addr))
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

static void vx_sync(struct vx_device *vd, dma_addr_t addr, size_t size, bool to_cpu)
{
	struct vx_mapping m;
	void *buf;

	if (vx_find(vd, addr, size, &m) || m.cookie == COHERENT) {
		vx_not_mapped(vd, addr);
		return;
	}
	buf = phys_to_virt(m.cookie) + (addr - m.addr);
	/* No answer must look like one: a status of 0 would mean success. */
	if (to_cpu && vx_link_failed(vx_link(vd)))
		memset(buf, 0xff, size);
	else if (to_cpu)
		memcpy(buf, vx_pool_at(vd, addr), size);
	else
		memcpy(vx_pool_at(vd, addr), buf, size);
}

static void vx_unmap(struct vx_device *vd, dma_addr_t addr, size_t size,
		     enum dma_data_direction dir, unsigned long attrs)
{
	if (dir != DMA_TO_DEVICE && !(attrs & DMA_ATTR_SKIP_CPU_SYNC))
		vx_sync(vd, addr, size, true);
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
		vx_sync(dev_get_drvdata(dev), addr, size, true);
}

static void vx_dma_sync_for_device(struct device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir)
{
	if (dir != DMA_FROM_DEVICE)
		vx_sync(dev_get_drvdata(dev), addr, size, false);
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

/* ---- coherent: rings and what both sides write ---- */

void *vx_dma_alloc_shared(struct vx_device *vd, size_t size, dma_addr_t *handle)
{
	u64 addr;

	if (vx_alloc(vd, size, PAGE_SIZE, 0, COHERENT, &addr))
		return NULL;
	memset(vx_pool_at(vd, addr), 0, size);
	*handle = addr;
	return vx_pool_at(vd, addr);
}

void vx_dma_free_shared(struct vx_device *vd, dma_addr_t handle)
{
	vx_free(vd, handle);
}

static void *vx_dma_alloc(struct device *dev, size_t size, dma_addr_t *handle, gfp_t gfp,
			  unsigned long attrs)
{
	return vx_dma_alloc_shared(dev_get_drvdata(dev), size, handle);
}

static void vx_dma_free(struct device *dev, size_t size, void *va, dma_addr_t handle,
			unsigned long attrs)
{
	vx_free(dev_get_drvdata(dev), handle);
}

static int vx_dma_supported(struct device *dev, u64 mask)
{
	return 1;
}

/* A request of many such segments must still find room. */
static size_t vx_dma_max_mapping_size(struct device *dev)
{
	struct vx_device *vd = dev_get_drvdata(dev);

	return max_t(size_t, (size_t)vd->pages / 32 << PAGE_SHIFT, PAGE_SIZE);
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
