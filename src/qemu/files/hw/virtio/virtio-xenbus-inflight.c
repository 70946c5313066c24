/*
 * Virtio over XenBus, backend: queues that outlive it
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * virtio.c records in the driver's pool what it has fetched of a queue and not
 * completed. When QEMU was killed, the next one finds there which requests it
 * has to begin again: section 9 of the protocol. All that is read here is the
 * guest's and can change at any moment: it is copied once, and the copies are
 * checked.
 */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/bswap.h"
#include "qemu/cutils.h"
#include "standard-headers/linux/virtio_blk.h"
#include "standard-headers/linux/virtio_ids.h"
#include "standard-headers/linux/virtio_ring.h"
#include "virtio-xenbus.h"
#include "trace.h"

bool vxb_inflight_offered(VirtIOXenbus *xb)
{
    switch (vxb_vdev(xb)->device_id) {
    case VIRTIO_ID_BLOCK:
        /* Appending to a zone is no request that may be done twice. */
        return !virtio_has_feature(vxb_dev_offered(xb), VIRTIO_BLK_F_ZONED);
    case VIRTIO_ID_RNG:
        return true;
    default:
        /* The others have state that only their requests have set. */
        return false;
    }
}

static uint8_t *vxb_heads(struct vx_inflight *area)
{
    return (uint8_t *)(area + 1);
}

/* Of the used elements that the area has not seen: their heads are done. */
static bool vxb_repair(uint8_t *head, uint32_t size, uint16_t from, uint16_t to,
                       const struct vring_used *used)
{
    int n = vx_adopt_used(size, from, to);

    for (int i = 0; i < n; i++) {
        uint32_t slot = (uint16_t)(from + i) % size;
        uint32_t id = le32_to_cpu(qatomic_read(&used->ring[slot].id));

        if (id >= size) {
            return false;
        }
        head[id] = 0;
    }
    return n >= 0;
}

/*
 * The heads in flight, as they became available: backwards from @next, the
 * newest place of each counts. Those whose place has been written anew are
 * older than all others.
 */
static void vxb_order(const uint8_t *head, uint32_t size, uint16_t next,
                      const struct vring_avail *avail, uint16_t *again,
                      uint32_t n)
{
    g_autofree uint8_t *left = g_memdup2(head, size);

    for (uint32_t i = 1; n && i <= size; i++) {
        uint32_t slot = (uint16_t)(next - i) % size;
        uint16_t h = le16_to_cpu(qatomic_read(&avail->ring[slot]));

        if (h < size && left[h]) {
            left[h] = 0;
            again[--n] = h;
        }
    }
    for (uint32_t h = size; n && h-- > 0;) {
        if (left[h]) {
            again[--n] = h;
        }
    }
}

/* Find out in @copy of the area, and in the rings, where to go on. */
static bool vxb_adopt(VXBQueue *q, const struct vx_parsed *r,
                      struct vx_inflight *copy)
{
    struct vring_used *used = vxb_pool_at(q->xb->pool, r->device);
    struct vring_avail *avail = vxb_pool_at(q->xb->pool, r->driver);
    uint16_t used_idx = le16_to_cpu(qatomic_read(&used->idx));
    uint16_t avail_idx = le16_to_cpu(qatomic_read(&avail->idx));
    uint8_t *head = vxb_heads(copy);
    uint32_t size = r->size, heads = 0;

    smp_rmb(); /* the indices before what they stand for */
    if (!le32_to_cpu(copy->magic)) {
        /* Nobody has taken it yet: nothing can have been fetched. */
        if (used_idx || !buffer_is_zero(copy, VX_INFLIGHT_BYTES(size))) {
            return false;
        }
    } else if (le32_to_cpu(copy->magic) != VX_INFLIGHT_MAGIC ||
               le16_to_cpu(copy->size) != size ||
               !vxb_repair(head, size, le16_to_cpu(copy->used_idx),
                           used_idx, used)) {
        return false;
    }
    for (uint32_t i = 0; i < size; i++) {
        if (head[i] > 1) {
            return false;
        }
        heads += head[i];
    }
    if (vx_adopt_next(size, used_idx, heads, avail_idx,
                      &q->record.again_end) < 0) {
        return false;
    }
    q->used_idx = used_idx;
    q->record.again_num = heads;
    vxb_order(head, size, q->record.again_end, avail, q->record.again,
              heads);
    return true;
}

bool vxb_inflight_read(VXBQueue *q, const struct vx_parsed *r)
{
    struct vx_inflight *area;

    if (!q->inflight_size) {
        return true;
    }
    area = vxb_pool_at(q->xb->pool, q->inflight_addr);
    q->record = (VirtQueueInflight) {
        .head = vxb_heads(area),
        .used_idx = (uint16_t *)&area->used_idx,
        .filled = g_new0(uint16_t, r->size),
        .again = g_new0(uint16_t, r->size),
    };
    q->used_idx = 0;
    q->copy = g_malloc0(VX_INFLIGHT_BYTES(r->size));
    if (q->inflight_resume) {
        memcpy(q->copy, area, VX_INFLIGHT_BYTES(r->size));
        barrier();
        if (!vxb_adopt(q, r, q->copy)) {
            vxb_inflight_drop(q);
            return false;
        }
    }
    return true;
}

void vxb_inflight_begin(VXBQueue *q, uint32_t size)
{
    VirtIOXenbus *xb = q->xb;
    struct vx_inflight *area;
    union {
        struct {
            uint32_t magic;
            uint16_t size, used_idx;
        };
        uint64_t all;
    } start = { {
        .magic = cpu_to_le32(VX_INFLIGHT_MAGIC),
        .size = cpu_to_le16(size),
        .used_idx = cpu_to_le16(q->used_idx),
    } };

    if (!q->copy) {
        return;
    }
    area = vxb_pool_at(xb->pool, q->inflight_addr);
    for (uint32_t i = 0; i < size; i++) {
        qatomic_set(&vxb_heads(area)[i], vxb_heads(q->copy)[i]);
    }
    smp_wmb(); /* heads are right before the index says so */
    /* At once: we may be killed between any two writes. */
    QEMU_BUILD_BUG_ON(sizeof(start) != sizeof(*area));
    qatomic_set((uint64_t *)area, start.all);
    g_clear_pointer(&q->copy, g_free);

    virtio_queue_set_inflight(vxb_vdev(xb), q->index, &q->record, q->used_idx);
    if (q->inflight_resume) {
        trace_virtio_xenbus_adopted(XEN_DEVICE(xb)->frontend_id, xb->kind,
                                    xb->devid, q->index, q->used_idx,
                                    q->record.again_num);
    }
}

void vxb_inflight_drop(VXBQueue *q)
{
    g_clear_pointer(&q->record.filled, g_free);
    g_clear_pointer(&q->record.again, g_free);
    g_clear_pointer(&q->copy, g_free);
    q->record.again_num = 0;
}

void vxb_inflight_forget(VXBQueue *q)
{
    vxb_inflight_drop(q);
    q->inflight_size = 0;
}
