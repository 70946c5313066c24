/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The link of the emulated cards.  A card whose PV interface dom0 closes
 * (`xl network-detach`) has nothing behind it any more: its guest is to see a
 * cable that is unplugged, not a network that is silent.
 */
#ifndef CARRIER_H
#define CARRIER_H

#include <stdbool.h>
#include <xenstore.h>

#include "args.h"
#include "monitor.h"

struct carrier {
	struct xs_handle *xs;
	struct monitor *monitor;
	const struct args_plan *plan;
	bool down[ARGS_NICS_MAX];	/* what QEMU was told last */
};

/*
 * Watch the interfaces of @plan, which the caller keeps.  The caller takes the
 * events and calls carrier_check() then.  Negative errno.
 */
int carrier_watch(struct carrier *c, struct xs_handle *xs, struct monitor *monitor,
		  const struct args_plan *plan);
/* Look at all of them, and tell QEMU what has changed. */
void carrier_check(struct carrier *c);

#endif
