/*
 * Virtio over XenBus: the backend of virtio devices of another Xen domain
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * A device of the Xen bus that has a virtio bus, for one virtio-*-device:
 *
 *   -device virtio-xenbus,id=disk,kind=virtio_disk,devid=51712
 *   -device virtio-blk-device,bus=disk.0,drive=...
 *
 * The toolstack has made the nodes of both sides in xenstore, under
 * backend/KIND/DOMAIN/DEVID and device/KIND/DEVID, and will remove them. The
 * driver grants a control page, in which requests are exchanged, and a pool:
 * all memory that the device can access. Each virtqueue has an event channel.
 * The protocol, with its state tables, is docs/protocol.md of xen-extras; "F"
 * is the driver's XenBus state here, as there.
 *
 * This file has the states, xenstore and the mappings; virtio-xenbus-dev.c
 * what the messages do to the virtio device.
 */

#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/main-loop.h"
#include "qemu/module.h"
#include "qemu/rcu.h"
#include "qapi/error.h"
#include "exec/address-spaces.h"
#include "exec/memory.h"
#include "hw/hotplug.h"
#include "hw/qdev-properties.h"
#include "migration/vmstate.h"
#include "virtio-xenbus.h"
#include "trace.h"

#define TYPE_VIRTIO_XENBUS_BUS "virtio-xenbus-bus"
DECLARE_OBJ_CHECKERS(VirtioBusState, VirtioBusClass,
                     VIRTIO_XENBUS_BUS, TYPE_VIRTIO_XENBUS_BUS)

/* How long the driver may take to close. */
#define VXB_CLOSE_MS 60000
/* A driver that is wrong again and again gets one line of the log each. */
#define VXB_AGAIN_MS 1000
/* Someone else's writes make a transaction fail; the guest's could do so on. */
#define VXB_TRANSACTIONS 16
#define VXB_ERROR_MAX 255

/* The outcome of looking for a driver that wants to connect. */
typedef enum VXBFound {
    VXB_WAIT,
    VXB_READY,
    VXB_WRONG,
} VXBFound;

static struct qemu_xs_handle *vxb_xs(VirtIOXenbus *xb)
{
    return XEN_BUS(qdev_get_parent_bus(DEVICE(xb)))->xsh;
}

static int64_t vxb_now(void)
{
    return qemu_clock_get_ms(QEMU_CLOCK_REALTIME);
}

/* ---- xenstore ---- */

/* 0: there is no such node, or it is not of that form. */
static uint32_t vxb_read_u32(VirtIOXenbus *xb, xs_transaction_t tid,
                             const char *dir, const char *key, uint32_t max)
{
    char *text = xs_node_read(vxb_xs(xb), tid, NULL, NULL, "%s/%s", dir, key);
    uint32_t value = 0;

    if (text && vx_parse_u32(text, 0, max, &value) < 0) {
        value = 0;
    }
    free(text);
    return value;
}

/* The toolstack removes the whole directory: do not make it again. */
static bool vxb_directory_exists(VirtIOXenbus *xb, xs_transaction_t tid)
{
    char *text = xs_node_read(vxb_xs(xb), tid, NULL, NULL, "%s/state",
                              XEN_DEVICE(xb)->backend_path);
    bool exists = text || errno != ENOENT;

    free(text);
    return exists;
}

/*
 * Call @write in transactions until one succeeds. False: nothing was written,
 * and when our directory is not there, xb->gone is set.
 */
static bool vxb_transaction(VirtIOXenbus *xb,
                            void (*write)(VirtIOXenbus *xb,
                                          xs_transaction_t tid,
                                          const void *what, Error **errp),
                            const void *what, Error **errp)
{
    ERRP_GUARD();
    struct qemu_xs_handle *h = vxb_xs(xb);

    for (int i = 0; i < VXB_TRANSACTIONS; i++) {
        xs_transaction_t tid = qemu_xen_xs_transaction_start(h);

        if (tid == XBT_NULL) {
            break;
        }
        if (!vxb_directory_exists(xb, tid)) {
            qemu_xen_xs_transaction_end(h, tid, true);
            xb->gone = true;
            return false;
        }
        write(xb, tid, what, errp);
        if (*errp) {
            qemu_xen_xs_transaction_end(h, tid, true);
            return false;
        }
        if (qemu_xen_xs_transaction_end(h, tid, false)) {
            return true;
        }
        if (errno != EAGAIN) {
            break;
        }
    }
    error_setg_errno(errp, errno, "xenstore transaction failed");
    return false;
}

static void vxb_write_u32(VirtIOXenbus *xb, xs_transaction_t tid,
                          const char *key, uint32_t value, Error **errp)
{
    /* The first error counts. */
    if (!*errp) {
        xs_node_printf(vxb_xs(xb), tid, XEN_DEVICE(xb)->backend_path, key,
                       errp, "%u", value);
    }
}

static void vxb_write_state(VirtIOXenbus *xb, xs_transaction_t tid,
                            const void *what, Error **errp)
{
    ERRP_GUARD();

    vxb_write_u32(xb, tid, "state", *(const unsigned int *)what, errp);
}

/* Connected: why it was not, before, is no news any more. */
static void vxb_write_connected(VirtIOXenbus *xb, xs_transaction_t tid,
                                const void *what, Error **errp)
{
    ERRP_GUARD();
    const char *dir = XEN_DEVICE(xb)->backend_path;
    g_autofree char *node = g_strdup_printf("%s/%s", dir, VX_NODE_ERROR);
    char *text = xs_node_read(vxb_xs(xb), tid, NULL, NULL, "%s", node);

    if (text) {
        xs_node_destroy(vxb_xs(xb), tid, node, errp);
        free(text);
    }
    vxb_write_u32(xb, tid, "state", XenbusStateConnected, errp);
}

static void vxb_write_error(VirtIOXenbus *xb, xs_transaction_t tid,
                            const void *what, Error **errp)
{
    xs_node_printf(vxb_xs(xb), tid, XEN_DEVICE(xb)->backend_path,
                   VX_NODE_ERROR, errp, "%s", (const char *)what);
}

static void vxb_write_nodes(VirtIOXenbus *xb, xs_transaction_t tid,
                            const void *what, Error **errp)
{
    ERRP_GUARD();
    VirtIODevice *vdev = vxb_vdev(xb);
    uint32_t hint = MIN(xb->pool_hint_pages, xb->pool_max_pages);

    xb->instance = vx_seq_next(vxb_read_u32(xb, tid,
                                            XEN_DEVICE(xb)->backend_path,
                                            VX_NODE_INSTANCE, UINT32_MAX));
    vxb_write_u32(xb, tid, VX_NODE_VERSION_MIN, VX_VERSION_OLDEST, errp);
    vxb_write_u32(xb, tid, VX_NODE_VERSION_MAX, VX_VERSION, errp);
    vxb_write_u32(xb, tid, VX_NODE_INSTANCE, xb->instance, errp);
    vxb_write_u32(xb, tid, VX_NODE_DEVICE_ID, vdev->device_id, errp);
    vxb_write_u32(xb, tid, VX_NODE_VENDOR_ID, VXB_VENDOR, errp);
    vxb_write_u32(xb, tid, VX_NODE_MAX_QUEUES, xb->num_queues, errp);
    vxb_write_u32(xb, tid, VX_NODE_POOL_MAX_PAGES, xb->pool_max_pages, errp);
    vxb_write_u32(xb, tid, VX_NODE_POOL_HINT_PAGES, hint, errp);
    vxb_write_u32(xb, tid, VX_NODE_MAX_CONFIG, xb->config_size, errp);
    if (!*errp) {
        xs_node_printf(vxb_xs(xb), tid, XEN_DEVICE(xb)->backend_path,
                       VX_NODE_MEM_MODES, errp, "%s", VX_MEM_MODE_POOL);
    }
    vxb_write_u32(xb, tid, "state", XenbusStateInitWait, errp);
}

static void vxb_moved(VirtIOXenbus *xb, unsigned int state, unsigned int f)
{
    trace_virtio_xenbus_state(XEN_DEVICE(xb)->frontend_id, xb->kind, xb->devid,
                              xb->state, state, f);
    xb->state = state;
    xb->deadline = 0;
}

static void vxb_set_state(VirtIOXenbus *xb, unsigned int state, unsigned int f)
{
    Error *err = NULL;

    if (!xb->gone &&
        !vxb_transaction(xb, state == XenbusStateConnected ?
                             vxb_write_connected : vxb_write_state,
                         &state, &err) &&
        err) {
        error_reportf_err(err, "virtio-xenbus: domain %u %s/%u: state %u: ",
                          XEN_DEVICE(xb)->frontend_id, xb->kind, xb->devid,
                          state);
    }
    vxb_moved(xb, state, f);
}

/* B = 2, with another instance than before. */
static void vxb_publish(VirtIOXenbus *xb, unsigned int f)
{
    Error *err = NULL;

    xb->failed = false;
    if (vxb_transaction(xb, vxb_write_nodes, NULL, &err)) {
        trace_virtio_xenbus_published(XEN_DEVICE(xb)->frontend_id, xb->kind,
                                      xb->devid, xb->instance);
        vxb_moved(xb, XenbusStateInitWait, f);
        return;
    }
    if (err) {
        error_reportf_err(err, "virtio-xenbus: domain %u %s/%u: ",
                          XEN_DEVICE(xb)->frontend_id, xb->kind, xb->devid);
    }
    vxb_moved(xb, XenbusStateClosed, f);
}

void vxb_fail(VirtIOXenbus *xb, const char *fmt, ...)
{
    g_autofree char *why = NULL;
    Error *err = NULL;
    va_list ap;

    if (xb->failed) {
        return;
    }
    va_start(ap, fmt);
    why = g_strdup_vprintf(fmt, ap);
    va_end(ap);
    for (size_t i = 0; why[i]; i++) {
        if (i == VXB_ERROR_MAX) {
            why[i] = 0;
            break;
        }
        if (why[i] < ' ' || why[i] > '~') {
            why[i] = '?';
        }
    }

    xb->failed = true;
    xb->again_at = vxb_now() + VXB_AGAIN_MS;
    trace_virtio_xenbus_failed(XEN_DEVICE(xb)->frontend_id, xb->kind,
                               xb->devid, why);
    error_report("virtio-xenbus: domain %u %s/%u: closed: %s",
                 XEN_DEVICE(xb)->frontend_id, xb->kind, xb->devid, why);
    vxb_transaction(xb, vxb_write_error, why, &err);
    error_free(err);
    timer_mod(xb->timer, vxb_now());
}

/* ---- connect ---- */

/* What it says there, for the log. */
static char *vxb_wrong_node(VirtIOXenbus *xb, xs_transaction_t tid,
                            const char *key)
{
    char *text = xs_node_read(vxb_xs(xb), tid, NULL, NULL, "%s/%s",
                              XEN_DEVICE(xb)->frontend_path, key);
    char *why = text ? g_strdup_printf("node %s is '%.40s'", key, text) :
                       g_strdup_printf("node %s is missing", key);

    free(text);
    return why;
}

/*
 * The driver's nodes, read in one transaction with F. @why: to be freed.
 */
static VXBFound vxb_read_driver(VirtIOXenbus *xb, xs_transaction_t tid,
                                VXBNodes *n, char **why)
{
    const char *dir = XEN_DEVICE(xb)->frontend_path;
    const char *wrong;
    char *mode;
    bool pool;

    if (vxb_read_u32(xb, tid, dir, "state", XenbusStateClosed) !=
        XenbusStateInitialised ||
        vxb_read_u32(xb, tid, dir, VX_NODE_INSTANCE, UINT32_MAX) !=
        xb->instance) {
        return VXB_WAIT;
    }
    mode = xs_node_read(vxb_xs(xb), tid, NULL, NULL, "%s/%s", dir,
                        VX_NODE_MEM_MODE);
    pool = mode && !strcmp(mode, VX_MEM_MODE_POOL);
    free(mode);
    n->version = vxb_read_u32(xb, tid, dir, VX_NODE_VERSION, UINT16_MAX);
    n->ctrl_ref = vxb_read_u32(xb, tid, dir, VX_NODE_CTRL_REF, UINT32_MAX);
    n->port = vxb_read_u32(xb, tid, dir, VX_NODE_EVENT_CHANNEL, UINT32_MAX);

    wrong = n->version < VX_VERSION_OLDEST || n->version > VX_VERSION ?
                VX_NODE_VERSION :
            !pool ? VX_NODE_MEM_MODE :
            !n->ctrl_ref ? VX_NODE_CTRL_REF :
            !n->port ? VX_NODE_EVENT_CHANNEL : NULL;
    if (wrong) {
        *why = vxb_wrong_node(xb, tid, wrong);
        return VXB_WRONG;
    }
    return VXB_READY;
}

static VXBFound vxb_find_driver(VirtIOXenbus *xb, VXBNodes *n, char **why)
{
    struct qemu_xs_handle *h = vxb_xs(xb);

    for (int i = 0; i < VXB_TRANSACTIONS; i++) {
        xs_transaction_t tid = qemu_xen_xs_transaction_start(h);
        VXBFound found;

        if (tid == XBT_NULL) {
            break;
        }
        g_clear_pointer(why, g_free);
        found = vxb_read_driver(xb, tid, n, why);
        if (qemu_xen_xs_transaction_end(h, tid, false)) {
            return found;
        }
        if (errno != EAGAIN) {
            break;
        }
    }
    g_free(*why);
    *why = g_strdup("its nodes cannot be read");
    return VXB_WRONG;
}

/* The pool's references: from directory pages that are mapped this once. */
static uint32_t *vxb_read_directory(VirtIOXenbus *xb, struct vx_ctrl *copy,
                                    Error **errp)
{
    XenDevice *xendev = XEN_DEVICE(xb);
    uint32_t pages = le32_to_cpu(copy->pool_pages);
    uint32_t dir_pages = VX_DIR_PAGES(pages);
    uint32_t dir[VX_DIR_MAX_PAGES];
    uint32_t *refs;
    void *map;

    for (uint32_t i = 0; i < dir_pages; i++) {
        dir[i] = le32_to_cpu(copy->dir[i]);
    }
    map = xen_device_map_grant_refs(xendev, dir, dir_pages, PROT_READ, errp);
    if (!map) {
        error_prepend(errp, "%u directory pages: ", dir_pages);
        return NULL;
    }
    refs = g_memdup2(map, pages * sizeof(*refs));
    xen_device_unmap_grant_refs(xendev, map, dir, dir_pages, NULL);
    for (uint32_t i = 0; i < pages; i++) {
        refs[i] = le32_to_cpu(refs[i]);
    }
    return refs;
}

/* Map what the control page names. */
static bool vxb_map_pool(VirtIOXenbus *xb, uint32_t version, Error **errp)
{
    g_autofree struct vx_ctrl *copy = g_memdup2(xb->ctrl, sizeof(*copy));
    uint32_t value, *refs;
    const char *wrong = vx_ctrl_check_driver(copy, version, xb->pool_max_pages,
                                             &value);

    if (wrong) {
        error_setg(errp, "control page: %s is 0x%x", wrong, value);
        return false;
    }
    refs = vxb_read_directory(xb, copy, errp);
    if (!refs) {
        return false;
    }
    xb->pool = vxb_pool_new(XEN_DEVICE(xb)->frontend_id, refs,
                            le32_to_cpu(copy->pool_pages),
                            le32_to_cpu(copy->ro_pages), &xb->root, errp);
    return xb->pool != NULL;
}

static bool vxb_connect(VirtIOXenbus *xb, const VXBNodes *n, Error **errp)
{
    ERRP_GUARD();
    XenDevice *xendev = XEN_DEVICE(xb);

    xb->ctrl_ref = n->ctrl_ref;
    xb->ctrl = xen_device_map_grant_refs(xendev, &xb->ctrl_ref, 1,
                                         PROT_READ | PROT_WRITE, errp);
    if (!xb->ctrl) {
        error_prepend(errp, "control page, reference %u: ", n->ctrl_ref);
        return false;
    }
    if (!vxb_map_pool(xb, n->version, errp)) {
        return false;
    }
    /* Before anything else: a handler that finds no instance does nothing. */
    vxb_dev_connected(xb, n->version);
    xb->channel = xen_device_bind_event_channel(xendev, n->port,
                                                vxb_dev_event, xb, errp);
    if (!xb->channel) {
        error_prepend(errp, "event channel %u: ", n->port);
        return false;
    }
    trace_virtio_xenbus_connected(xendev->frontend_id, xb->kind, xb->devid,
                                  vxb_pool_pages(xb->pool));
    return true;
}

void vxb_disconnect(VirtIOXenbus *xb)
{
    XenDevice *xendev = XEN_DEVICE(xb);

    if (!xb->ctrl) {
        return;
    }
    if (xb->channel) {
        vxb_dev_reset(xb);
        xen_device_unbind_event_channel(xendev, xb->channel, NULL);
        xb->channel = NULL;
    }
    if (xb->pool && !vxb_pool_drop(xb->pool, &xb->root)) {
        warn_report("virtio-xenbus: domain %u %s/%u: a part of the pool is "
                    "still in use and stays mapped",
                    xendev->frontend_id, xb->kind, xb->devid);
    }
    xb->pool = NULL;
    xen_device_unmap_grant_refs(xendev, xb->ctrl, &xb->ctrl_ref, 1, NULL);
    xb->ctrl = NULL;
    trace_virtio_xenbus_disconnected(xendev->frontend_id, xb->kind, xb->devid);
}

/* ---- states: section 4.2 of the protocol ---- */

/* F = 3 while B = 2. */
static void vxb_try_connect(VirtIOXenbus *xb, unsigned int f)
{
    g_autofree char *why = NULL;
    Error *err = NULL;
    VXBNodes nodes = { 0 };

    switch (vxb_find_driver(xb, &nodes, &why)) {
    case VXB_WAIT:
        return;
    case VXB_WRONG:
        vxb_fail(xb, "%s", why);
        break;
    case VXB_READY:
        if (vxb_connect(xb, &nodes, &err)) {
            vxb_set_state(xb, XenbusStateConnected, f);
            return;
        }
        vxb_fail(xb, "%s", error_get_pretty(err));
        error_free(err);
        break;
    }
    vxb_disconnect(xb);
    vxb_set_state(xb, XenbusStateClosing, f);
}

/* Has the driver had its time to close? It begins with the first call. */
static bool vxb_expired(VirtIOXenbus *xb)
{
    int64_t now = vxb_now();

    if (!xb->deadline) {
        xb->deadline = now + VXB_CLOSE_MS;
    }
    if (now < xb->deadline) {
        timer_mod(xb->timer, xb->deadline);
        return false;
    }
    return true;
}

static void vxb_step_connected(VirtIOXenbus *xb, unsigned int f, bool closing)
{
    if (xb->failed) {
        vxb_disconnect(xb);
        vxb_set_state(xb, XenbusStateClosing, f);
        return;
    }
    switch (f) {
    case XenbusStateInitialised:
    case XenbusStateConnected:
        if (closing) {
            vxb_set_state(xb, XenbusStateClosing, f);
        }
        return;
    case XenbusStateClosing:
        /* Linux waits for this when it shuts down, and goes on to 6. */
        vxb_set_state(xb, XenbusStateClosing, f);
        return;
    default:
        break;
    }
    vxb_disconnect(xb);
    vxb_set_state(xb, XenbusStateClosed, f);
    /* The guest's kernel began anew. */
    if (!closing && (f == XenbusStateInitialising ||
                     f == XenbusStateInitWait)) {
        vxb_publish(xb, f);
    }
}

/* When the device is to go, nobody waits for more than its reset. */
static void vxb_step_closing(VirtIOXenbus *xb, unsigned int f, bool closing)
{
    bool reset = !xb->ctrl || (closing && !vxb_vdev(xb)->status);

    if (((f == XenbusStateInitialised || f == XenbusStateConnected) ||
         (f == XenbusStateClosing && !reset)) && !vxb_expired(xb)) {
        return;
    }
    vxb_disconnect(xb);
    vxb_set_state(xb, XenbusStateClosed, f);
}

static void vxb_step_once(VirtIOXenbus *xb, unsigned int f, bool closing)
{
    switch (xb->state) {
    case XenbusStateInitialising:
        if (closing || !f) {
            vxb_set_state(xb, XenbusStateClosed, f);
        } else {
            vxb_publish(xb, f);
        }
        break;
    case XenbusStateInitWait:
        if (closing || !f) {
            vxb_set_state(xb, XenbusStateClosed, f);
        } else if (f == XenbusStateInitialised) {
            vxb_try_connect(xb, f);
        }
        break;
    case XenbusStateConnected:
        vxb_step_connected(xb, f, closing);
        break;
    case XenbusStateClosing:
        vxb_step_closing(xb, f, closing);
        break;
    case XenbusStateClosed:
        if (closing || f != XenbusStateInitialising) {
            break;
        }
        if (vxb_now() < xb->again_at) {
            timer_mod(xb->timer, xb->again_at);
        } else {
            vxb_publish(xb, f);
        }
        break;
    }
}

static bool vxb_may_go(VirtIOXenbus *xb)
{
    return xb->deleting && (!xb->plugged || xb->state == XenbusStateClosed);
}

/*
 * Act on what xenstore says now. Runs in the main loop alone, never nested in
 * a drain: watches and timers are not served there.
 */
static void vxb_step(VirtIOXenbus *xb)
{
    XenDevice *xendev = XEN_DEVICE(xb);
    unsigned int before, b, f, online;
    bool closing;

    if (!vxb_directory_exists(xb, XBT_NULL)) {
        xb->gone = true;
    }
    b = vxb_read_u32(xb, XBT_NULL, xendev->backend_path, "state",
                     XenbusStateClosed);
    f = vxb_read_u32(xb, XBT_NULL, xendev->frontend_path, "state",
                     XenbusStateClosed);
    online = vxb_read_u32(xb, XBT_NULL, xendev->backend_path, "online", 1);
    closing = xb->deleting || !online ||
              (b == XenbusStateClosing && xb->state != b);
    do {
        if (xb->gone) {
            vxb_disconnect(xb);
            if (xb->state != XenbusStateClosed) {
                vxb_moved(xb, XenbusStateClosed, f);
            }
            return;
        }
        before = xb->state;
        vxb_step_once(xb, f, closing);
    } while (xb->state != before);

    /* The toolstack asks a device to close that has, and waits for it. */
    if (xb->state == XenbusStateClosed && b == XenbusStateClosing) {
        vxb_set_state(xb, XenbusStateClosed, f);
    }
}

static void vxb_timer(void *opaque)
{
    VirtIOXenbus *xb = opaque;

    if (xb->plugged) {
        vxb_step(xb);
    }
    if (vxb_may_go(xb)) {
        object_unparent(OBJECT(xb));
    }
}

/* A watch: it cannot be removed while it is served. */
static void vxb_changed(VirtIOXenbus *xb)
{
    if (xb->plugged) {
        vxb_step(xb);
    }
    if (vxb_may_go(xb)) {
        timer_mod(xb->timer, vxb_now());
    }
}

static void vxb_backend_changed(XenDevice *xendev)
{
    vxb_changed(VIRTIO_XENBUS(xendev));
}

static void vxb_frontend_changed(XenDevice *xendev, enum xenbus_state state,
                                 Error **errp)
{
    vxb_changed(VIRTIO_XENBUS(xendev));
}

/* ---- the device ---- */

/*
 * device_del. The driver is asked to close first, unless it has; the device
 * goes when it did, and not in the middle of the monitor's command.
 */
static void vxb_unplug_request(XenDevice *xendev, Error **errp)
{
    VirtIOXenbus *xb = VIRTIO_XENBUS(xendev);

    xb->deleting = true;
    timer_mod(xb->timer, vxb_now());
}

static char *vxb_get_name(XenDevice *xendev, Error **errp)
{
    VirtIOXenbus *xb = VIRTIO_XENBUS(xendev);

    if (g_strcmp0(xb->kind, "virtio") && g_strcmp0(xb->kind, "virtio_disk")) {
        error_setg(errp, "kind is neither 'virtio' nor 'virtio_disk'");
        return NULL;
    }
    return g_strdup_printf("%u", xb->devid);
}

static char *vxb_get_backend_path(XenDevice *xendev, Error **errp)
{
    XenBus *xenbus = XEN_BUS(qdev_get_parent_bus(DEVICE(xendev)));
    VirtIOXenbus *xb = VIRTIO_XENBUS(xendev);

    return g_strdup_printf("/local/domain/%u/backend/%s/%u/%u",
                           xenbus->backend_id, xb->kind, xendev->frontend_id,
                           xb->devid);
}

static char *vxb_get_frontend_path(XenDevice *xendev, Error **errp)
{
    VirtIOXenbus *xb = VIRTIO_XENBUS(xendev);

    return g_strdup_printf("/local/domain/%u/device/%s/%u",
                           xendev->frontend_id, xb->kind, xb->devid);
}

/* Threads that pass on notifications of queues that the kernel serves. */
static void vxb_relays_start(VirtIOXenbus *xb, Error **errp)
{
    Error *err = NULL;

    xb->relay = g_new0(IOThread *, xb->relays);
    for (uint32_t i = 0; i < xb->relays; i++) {
        g_autofree char *id = g_strdup_printf("%s-%u.relay%u", xb->kind,
                                              xb->devid, i);

        xb->relay[i] = iothread_create(id, &err);
        if (err) {
            error_propagate(errp, err);
            return;
        }
    }
}

static void vxb_relays_stop(VirtIOXenbus *xb)
{
    for (uint32_t i = 0; xb->relay && i < xb->relays; i++) {
        if (xb->relay[i]) {
            iothread_destroy(xb->relay[i]);
        }
    }
    g_clear_pointer(&xb->relay, g_free);
}

static void vxb_realize(XenDevice *xendev, Error **errp)
{
    VirtIOXenbus *xb = VIRTIO_XENBUS(xendev);
    Error *err = NULL;

    if (xb->pool_max_pages < VX_POOL_MIN_PAGES ||
        xb->pool_max_pages > VX_POOL_MAX_PAGES) {
        error_setg(errp, "pool-max-pages is not %u to %u", VX_POOL_MIN_PAGES,
                   VX_POOL_MAX_PAGES);
        return;
    }
    if (xb->relays > VX_MAX_QUEUES / 2) {
        error_setg(errp, "relays is not 0 to %u", VX_MAX_QUEUES / 2);
        return;
    }
    vxb_relays_start(xb, &err);
    if (err) {
        error_propagate(errp, err);
        vxb_relays_stop(xb);
        return;
    }

    xb->state = XenbusStateInitialising;
    xb->timer = timer_new_ms(QEMU_CLOCK_REALTIME, vxb_timer, xb);
    xb->config_bh = qemu_bh_new(vxb_dev_config_bh, xb);
    memory_region_init(&xb->root, OBJECT(xb), "virtio-xenbus", UINT64_MAX);
    address_space_init(&xb->as, &xb->root, "virtio-xenbus");
    /* An address beside the pool is an error, and no cause for a copy. */
    xb->as.max_bounce_buffer_size = 0;
    qbus_init(&xb->bus, sizeof(xb->bus), TYPE_VIRTIO_XENBUS_BUS, DEVICE(xb),
              NULL);
    qbus_set_hotplug_handler(BUS(&xb->bus), OBJECT(xb));
}

static void vxb_unrealize(XenDevice *xendev)
{
    VirtIOXenbus *xb = VIRTIO_XENBUS(xendev);

    /*
     * When QEMU exits the virtio device is still there: its requests are
     * drained, and the kernel unmaps. The state is left to who started QEMU:
     * the driver may resume with the next one.
     */
    if (xb->plugged || !xb->timer) {
        return;
    }
    timer_free(xb->timer);
    xb->timer = NULL;
    qemu_bh_delete(xb->config_bh);
    xb->config_bh = NULL;
    address_space_destroy(&xb->as);
    /* It is destroyed in an RCU callback, and is a part of us. */
    drain_call_rcu();
    vxb_relays_stop(xb);
}

/* Without the feature the device would get all of the system's memory. */
static void vxb_pre_plug(HotplugHandler *handler, DeviceState *dev,
                         Error **errp)
{
    virtio_add_feature(&VIRTIO_DEVICE(dev)->host_features,
                       VIRTIO_F_IOMMU_PLATFORM);
}

static void vxb_plug(HotplugHandler *handler, DeviceState *dev, Error **errp)
{
    VirtIOXenbus *xb = VIRTIO_XENBUS(handler);

    xb->plugged = true;
    vxb_step(xb);
}

static void vxb_child_unplug_request(HotplugHandler *handler, DeviceState *dev,
                                     Error **errp)
{
    error_setg(errp, "remove device '%s', and this one goes with it",
               DEVICE(handler)->id ?: TYPE_VIRTIO_XENBUS);
}

/* The device's state is the guest's and xenstore's: a new one is connected. */
static const VMStateDescription vxb_vmstate = {
    .name = TYPE_VIRTIO_XENBUS,
    .unmigratable = 1,
};

/* KIND: virtio or virtio_disk; all are served in the same way. */
static const Property vxb_properties[] = {
    DEFINE_PROP_STRING("kind", VirtIOXenbus, kind),
    DEFINE_PROP_UINT32("devid", VirtIOXenbus, devid, 0),
    DEFINE_PROP_UINT32("pool-max-pages", VirtIOXenbus, pool_max_pages, 4096),
    DEFINE_PROP_UINT32("pool-hint-pages", VirtIOXenbus, pool_hint_pages, 0),
    /* Threads for the notifications of a device whose netdev has vhost=on. */
    DEFINE_PROP_UINT32("relays", VirtIOXenbus, relays, 0),
    VXB_PROPERTIES_END
};

static void vxb_class_init(ObjectClass *klass, void *data)
{
    DeviceClass *dc = DEVICE_CLASS(klass);
    XenDeviceClass *xdc = XEN_DEVICE_CLASS(klass);
    HotplugHandlerClass *hc = HOTPLUG_HANDLER_CLASS(klass);

    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    dc->desc = "virtio transport over XenBus";
    dc->vmsd = &vxb_vmstate;
    device_class_set_props(dc, vxb_properties);

    xdc->toolstack_nodes = true;
    xdc->get_name = vxb_get_name;
    xdc->get_backend_path = vxb_get_backend_path;
    xdc->get_frontend_path = vxb_get_frontend_path;
    xdc->realize = vxb_realize;
    xdc->unrealize = vxb_unrealize;
    xdc->backend_changed = vxb_backend_changed;
    xdc->frontend_changed = vxb_frontend_changed;
    xdc->unplug_request = vxb_unplug_request;

    hc->pre_plug = vxb_pre_plug;
    hc->plug = vxb_plug;
    hc->unplug_request = vxb_child_unplug_request;
}

static void vxb_bus_class_init(ObjectClass *klass, void *data)
{
    BUS_CLASS(klass)->max_dev = 1;
    vxb_dev_bus_class_init(VIRTIO_BUS_CLASS(klass));
}

static const TypeInfo vxb_types[] = {
    {
        .name = TYPE_VIRTIO_XENBUS,
        .parent = TYPE_XEN_DEVICE,
        .instance_size = sizeof(VirtIOXenbus),
        .class_init = vxb_class_init,
        .interfaces = (InterfaceInfo[]) {
            { TYPE_HOTPLUG_HANDLER },
            { }
        },
    }, {
        .name = TYPE_VIRTIO_XENBUS_BUS,
        .parent = TYPE_VIRTIO_BUS,
        .instance_size = sizeof(VirtioBusState),
        .class_init = vxb_bus_class_init,
    },
};

DEFINE_TYPES(vxb_types)
