/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Making and removing a device's nodes, as xl does it (libxl_device.c). */
#ifndef XE_VIRTIO_EDIT_H
#define XE_VIRTIO_EDIT_H

#include "virtio/nodes.h"

/*
 * Text as it stands in xl.cfg or shorter ("type=virtio,device1;...,transport=mmio",
 * "virtio,device1;...", "device1;...", "net;...", "disk;...") to what libxl
 * would store; to free(), NULL when out of memory.
 */
char *edit_type(const char *spec);

/* The domain of ",backend=" in such text, to free(); NULL when not given. */
char *edit_backend(const char *spec);

/* A new device of kind virtio; its number is the first that is free. */
int edit_add(const struct vd_store *st, uint32_t domid, const char *type, struct vd_id *id);
/* Ask backend and driver to let go of it. */
int edit_close(const struct vd_store *st, uint32_t domid, struct vd_id id);
/* Remove all its nodes. */
int edit_remove(const struct vd_store *st, uint32_t domid, struct vd_id id);

#endif
