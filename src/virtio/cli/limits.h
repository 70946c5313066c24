/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What all guests' virtio devices together use of tables that the host has once: Xen's of
 * mapped grants (maptrack), which blkback and netback need too, and Linux' of AIO requests.
 */
#ifndef XE_VIRTIO_LIMITS_H
#define XE_VIRTIO_LIMITS_H

#include "cli/findings.h"
#include "virtio/nodes.h"

struct pools {
	unsigned int guests, devices;	/* that have one */
	uint64_t pages;			/* mapped now */
	uint64_t most;			/* that all of them may have */
};

/* A guest with @n devices, as their nodes say. */
void pools_add(struct pools *p, const struct vd_store *st, uint32_t domid, const struct vd_node *list, unsigned int n);

/* Frames of the table, by Xen's command line @text. */
uint64_t maptrack_frames(const char *text);
/* @own: this domain; @each: entries that a page takes. */
void check_maptrack(struct findings *fs, const struct pools *p, uint32_t own, uint64_t frames, unsigned int each);
/* @used of @max: /proc/sys/fs/aio-nr and aio-max-nr. */
void check_aio(struct findings *fs, uint64_t used, uint64_t max);

/* All of it, for this host. */
void check_limits(struct findings *fs, const struct vd_store *st, const struct pools *p);

#endif
