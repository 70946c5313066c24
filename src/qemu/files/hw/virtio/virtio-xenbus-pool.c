/*
 * Virtio over XenBus, backend: the driver's pool as RAM of an address space
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The pool is an object of its own and owns the memory region. So whoever has
 * a part of it mapped (a request, a ring's cache, an RCU reader) keeps it, and
 * the grants are unmapped when the last of them is done.
 *
 * Its last pages may be granted for reading alone (section 5.1 of the protocol):
 * they are mapped apart, and are a region of their own that is ROM. vhost leaves
 * ROM out of the memory table that the kernel gets, and has rings mapped by
 * their host address; what the device would write there is an error.
 */

#include "qemu/osdep.h"
#include "qemu/rcu.h"
#include "qapi/error.h"
#include "exec/memory.h"
#include "virtio-xenbus.h"

struct VirtIOXenbusPool {
    Object parent_obj;

    xengnttab_handle *xgth;
    uint32_t *refs;
    uint32_t pages;     /* that can be written */
    uint32_t ro_pages;  /* behind them */
    void *map;
    void *ro_map;
    MemoryRegion mr;
    MemoryRegion ro_mr;
    bool *gone;         /* set when the grants are unmapped */
};

static void *vxb_pool_map(VirtIOXenbusPool *pool, uint32_t domid,
                          uint32_t *refs, uint32_t pages, int prot,
                          Error **errp)
{
    void *map = qemu_xen_gnttab_map_refs(pool->xgth, pages, domid, refs, prot);

    if (!map) {
        error_setg_errno(errp, errno, "cannot map the pool of %u pages",
                         pool->pages + pool->ro_pages);
    }
    return map;
}

static void vxb_pool_show(VirtIOXenbusPool *pool, MemoryRegion *root)
{
    uint64_t size = (uint64_t)pool->pages * VX_PAGE_SIZE;

    memory_region_init_ram_ptr(&pool->mr, OBJECT(pool), "virtio-xenbus-pool",
                               size, pool->map);
    memory_region_add_subregion(root, VX_POOL_BASE, &pool->mr);
    if (!pool->ro_pages) {
        return;
    }
    memory_region_init_ram_ptr(&pool->ro_mr, OBJECT(pool),
                               "virtio-xenbus-rings",
                               (uint64_t)pool->ro_pages * VX_PAGE_SIZE,
                               pool->ro_map);
    memory_region_set_readonly(&pool->ro_mr, true);
    memory_region_add_subregion(root, VX_POOL_BASE + size, &pool->ro_mr);
}

VirtIOXenbusPool *vxb_pool_new(uint32_t domid, uint32_t *refs, uint32_t pages,
                               uint32_t ro_pages, MemoryRegion *root,
                               Error **errp)
{
    VirtIOXenbusPool *pool;

    pool = VIRTIO_XENBUS_POOL(object_new(TYPE_VIRTIO_XENBUS_POOL));
    pool->refs = refs;
    pool->pages = pages - ro_pages;
    pool->ro_pages = ro_pages;
    pool->xgth = qemu_xen_gnttab_open();
    if (!pool->xgth) {
        error_setg_errno(errp, errno, "cannot open gntdev");
        goto fail;
    }

    pool->map = vxb_pool_map(pool, domid, refs, pool->pages,
                             PROT_READ | PROT_WRITE, errp);
    if (!pool->map) {
        goto fail;
    }
    if (ro_pages) {
        pool->ro_map = vxb_pool_map(pool, domid, refs + pool->pages, ro_pages,
                                    PROT_READ, errp);
        if (!pool->ro_map) {
            goto fail;
        }
    }
    vxb_pool_show(pool, root);
    return pool;

fail:
    object_unref(OBJECT(pool));
    return NULL;
}

bool vxb_pool_drop(VirtIOXenbusPool *pool, MemoryRegion *root)
{
    bool gone = false;

    pool->gone = &gone;
    memory_region_del_subregion(root, &pool->mr);
    if (pool->ro_pages) {
        memory_region_del_subregion(root, &pool->ro_mr);
    }
    object_unref(OBJECT(pool));
    /*
     * First the caches of the rings, which hold views of the address space,
     * then these views, which hold the region.
     */
    for (int i = 0; i < 3 && !gone; i++) {
        drain_call_rcu();
    }
    if (!gone) {
        pool->gone = NULL;
    }
    return gone;
}

uint32_t vxb_pool_pages(const VirtIOXenbusPool *pool)
{
    return pool->pages + pool->ro_pages;
}

uint32_t vxb_pool_ro_pages(const VirtIOXenbusPool *pool)
{
    return pool->ro_pages;
}

void *vxb_pool_at(const VirtIOXenbusPool *pool, uint64_t addr)
{
    uint64_t offset = addr - VX_POOL_BASE;
    uint64_t size = (uint64_t)pool->pages * VX_PAGE_SIZE;

    return offset < size ? (uint8_t *)pool->map + offset :
                           (uint8_t *)pool->ro_map + (offset - size);
}

static void vxb_pool_finalize(Object *obj)
{
    VirtIOXenbusPool *pool = VIRTIO_XENBUS_POOL(obj);

    if (pool->map) {
        qemu_xen_gnttab_unmap(pool->xgth, pool->map, pool->refs, pool->pages);
    }
    if (pool->ro_map) {
        qemu_xen_gnttab_unmap(pool->xgth, pool->ro_map,
                              pool->refs + pool->pages, pool->ro_pages);
    }
    if (pool->xgth) {
        qemu_xen_gnttab_close(pool->xgth);
    }
    g_free(pool->refs);
    if (pool->gone) {
        *pool->gone = true;
    }
}

static const TypeInfo vxb_pool_info = {
    .name = TYPE_VIRTIO_XENBUS_POOL,
    .parent = TYPE_OBJECT,
    .instance_size = sizeof(VirtIOXenbusPool),
    .instance_finalize = vxb_pool_finalize,
};

static void vxb_pool_register_types(void)
{
    type_register_static(&vxb_pool_info);
}

type_init(vxb_pool_register_types)
