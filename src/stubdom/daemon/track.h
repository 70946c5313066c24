/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The stubdomains the daemon knows, and what it does about each of them.
 *
 * Nothing here must survive the daemon: xenstore and the hypervisor hold all
 * state (record.h remembers which domain was whose stubdomain, for the time
 * when its own nodes are gone), and track_scan() reads it back.
 *
 * Time is CLOCK_MONOTONIC in milliseconds and comes from the caller.
 */
#ifndef XE_TRACK_H
#define XE_TRACK_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#include "hv.h"

struct track;

/* The caller keeps @xs and @hv open for longer.  NULL with errno. */
struct track *track_new(struct xs_handle *xs, struct hv *hv);
/*
 * Before the first scan: serve state disks too, for device states of at most @limit bytes, and
 * bound what stubdomains write to files; their logs at @log_limit bytes (bounds.h).
 */
void track_serve_states(struct track *tr, uint64_t limit, uint64_t log_limit);
/* Readable when a helper has something to say: then look at those. */
int track_helpers_fd(const struct track *tr);
void track_helpers(struct track *tr, uint64_t now);
void track_free(struct track *tr);

/* Look at every domain and every record.  -errno when Xen does not answer. */
int track_scan(struct track *tr, uint64_t now);

/* Something changed about domain @domid. */
void track_visit(struct track *tr, uint32_t domid, uint64_t now);

/* Some domain ended or went away. */
void track_sweep(struct track *tr, uint64_t now);

/* Some domain came into being. */
void track_born(struct track *tr, uint64_t now);

/* Do what is due by time; then track_next() tells when to come again. */
void track_tick(struct track *tr, uint64_t now);
uint64_t track_next(const struct track *tr);	/* UINT64_MAX: never */

/* How many stubdomains are known, and how many have something wrong. */
void track_count(const struct track *tr, unsigned int *all, unsigned int *bad);

#endif
