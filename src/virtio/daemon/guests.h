/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guests with virtio devices, and what the daemon does about each of them.
 *
 * Nothing here must survive the daemon: xenstore, systemd and the running QEMUs
 * hold all state, and guests_scan() asks them.
 */
#ifndef XE_VD_GUESTS_H
#define XE_VD_GUESTS_H

#include <stdint.h>
#include <sys/types.h>
#include <systemd/sd-event.h>

#include "units.h"
#include "virtio/nodes.h"

struct guests;

struct guests_env {
	struct vd_store *st;
	struct units *units;
	sd_event *ev;
	uint64_t (*now)(void);		/* CLOCK_MONOTONIC in milliseconds */
};

struct guests *guests_new(const struct guests_env *env);
void guests_free(struct guests *gs);

/* Look at every guest.  -errno when xenstored does not answer. */
int guests_scan(struct guests *gs);
/* Something changed about a guest's devices, or its unit. */
void guests_visit(struct guests *gs, uint32_t domid);
/* A block device has perhaps another size; 0: any. */
void guests_resized(struct guests *gs, dev_t dev);
/* Some domain ended. */
void guests_release(struct guests *gs);
/* Do what is due by time; then guests_next() tells when to come again. */
void guests_tick(struct guests *gs);
uint64_t guests_next(const struct guests *gs);	/* UINT64_MAX: never */

/* Guests that are known, their devices, and how many of those have failed. */
void guests_count(const struct guests *gs, unsigned int *n, unsigned int *devices,
		  unsigned int *bad);

#endif
