/*
 * Virtio over XenBus, backend: what its files share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */

#ifndef HW_VIRTIO_XENBUS_H
#define HW_VIRTIO_XENBUS_H

#include "hw/virtio/virtio.h"
#include "hw/virtio/virtio-bus.h"
#include "hw/xen/virtio-xenbus-compat.h"
#include "qemu/host-utils.h"
#include "qemu/timer.h"

/* The checks are shared with the driver; both they and QEMU have this one. */
#define is_power_of_2 vx_is_power_of_2
#include "xenbus/msg.h"
#undef is_power_of_2

#define TYPE_VIRTIO_XENBUS "virtio-xenbus"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIOXenbus, VIRTIO_XENBUS)

#define TYPE_VIRTIO_XENBUS_POOL "virtio-xenbus-pool"
OBJECT_DECLARE_SIMPLE_TYPE(VirtIOXenbusPool, VIRTIO_XENBUS_POOL)

typedef struct VXBQueue {
    VirtIOXenbus *xb;
    uint16_t index;
    bool enabled;
    XenEventChannel *channel;   /* while enabled */
    AioContext *ctx;            /* whose thread serves it; NULL: main loop */
    AioContext *old_ctx;        /* what may still run its last notification */
    bool relayed;               /* the kernel serves it: vxb_relay_ctx() */

    /* in-flight area: SET_INFLIGHT since the last reset */
    uint16_t inflight_size;     /* 0: there was none */
    bool inflight_resume;
    uint64_t inflight_addr;
    VirtQueueInflight record;   /* while enabled */
    uint16_t used_idx;          /* where it goes on */
    struct vx_inflight *copy;   /* between _read() and _begin() */
} VXBQueue;

/* What the driver wrote to its directory, for one connection. */
typedef struct VXBNodes {
    uint32_t version;
    uint32_t ctrl_ref;
    uint32_t port;
} VXBNodes;

struct VirtIOXenbus {
    XenDevice parent_obj;

    /* properties */
    char *kind;
    uint32_t devid;
    uint32_t pool_max_pages;
    uint32_t pool_hint_pages;
    uint32_t relays;

    IOThread **relay;           /* so many */
    VirtioBusState bus;
    bool plugged;               /* with a device that has been realized */
    AddressSpace as;
    MemoryRegion root;

    /* constant while a device is plugged */
    uint32_t num_queues;
    uint32_t config_size;
    VXBQueue *queue;
    struct vx_queue_view *view;

    /* xenstore */
    unsigned int state;         /* B of the protocol: what we last wrote */
    uint32_t instance;
    bool gone;                  /* the toolstack has removed our directory */
    bool deleting;              /* device_del */
    bool failed;                /* this connection: it is to be closed */
    int64_t again_at;           /* ms; before, no new connection is offered */
    int64_t deadline;           /* ms; 0: does not wait for the driver */
    QEMUTimer *timer;           /* runs vxb_timer() */

    /* connection */
    uint32_t ctrl_ref;
    struct vx_ctrl *ctrl;       /* NULL: there is none */
    VirtIOXenbusPool *pool;
    XenEventChannel *channel;
    uint32_t seq;               /* of the last request that was answered */
    bool busy;                  /* a request is being carried out */
    bool again;                 /* and an event came meanwhile */
    uint64_t accepted;
    uint8_t status_shown;
    unsigned int broken;        /* resets needed, over all connections */
    int64_t broken_since;       /* ms; when counting began */
    uint32_t config_gen;
    uint8_t config[VX_MAX_CONFIG];
    QEMUBH *config_bh;
};

/* "QEMU", as with virtio-mmio. */
#define VXB_VENDOR 0x554d4551

/* virtio-xenbus.c */

/*
 * The guest did something wrong: note it, and close this device, later and
 * from the main loop. Nothing more is read of the connection.
 */
G_GNUC_PRINTF(2, 3)
void vxb_fail(VirtIOXenbus *xb, const char *fmt, ...);
/* Stop, drain and unmap. Not in a handler of one of its event channels. */
void vxb_disconnect(VirtIOXenbus *xb);

/* virtio-xenbus-pool.c */

/*
 * Map @pages pages of domain @domid, whose references are @refs (taken over),
 * the last @ro_pages of them for reading, and show them at VX_POOL_BASE of
 * @root.
 */
VirtIOXenbusPool *vxb_pool_new(uint32_t domid, uint32_t *refs, uint32_t pages,
                               uint32_t ro_pages, MemoryRegion *root,
                               Error **errp);
/* Take it from @root. False: a device model still holds a mapping of it. */
bool vxb_pool_drop(VirtIOXenbusPool *pool, MemoryRegion *root);
uint32_t vxb_pool_pages(const VirtIOXenbusPool *pool);
uint32_t vxb_pool_ro_pages(const VirtIOXenbusPool *pool);
/*
 * A pool address that was checked; valid until vxb_pool_drop(). What lies in
 * the last vxb_pool_ro_pages() pages must not be written: that is a fault.
 */
void *vxb_pool_at(const VirtIOXenbusPool *pool, uint64_t addr);

/* virtio-xenbus-inflight.c */
/* Can another QEMU take this device over when we were killed? */
bool vxb_inflight_offered(VirtIOXenbus *xb);
/*
 * Before the queue is enabled as @r says: read its in-flight area, if it has
 * one. False: something in it is wrong, and nothing was changed.
 */
bool vxb_inflight_read(VXBQueue *q, const struct vx_parsed *r);
/* Then: go on where it says, and record from now on. */
void vxb_inflight_begin(VXBQueue *q, uint32_t size);
/* Or, when it cannot be enabled: do not. */
void vxb_inflight_drop(VXBQueue *q);
/* The queue was reset: there is no such area any more. */
void vxb_inflight_forget(VXBQueue *q);

/* virtio-xenbus-dev.c */
VirtIODevice *vxb_vdev(VirtIOXenbus *xb);
/* False, with an error: this device cannot be served. */
bool vxb_dev_plugged(VirtIOXenbus *xb, Error **errp);
void vxb_dev_unplugged(VirtIOXenbus *xb);
uint64_t vxb_dev_offered(VirtIOXenbus *xb);
/* Begin with a fresh control page: fill in the backend's half. */
void vxb_dev_connected(VirtIOXenbus *xb, uint16_t version);
/* Stop all queues, drain their requests, unbind their event channels. */
void vxb_dev_reset(VirtIOXenbus *xb);
/* The control event channel's handler. */
bool vxb_dev_event(void *opaque);
void vxb_dev_config_bh(void *opaque);
void vxb_dev_bus_class_init(VirtioBusClass *k);

#endif
