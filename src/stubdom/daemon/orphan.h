/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Stubdomains that libxl made and then forgot.
 *
 * When libxl cannot build a stubdomain (its image is damaged, its memory too
 * small for the ramdisk, a disk impossible to emulate), it destroys the guest;
 * but nothing says yet that the two belong together, so the new domain stays,
 * paused, with its memory ("fixme: this function can leak the stubdom if it
 * fails", libxl__spawn_stub_dm).  Only its name, GUEST-dm, tells what it was
 * meant to be.
 *
 * It is destroyed when the daemon saw all of this: an HVM guest being made
 * while there was no GUEST-dm; then GUEST-dm, a PV domain that never ran and
 * has no configuration stored by libxl; then GUEST gone without having run,
 * and GUEST-dm unchanged for ORPHAN_MS.  When it did not see the beginning
 * (it was started later), it says what it found and leaves it alone.
 */
#ifndef XE_ORPHAN_H
#define XE_ORPHAN_H

#include <stdint.h>
#include <xenstore.h>

#include "hv.h"

/* A domain being made looks the same for a moment. */
#define ORPHAN_MS 8000

struct orphans;

struct orphans *orphans_new(void);
void orphans_free(struct orphans *o);

/*
 * Look at all domains and act.  Returns when to look again; UINT64_MAX: when a
 * domain came or ended.
 */
uint64_t orphans_check(struct orphans *o, struct xs_handle *xs, struct hv *hv,
		       uint64_t now);

/* How many there are that were left alone. */
unsigned int orphans_count(const struct orphans *o);

#endif
