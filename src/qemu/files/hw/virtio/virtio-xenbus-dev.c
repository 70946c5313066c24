/*
 * Virtio over XenBus, backend: from messages to the virtio device
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * Everything in the control page but our own half is the guest's, and can
 * change at any moment: a request is copied once, and vx_request_check()
 * decides on the copy whether it may be carried out.
 */

#include "qemu/osdep.h"
#include "qemu/atomic.h"
#include "qemu/bswap.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qapi/error.h"
#include "qom/qom-qobject.h"
#include "standard-headers/linux/virtio_config.h"
#include "standard-headers/linux/virtio_ids.h"
#include "standard-headers/linux/virtio_net.h"
#include "virtio-xenbus.h"
#include "trace.h"

/* Vectors below are the queues'. */
#define VXB_CONFIG_VECTOR VIRTIO_QUEUE_MAX

/* How often in that time a guest may break its device and have it go on. */
#define VXB_MAX_BROKEN 16
#define VXB_BROKEN_MS 60000

/*
 * Events carry no data, and there is no PCI function. What is in flight is
 * recorded for rings whose requests are completed one by one.
 */
#define VXB_NEVER_OFFERED ((1ull << VIRTIO_F_ORDER_PLATFORM) | \
                           (1ull << VIRTIO_F_IN_ORDER) | \
                           (1ull << VIRTIO_F_SR_IOV) | \
                           (1ull << VIRTIO_F_NOTIFICATION_DATA) | \
                           (1ull << 39 /* NOTIF_CONFIG_DATA */))

VirtIODevice *vxb_vdev(VirtIOXenbus *xb)
{
    return virtio_bus_get_device(&xb->bus);
}

uint64_t vxb_dev_offered(VirtIOXenbus *xb)
{
    VirtIODevice *vdev = vxb_vdev(xb);
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(vdev);
    uint64_t features = vdev->host_features & ~vdc->legacy_features &
                        ~VXB_NEVER_OFFERED;

    /* Else a ring's reset would not wait for its requests. */
    if (!vdc->queue_reset) {
        virtio_clear_feature(&features, VIRTIO_F_RING_RESET);
    }
    return features;
}

/* ---- our half of the control page ---- */

static void vxb_notify_driver(VirtIOXenbus *xb)
{
    xen_device_notify_event_channel(XEN_DEVICE(xb), xb->channel, NULL);
}

/* Show the device's configuration. True: it is another than before. */
static bool vxb_show_config(VirtIOXenbus *xb)
{
    VirtIODevice *vdev = vxb_vdev(xb);
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(vdev);

    if (!vdc->get_config || !xb->config_size) {
        return false;
    }
    vdc->get_config(vdev, vdev->config);
    if (!memcmp(xb->config, vdev->config, xb->config_size)) {
        return false;
    }
    memcpy(xb->config, vdev->config, xb->config_size);

    qatomic_set(&xb->ctrl->config_gen, cpu_to_le32(xb->config_gen + 1));
    smp_wmb(); /* the generation is odd before bytes change */
    memcpy(xb->ctrl->config, xb->config, xb->config_size);
    smp_wmb(); /* and even again after they did */
    xb->config_gen += 2;
    qatomic_set(&xb->ctrl->config_gen, cpu_to_le32(xb->config_gen));
    return true;
}

/* Show the device's status. True: it has come to need a reset. */
static bool vxb_show_status(VirtIOXenbus *xb)
{
    VirtIODevice *vdev = vxb_vdev(xb);
    uint8_t status = vdev->status;
    uint8_t was = xb->status_shown;

    if (status == was) {
        return false;
    }
    if (vdev->broken && vdev->vhost_started) {
        /* QEMU's own handlers look for themselves; the kernel has to be told. */
        virtio_set_status(vdev, status);
    }
    trace_virtio_xenbus_status(XEN_DEVICE(xb)->frontend_id, xb->kind,
                               xb->devid, status);
    xb->status_shown = status;
    qatomic_set(&xb->ctrl->device_status, cpu_to_le32(status));
    return status & ~was & VIRTIO_CONFIG_S_NEEDS_RESET;
}

/* Show both. True: the driver has not asked for what is new. */
static bool vxb_show(VirtIOXenbus *xb)
{
    bool changed = vxb_show_config(xb);
    bool broken = vxb_show_status(xb);
    int64_t now = qemu_clock_get_ms(QEMU_CLOCK_REALTIME);

    if (broken && now - xb->broken_since > VXB_BROKEN_MS) {
        xb->broken_since = now;
        xb->broken = 0;
    }
    if (broken && ++xb->broken > VXB_MAX_BROKEN) {
        vxb_fail(xb, "its rings were wrong %u times", xb->broken);
    }
    return changed || broken;
}

/* The device changed by itself, perhaps in another thread: tell the driver. */
void vxb_dev_config_bh(void *opaque)
{
    VirtIOXenbus *xb = opaque;

    /* While a request is carried out: that shows all when it is done. */
    if (!xb->ctrl || xb->busy || xb->failed) {
        return;
    }
    /* To stop the kernel's queues waits in a nested event loop. */
    xb->busy = true;
    if (vxb_show(xb)) {
        vxb_notify_driver(xb);
    }
    xb->busy = false;
    if (xb->again) {
        vxb_dev_event(xb);
    }
}

/* ---- queues ---- */

/*
 * The context in which notifications of a queue that the kernel serves (vhost)
 * are passed on; NULL: QEMU serves it. A receive and a transmit queue share one.
 */
static AioContext *vxb_relay_ctx(const VXBQueue *q)
{
    const VirtIOXenbus *xb = q->xb;

    return xb->relays ?
           iothread_get_aio_context(xb->relay[q->index / 2 % xb->relays]) : NULL;
}

/* In the thread that serves the queue, or relays its notifications. */
static bool vxb_queue_event(void *opaque)
{
    VXBQueue *q = opaque;
    VirtIODevice *vdev = vxb_vdev(q->xb);

    if (q->relayed) {
        event_notifier_set(virtio_queue_get_host_notifier(
                               virtio_get_queue(vdev, q->index)));
        return true;
    }
    if (!(vdev->status & VIRTIO_CONFIG_S_DRIVER_OK) || !vdev->vm_running) {
        return false;
    }
    if (q->ctx) {
        virtio_queue_notify_vq(virtio_get_queue(vdev, q->index));
    } else {
        virtio_queue_notify(vdev, q->index);
    }
    return true;
}

/* The host notifier's handler polls the ring: nothing is left to do here. */
static bool vxb_queue_poll(void *opaque)
{
    return false;
}

static void vxb_nothing(void *opaque)
{
}

static void vxb_queue_unbind(VXBQueue *q)
{
    XenEventChannel *channel = q->channel;

    if (!channel) {
        return;
    }
    if (q->relayed) {
        xen_device_set_event_channel_context(XEN_DEVICE(q->xb), channel, NULL,
                                             NULL);
    }
    qatomic_set(&q->channel, NULL);
    /* Notifications of requests that were drained may be under way there. */
    if (q->old_ctx) {
        vxb_aio_wait_bh_oneshot(q->old_ctx, vxb_nothing, NULL);
        q->old_ctx = NULL;
    }
    if (q->relayed) {
        vxb_aio_wait_bh_oneshot(vxb_relay_ctx(q), vxb_nothing, NULL);
    }
    q->ctx = NULL;
    q->enabled = false;
    xen_device_unbind_event_channel(XEN_DEVICE(q->xb), channel, NULL);
}

/* In the thread that serves the queue, or relays its notifications. */
static void vxb_queue_tell(VXBQueue *q)
{
    XenEventChannel *channel = qatomic_read(&q->channel);

    if (channel) {
        xen_device_notify_event_channel(XEN_DEVICE(q->xb), channel, NULL);
    }
}

static uint16_t vxb_queue_enable(VirtIOXenbus *xb, const struct vx_parsed *r)
{
    VirtIODevice *vdev = vxb_vdev(xb);
    VXBQueue *q = &xb->queue[r->index];
    Error *err = NULL;

    if (!vxb_inflight_read(q, r)) {
        return VX_ERR_INVAL;
    }
    q->channel = xen_device_bind_event_channel(XEN_DEVICE(xb), r->port,
                                               vxb_queue_event, q, &err);
    if (!q->channel) {
        /* The guest's port may be wrong: that is no news for the log. */
        error_free(err);
        vxb_inflight_drop(q);
        return VX_ERR_NOMEM;
    }
    xen_device_set_event_channel_poll(q->channel, vxb_queue_poll);
    if (q->relayed) {
        /* This queue alone was reset, and the device goes on. */
        xen_device_set_event_channel_context(XEN_DEVICE(xb), q->channel,
                                             vxb_relay_ctx(q), NULL);
    }

    virtio_queue_set_num(vdev, r->index, r->size);
    virtio_queue_set_vector(vdev, r->index, r->index);
    virtio_queue_set_rings(vdev, r->index, r->desc, r->driver, r->device);
    vxb_inflight_begin(q, r->size);
    virtio_queue_enable(vdev, r->index);
    q->enabled = true;
    if (q->inflight_size && q->inflight_resume) {
        /* Requests may be done of which the driver has not been told. */
        vxb_queue_tell(q);
    }
    trace_virtio_xenbus_queue(XEN_DEVICE(xb)->frontend_id, xb->kind,
                              xb->devid, r->index, r->size, r->port);
    return VX_ERR_NONE;
}

static uint16_t vxb_queue_reset(VirtIOXenbus *xb, uint32_t index)
{
    virtio_queue_reset(vxb_vdev(xb), index);
    vxb_queue_unbind(&xb->queue[index]);
    vxb_inflight_forget(&xb->queue[index]);
    return VX_ERR_NONE;
}

static uint16_t vxb_set_inflight(VirtIOXenbus *xb, const struct vx_parsed *r)
{
    VXBQueue *q = &xb->queue[r->index];

    if (!vxb_inflight_offered(xb)) {
        return VX_ERR_STATE;
    }
    q->inflight_addr = r->addr;
    q->inflight_size = r->size;
    q->inflight_resume = r->flags & VX_INFLIGHT_RESUME;
    return VX_ERR_NONE;
}

void vxb_dev_reset(VirtIOXenbus *xb)
{
    virtio_bus_reset(&xb->bus);
    for (uint32_t i = 0; i < xb->num_queues; i++) {
        vxb_queue_unbind(&xb->queue[i]);
        vxb_inflight_forget(&xb->queue[i]);
    }
    xb->accepted = 0;
    vxb_vdev(xb)->config_vector = VXB_CONFIG_VECTOR;
}

void vxb_dev_connected(VirtIOXenbus *xb, uint16_t version)
{
    struct vx_ctrl *c = xb->ctrl;

    /* A device that was plugged just now has never been reset. */
    vxb_dev_reset(xb);
    xb->seq = 0;
    xb->again = false;
    xb->status_shown = 0;
    xb->config_gen = 0;
    memset(xb->config, 0, sizeof(xb->config));

    c->be_version = cpu_to_le16(version);
    c->config_size = cpu_to_le32(xb->config_size);
    c->config_gen = 0;
    c->device_status = 0;
    c->rsp_posted = 0;
    vxb_show_config(xb);
    c->be_magic = cpu_to_le32(VX_MAGIC_BACKEND);
    smp_wmb(); /* all of it is there before the driver sees state 4 */
}

/* ---- requests ---- */

static uint16_t vxb_set_features(VirtIOXenbus *xb, const struct vx_parsed *r)
{
    if (virtio_set_features(vxb_vdev(xb), r->features[0]) < 0) {
        return VX_ERR_DEVICE;
    }
    xb->accepted = r->features[0];
    return VX_ERR_NONE;
}

static uint16_t vxb_set_config(VirtIOXenbus *xb, const struct vx_parsed *r)
{
    VirtIODevice *vdev = vxb_vdev(xb);
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(vdev);

    if (vdc->get_config) {
        vdc->get_config(vdev, vdev->config);
    }
    memcpy((uint8_t *)vdev->config + r->offset, r->data, r->length);
    if (vdc->set_config) {
        vdc->set_config(vdev, vdev->config);
    }
    return VX_ERR_NONE;
}

static uint16_t vxb_set_status(VirtIOXenbus *xb, uint32_t wanted)
{
    VirtIODevice *vdev = vxb_vdev(xb);
    uint8_t status = (wanted & ~VIRTIO_CONFIG_S_NEEDS_RESET) |
                     (vdev->status & VIRTIO_CONFIG_S_NEEDS_RESET);

    if (!wanted) {
        vxb_dev_reset(xb);
        return VX_ERR_NONE;
    }
    /* Features that do not fit together: the driver sees FEATURES_OK missing */
    if (virtio_set_status(vdev, status) < 0) {
        return VX_ERR_NONE;
    }
    if (status & VIRTIO_CONFIG_S_DRIVER_OK) {
        virtio_bus_start_ioeventfd(&xb->bus);
    }
    return VX_ERR_NONE;
}

static uint16_t vxb_request(VirtIOXenbus *xb, const struct vx_parsed *r)
{
    switch (r->id) {
    case VX_MSG_SET_FEATURES:
        return vxb_set_features(xb, r);
    case VX_MSG_SET_CONFIG:
        return vxb_set_config(xb, r);
    case VX_MSG_SET_DEVICE_STATUS:
        return vxb_set_status(xb, r->status);
    case VX_MSG_SET_VQUEUE:
        return vxb_queue_enable(xb, r);
    case VX_MSG_RESET_VQUEUE:
        return vxb_queue_reset(xb, r->index);
    case VX_MSG_SET_INFLIGHT:
        return vxb_set_inflight(xb, r);
    default:
        return VX_ERR_NONE;
    }
}

static void vxb_describe_queue(VirtIOXenbus *xb, uint32_t index,
                               struct vx_msg_queue *m)
{
    VirtIODevice *vdev = vxb_vdev(xb);

    m->index = cpu_to_le32(index);
    m->max_size = cpu_to_le32(virtio_queue_get_max_num(vdev, index));
    if (xb->queue[index].enabled) {
        m->size = cpu_to_le32(virtio_queue_get_num(vdev, index));
        m->flags = cpu_to_le32(VX_QUEUE_ENABLED);
    }
}

/* The payload of the response to a request that was carried out. */
static void vxb_response(VirtIOXenbus *xb, const struct vx_parsed *r,
                         struct vx_msg *m)
{
    VirtIODevice *vdev = vxb_vdev(xb);

    switch (r->id) {
    case VX_MSG_GET_DEVICE_INFO:
        m->u.info.device_id = cpu_to_le32(vdev->device_id);
        m->u.info.vendor_id = cpu_to_le32(VXB_VENDOR);
        m->u.info.num_queues = cpu_to_le32(xb->num_queues);
        m->u.info.config_size = cpu_to_le32(xb->config_size);
        m->u.info.flags =
            cpu_to_le32((vxb_inflight_offered(xb) ? VX_INFO_RESUME : 0) |
                        (vdev->writes_all ? VX_INFO_WRITES_ALL : 0));
        break;
    case VX_MSG_GET_FEATURES:
        m->u.features.words[0] = cpu_to_le64(vxb_dev_offered(xb));
        break;
    case VX_MSG_GET_DEVICE_STATUS:
    case VX_MSG_SET_DEVICE_STATUS:
        m->u.status.status = cpu_to_le32(vdev->status);
        break;
    case VX_MSG_GET_VQUEUE:
        vxb_describe_queue(xb, r->index, &m->u.queue);
        break;
    }
}

static void vxb_view(VirtIOXenbus *xb, struct vx_device_view *d)
{
    VirtIODevice *vdev = vxb_vdev(xb);

    *d = (struct vx_device_view) {
        .pool_pages = vxb_pool_pages(xb->pool),
        .ro_pages = vxb_pool_ro_pages(xb->pool),
        .config_size = xb->config_size,
        .num_queues = xb->num_queues,
        .status = vdev->status,
        .offered = { vxb_dev_offered(xb) },
        .accepted = { xb->accepted },
        .queue = xb->view,
    };
    for (uint32_t i = 0; i < xb->num_queues; i++) {
        xb->view[i] = (struct vx_queue_view) {
            .max_size = virtio_queue_get_max_num(vdev, i),
            .inflight_size = xb->queue[i].inflight_size,
            .enabled = xb->queue[i].enabled,
        };
    }
}

/* One request, if there is one. True: there was. */
static bool vxb_serve_one(VirtIOXenbus *xb)
{
    struct vx_msg m, rsp = { .type = VX_MSG_RESPONSE };
    uint32_t posted = le32_to_cpu(qatomic_read(&xb->ctrl->req_posted));
    struct vx_device_view d;
    struct vx_parsed r;
    uint16_t error;
    int n = vx_posted_check(xb->seq, posted);

    if (n < 0) {
        vxb_fail(xb, "request number %u after %u", posted, xb->seq);
    }
    if (n <= 0) {
        return false;
    }

    smp_rmb(); /* pairs with the driver's, between req and req_posted */
    memcpy(&m, &xb->ctrl->req, sizeof(m));
    barrier();
    vxb_view(xb, &d);
    if (vx_request_check(&m, posted, &d, &r, &error) < 0) {
        vxb_fail(xb, "request %u is none: type %u, error %u, number %u", posted,
                 m.type, le16_to_cpu(m.error), le32_to_cpu(m.seq));
        return false;
    }
    if (error == VX_ERR_NONE) {
        error = vxb_request(xb, &r);
    }
    trace_virtio_xenbus_request(XEN_DEVICE(xb)->frontend_id, xb->kind,
                                xb->devid, r.id, r.seq, error);

    rsp.id = r.id;
    rsp.seq = cpu_to_le32(r.seq);
    rsp.error = cpu_to_le16(error);
    if (error == VX_ERR_NONE) {
        vxb_response(xb, &r, &rsp);
    }
    vxb_show(xb);
    memcpy(&xb->ctrl->rsp, &rsp, sizeof(rsp));
    smp_wmb(); /* rsp before rsp_posted */
    qatomic_set(&xb->ctrl->rsp_posted, cpu_to_le32(posted));
    xb->seq = posted;
    vxb_notify_driver(xb);
    return true;
}

/*
 * A reset drains requests in a nested event loop, in which the next event may
 * arrive: it is looked at afterwards. The driver has one request outstanding,
 * so each event makes one request, or two when it hurries.
 */
bool vxb_dev_event(void *opaque)
{
    VirtIOXenbus *xb = opaque;
    bool served;

    if (xb->busy) {
        xb->again = true;
        return false;
    }
    if (!xb->ctrl || xb->failed) {
        return false;
    }
    xb->busy = true;
    xb->again = false;
    served = vxb_serve_one(xb);
    if (served && xb->again && !xb->failed) {
        vxb_serve_one(xb);
    }
    xb->busy = false;
    return served;
}

/* ---- the bus ---- */

static void vxb_bus_notify(DeviceState *d, uint16_t vector)
{
    VirtIOXenbus *xb = VIRTIO_XENBUS(d);

    if (vector == VXB_CONFIG_VECTOR) {
        /* Any thread can come here; the configuration is the main loop's. */
        qemu_bh_schedule(xb->config_bh);
    } else if (vector < xb->num_queues) {
        vxb_queue_tell(&xb->queue[vector]);
    }
}

static void vxb_bus_queue_notify(DeviceState *d, int n)
{
    vxb_bus_notify(d, n);
}

static void vxb_bus_queue_set_aio_context(DeviceState *d, int n,
                                          AioContext *ctx)
{
    VirtIOXenbus *xb = VIRTIO_XENBUS(d);
    VXBQueue *q = &xb->queue[n];

    trace_virtio_xenbus_queue_context(XEN_DEVICE(xb)->frontend_id, xb->kind,
                                      xb->devid, n, ctx);
    if (ctx) {
        q->old_ctx = ctx;
        q->ctx = ctx;
    }
    /* With NULL events stay pending until there is a context again. */
    if (q->channel) {
        xen_device_set_event_channel_context(XEN_DEVICE(xb), q->channel, ctx,
                                             NULL);
    }
}

/* Once for each reset, in any thread. */
static void vxb_bus_device_error(DeviceState *d, const char *what)
{
    VirtIOXenbus *xb = VIRTIO_XENBUS(d);

    if (!vxb_vdev(xb)->broken) {
        error_report("virtio-xenbus: domain %u %s/%u: the device needs a "
                     "reset: %s", XEN_DEVICE(xb)->frontend_id, xb->kind,
                     xb->devid, what);
    }
}

/* What virtio-blk and virtio-scsi do with an IOThread: no other needs it. */
static bool vxb_bus_ioeventfd_enabled(DeviceState *d)
{
    Object *vdev = OBJECT(vxb_vdev(VIRTIO_XENBUS(d)));
    QObject *mapping;
    QList *list;
    bool mapped;

    if (object_property_get_link(vdev, "iothread", NULL)) {
        return true;
    }
    if (!object_property_find(vdev, "iothread-vq-mapping")) {
        return false;
    }
    mapping = object_property_get_qobject(vdev, "iothread-vq-mapping", NULL);
    list = qobject_to(QList, mapping);
    mapped = list && !qlist_empty(list);
    qobject_unref(mapping);
    return mapped;
}

/*
 * With @assign the notifier is about to be waited for, by an AioContext (which
 * queue_set_aio_context names then) or by the kernel.
 */
static int vxb_bus_ioeventfd_assign(DeviceState *d, EventNotifier *notifier,
                                    int n, bool assign)
{
    VirtIOXenbus *xb = VIRTIO_XENBUS(d);
    VXBQueue *q = &xb->queue[n];
    AioContext *relay = vxb_relay_ctx(q);

    if (assign && !relay) {
        return 0;
    }
    if (!assign) {
        /* The device is done with its own context: back to the main loop. */
        q->ctx = NULL;
    }
    /*
     * While the channel has no context its events stay pending: the thread that
     * had it and the one that gets it never serve the queue at the same time.
     */
    if (q->channel) {
        xen_device_set_event_channel_context(XEN_DEVICE(xb), q->channel, NULL,
                                             NULL);
    }
    if (relay && !assign) {
        /* It may be about to set the notifier, which will be closed. */
        vxb_aio_wait_bh_oneshot(relay, vxb_nothing, NULL);
    }
    q->relayed = assign;
    if (q->channel) {
        xen_device_set_event_channel_context(XEN_DEVICE(xb), q->channel,
                                             assign ? relay :
                                                      qemu_get_aio_context(),
                                             NULL);
    }
    return 0;
}

/* The kernel has used buffers of the queue. */
static void vxb_queue_called(void *opaque)
{
    VXBQueue *q = opaque;
    VirtQueue *vq = virtio_get_queue(vxb_vdev(q->xb), q->index);

    if (event_notifier_test_and_clear(virtio_queue_get_guest_notifier(vq))) {
        vxb_queue_tell(q);
    }
}

static int vxb_relay_calls(VXBQueue *q, bool assign)
{
    VirtIODevice *vdev = vxb_vdev(q->xb);
    VirtioDeviceClass *vdc = VIRTIO_DEVICE_GET_CLASS(vdev);
    EventNotifier *n =
        virtio_queue_get_guest_notifier(virtio_get_queue(vdev, q->index));
    AioContext *relay = vxb_relay_ctx(q);
    int r;

    if (assign) {
        r = event_notifier_init(n, 0);
        if (r < 0) {
            return r;
        }
        vxb_aio_set_fd_read(relay, event_notifier_get_fd(n), vxb_queue_called,
                            q);
    } else {
        vxb_aio_set_fd_read(relay, event_notifier_get_fd(n), NULL, NULL);
        vxb_aio_wait_bh_oneshot(relay, vxb_nothing, NULL);
        if (event_notifier_test_and_clear(n)) {
            vxb_queue_tell(q);
        }
        event_notifier_cleanup(n);
    }
    if (vdc->guest_notifier_mask && vdev->use_guest_notifier_mask) {
        vdc->guest_notifier_mask(vdev, q->index, !assign);
    }
    return 0;
}

/* For queues that QEMU serves, queue_notify stands in for them. */
static int vxb_bus_set_guest_notifiers(DeviceState *d, int nvqs, bool assign)
{
    VirtIOXenbus *xb = VIRTIO_XENBUS(d);
    int n, r = 0;

    if (!xb->relays) {
        return 0;
    }
    nvqs = MIN(nvqs, xb->num_queues);
    for (n = 0; n < nvqs; n++) {
        r = vxb_relay_calls(&xb->queue[n], assign);
        if (r < 0) {
            break;
        }
    }
    while (r < 0 && n > 0) {
        vxb_relay_calls(&xb->queue[--n], false);
    }
    return r;
}

static void vxb_bus_vmstate_change(DeviceState *d, bool running)
{
    VirtIOXenbus *xb = VIRTIO_XENBUS(d);

    if (!running) {
        virtio_bus_stop_ioeventfd(&xb->bus);
        return;
    }
    virtio_bus_start_ioeventfd(&xb->bus);
    /* What came meanwhile; a context of its own looks when it is set. */
    for (uint32_t i = 0; i < xb->num_queues; i++) {
        if (xb->queue[i].enabled && !xb->queue[i].ctx) {
            vxb_queue_event(&xb->queue[i]);
        }
    }
}

static bool vxb_bus_queue_enabled(DeviceState *d, int n)
{
    VirtIOXenbus *xb = VIRTIO_XENBUS(d);

    return n < xb->num_queues && xb->queue[n].enabled;
}

static AddressSpace *vxb_bus_get_dma_as(DeviceState *d)
{
    return &VIRTIO_XENBUS(d)->as;
}

/* Before the device's class looks at the features it can offer. */
static void vxb_bus_pre_plugged(DeviceState *d, Error **errp)
{
    virtio_add_feature(&vxb_vdev(VIRTIO_XENBUS(d))->host_features,
                       VIRTIO_F_VERSION_1);
}

static void vxb_bus_device_plugged(DeviceState *d, Error **errp)
{
    vxb_dev_plugged(VIRTIO_XENBUS(d), errp);
}

static void vxb_bus_device_unplugged(DeviceState *d)
{
    vxb_dev_unplugged(VIRTIO_XENBUS(d));
}

void vxb_dev_bus_class_init(VirtioBusClass *k)
{
    k->notify = vxb_bus_notify;
    k->queue_notify = vxb_bus_queue_notify;
    k->device_error = vxb_bus_device_error;
    k->queue_set_aio_context = vxb_bus_queue_set_aio_context;
    k->ioeventfd_enabled = vxb_bus_ioeventfd_enabled;
    k->ioeventfd_assign = vxb_bus_ioeventfd_assign;
    k->set_guest_notifiers = vxb_bus_set_guest_notifiers;
    k->vmstate_change = vxb_bus_vmstate_change;
    k->queue_enabled = vxb_bus_queue_enabled;
    k->get_dma_as = vxb_bus_get_dma_as;
    k->pre_plugged = vxb_bus_pre_plugged;
    k->device_plugged = vxb_bus_device_plugged;
    k->device_unplugged = vxb_bus_device_unplugged;
}

/* virtio-net makes most of its queues when the driver accepts VIRTIO_NET_F_MQ. */
static uint32_t vxb_net_queues(VirtIODevice *vdev)
{
    size_t len = MAX(vdev->config_len, sizeof(struct virtio_net_config));
    g_autofree struct virtio_net_config *config = g_malloc0(len);

    VIRTIO_DEVICE_GET_CLASS(vdev)->get_config(vdev, (uint8_t *)config);
    return 2 * lduw_le_p(&config->max_virtqueue_pairs) + 1;
}

/* As many as there can be: those that are not there have a size of 0. */
static uint32_t vxb_count_queues(VirtIODevice *vdev)
{
    uint32_t n = VIRTIO_QUEUE_MAX;

    while (n && !virtio_queue_get_max_num(vdev, n - 1)) {
        n--;
    }
    if (vdev->device_id == VIRTIO_ID_NET &&
        virtio_has_feature(vdev->host_features, VIRTIO_NET_F_MQ)) {
        n = MAX(n, vxb_net_queues(vdev));
    }
    return n;
}

static void vxb_free_queues(VirtIOXenbus *xb)
{
    g_clear_pointer(&xb->queue, g_free);
    g_clear_pointer(&xb->view, g_free);
}

/*
 * Types whose lengths of used elements, with what virtio.c and virtio-blk.c do
 * about writes_all, were found to cover no byte that the device has not written.
 */
static bool vxb_writes_all(uint16_t device_id)
{
    return device_id == VIRTIO_ID_NET || device_id == VIRTIO_ID_BLOCK ||
           device_id == VIRTIO_ID_RNG;
}

bool vxb_dev_plugged(VirtIOXenbus *xb, Error **errp)
{
    VirtIODevice *vdev = vxb_vdev(xb);

    xb->num_queues = vxb_count_queues(vdev);
    xb->config_size = vdev->config_len;
    if (!xb->num_queues || xb->num_queues > VX_MAX_QUEUES) {
        error_setg(errp, "%u virtqueues, not 1 to %u", xb->num_queues,
                   VX_MAX_QUEUES);
        return false;
    }
    if (xb->config_size > VX_MAX_CONFIG) {
        error_setg(errp, "%u bytes of configuration, more than %u",
                   xb->config_size, VX_MAX_CONFIG);
        return false;
    }
    vdev->writes_all = vxb_writes_all(vdev->device_id);
    vxb_free_queues(xb);
    xb->queue = g_new0(VXBQueue, xb->num_queues);
    xb->view = g_new0(struct vx_queue_view, xb->num_queues);
    for (uint32_t i = 0; i < xb->num_queues; i++) {
        xb->queue[i].xb = xb;
        xb->queue[i].index = i;
    }
    return true;
}

void vxb_dev_unplugged(VirtIOXenbus *xb)
{
    xb->plugged = false;
    vxb_disconnect(xb);
    xb->num_queues = 0;
    vxb_free_queues(xb);
}
