/*
 * Virtio over XenBus, backend: the driver's pool as RAM of an address space
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The pool is an object of its own and owns the memory region. So whoever has
 * a part of it mapped (a request, a ring's cache, an RCU reader) keeps it, and
 * the grants are unmapped when the last of them is done.
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
    uint32_t pages;
    void *map;
    MemoryRegion mr;
    bool *gone;         /* set when the grants are unmapped */
};

VirtIOXenbusPool *vxb_pool_new(uint32_t domid, uint32_t *refs, uint32_t pages,
                               MemoryRegion *root, Error **errp)
{
    VirtIOXenbusPool *pool;

    pool = VIRTIO_XENBUS_POOL(object_new(TYPE_VIRTIO_XENBUS_POOL));
    pool->refs = refs;
    pool->pages = pages;
    pool->xgth = qemu_xen_gnttab_open();
    if (!pool->xgth) {
        error_setg_errno(errp, errno, "cannot open gntdev");
        goto fail;
    }

    pool->map = qemu_xen_gnttab_map_refs(pool->xgth, pages, domid, refs,
                                         PROT_READ | PROT_WRITE);
    if (!pool->map) {
        error_setg_errno(errp, errno, "cannot map the pool of %u pages", pages);
        goto fail;
    }

    memory_region_init_ram_ptr(&pool->mr, OBJECT(pool), "virtio-xenbus-pool",
                               (uint64_t)pages * VX_PAGE_SIZE, pool->map);
    memory_region_add_subregion(root, VX_POOL_BASE, &pool->mr);
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
    return pool->pages;
}

void *vxb_pool_at(const VirtIOXenbusPool *pool, uint64_t addr)
{
    return (uint8_t *)pool->map + (addr - VX_POOL_BASE);
}

static void vxb_pool_finalize(Object *obj)
{
    VirtIOXenbusPool *pool = VIRTIO_XENBUS_POOL(obj);

    if (pool->map) {
        qemu_xen_gnttab_unmap(pool->xgth, pool->map, pool->refs, pool->pages);
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
