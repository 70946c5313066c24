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

#include "env.h"

struct guests;

struct guests *guests_new(const struct guests_env *env);
void guests_free(struct guests *gs);

/* Look at every guest now.  -errno when xenstored does not answer. */
int guests_scan(struct guests *gs);

/* These queue guests; guests_tick() looks at them. */

/* Something changed about a guest's devices: looked at at once, unless it does so all the time. */
void guests_visit(struct guests *gs, uint32_t domid);
/* Its unit has another state, of which none may be missed. */
void guests_unit(struct guests *gs, uint32_t domid);
/* A block device has perhaps another size; 0: any. */
void guests_resized(struct guests *gs, dev_t dev);
/* Some domain ended. */
void guests_release(struct guests *gs);

/*
 * Look at each guest that is queued or whose time has come, once.  To be called after
 * whatever happened; then guests_next() tells when to come again at the latest.
 */
void guests_tick(struct guests *gs);
uint64_t guests_next(const struct guests *gs);	/* CLOCK_MONOTONIC ms; UINT64_MAX: never */

/* Guests that are known, their devices, and how many of those have failed. */
void guests_count(const struct guests *gs, unsigned int *n, unsigned int *devices,
		  unsigned int *bad);

#endif
