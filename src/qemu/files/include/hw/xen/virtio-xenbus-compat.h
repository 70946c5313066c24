/*
 * Virtio over XenBus: what QEMU 7.2 has in another form
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 *
 * The files of this transport are the same for all series of QEMU and written
 * for 10.0. Since then libxenstore, libxengnttab and libxenevtchn stand behind
 * operations (8.0), no AioContext has a lock (9.0), and headers have moved.
 * What is missing in virtio.c and elsewhere, each series' patches add.
 */

#ifndef HW_XEN_VIRTIO_XENBUS_COMPAT_H
#define HW_XEN_VIRTIO_XENBUS_COMPAT_H

#include "block/aio-wait.h"
#include "hw/xen/xen-bus.h"
#include "hw/xen/xen-bus-helper.h"

#if QEMU_VERSION_MAJOR >= 10

#include "qobject/qlist.h"
#include "system/iothread.h"
#include "system/xen.h"

#define vxb_aio_wait_bh_oneshot aio_wait_bh_oneshot
#define vxb_aio_set_fd_read(ctx, fd, io_read, opaque) \
    aio_set_fd_handler(ctx, fd, io_read, NULL, NULL, NULL, opaque)

#else

#include "hw/qdev-properties.h"
#include "qapi/error.h"
#include "qapi/qmp/qlist.h"
#include "sysemu/iothread.h"
#include "sysemu/xen.h"

/* A drain does not concern it. */
#define vxb_aio_set_fd_read(ctx, fd, io_read, opaque) \
    aio_set_fd_handler(ctx, fd, false, io_read, NULL, NULL, NULL, opaque)

/* The context is to be locked once, and is not while it is waited for. */
static inline void vxb_aio_wait_bh_oneshot(AioContext *ctx, QEMUBHFunc *cb,
                                           void *opaque)
{
    aio_context_acquire(ctx);
    aio_wait_bh_oneshot(ctx, cb, opaque);
    aio_context_release(ctx);
}

static inline void setup_xen_backend_ops(void)
{
}

/* ---- xenstore ---- */

#define qemu_xs_handle xs_handle
#define qemu_xen_xs_transaction_start xs_transaction_start
#define qemu_xen_xs_transaction_end xs_transaction_end

/* NULL, and errno says why: there is no such node. */
G_GNUC_PRINTF(5, 6)
static inline char *xs_node_read(struct xs_handle *h, xs_transaction_t tid,
                                 unsigned int *len, Error **errp,
                                 const char *path_fmt, ...)
{
    g_autofree char *path = NULL;
    char *value;
    va_list ap;

    va_start(ap, path_fmt);
    path = g_strdup_vprintf(path_fmt, ap);
    va_end(ap);

    value = xs_read(h, tid, path, len);
    if (!value) {
        error_setg_errno(errp, errno, "failed to read from '%s'", path);
    }
    return value;
}

/* ---- grants ---- */

static inline xengnttab_handle *qemu_xen_gnttab_open(void)
{
    return xengnttab_open(NULL, 0);
}

#define qemu_xen_gnttab_close xengnttab_close
#define qemu_xen_gnttab_map_refs xengnttab_map_domain_grant_refs
#define qemu_xen_gnttab_unmap(xgth, map, refs, n) xengnttab_unmap(xgth, map, n)
#define xen_device_unmap_grant_refs(xendev, map, refs, n, errp) \
    xen_device_unmap_grant_refs(xendev, map, n, errp)

/* ---- qdev: a list of properties has an end, and is only read ---- */

#define VXB_PROPERTIES_END DEFINE_PROP_END_OF_LIST()
#define device_class_set_props(dc, props) \
    device_class_set_props(dc, (Property *)(props))

/* ---- features that came later, and which no device here has ---- */

#ifndef VIRTIO_F_NOTIFICATION_DATA
#define VIRTIO_F_NOTIFICATION_DATA 38
#endif
#ifndef VIRTIO_BLK_F_ZONED
#define VIRTIO_BLK_F_ZONED 17
#endif

#endif

#ifndef VXB_PROPERTIES_END
#define VXB_PROPERTIES_END
#endif

#endif
