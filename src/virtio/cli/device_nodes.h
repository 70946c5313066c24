/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making and removing a device's nodes, as xl does it (libxl_device.c). */
#ifndef XE_VIRTIO_DEVICE_NODES_H
#define XE_VIRTIO_DEVICE_NODES_H

#include "virtio/nodes.h"

/* A new device of kind virtio; its number is the first that is free. */
int devnodes_add(const struct vd_store *st, uint32_t domid, const char *type, struct vd_id *id);
/* Ask backend and driver to close it. */
int devnodes_close(const struct vd_store *st, uint32_t domid, struct vd_id id);
/* Remove all its nodes. */
int devnodes_remove(const struct vd_store *st, uint32_t domid, struct vd_id id);

#endif
