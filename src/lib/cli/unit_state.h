/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Does a unit run? */
#ifndef XE_UNIT_STATE_H
#define XE_UNIT_STATE_H

#include "base/error.h"

enum unit_state {
	UNIT_UNKNOWN,		/* nobody answers */
	UNIT_ACTIVE,
	UNIT_FAILED,
	UNIT_INACTIVE,		/* starting, stopped, or not installed */
};

/* A bus or a systemd that does not answer is given up then. */
#define UNIT_TIMEOUT_USEC (3 * 1000 * 1000)

/*
 * Ask systemd about @unit ("xen-virtiod.service").  UNKNOWN with @err on a host
 * without systemd, and below --root, where another system's units would be meant.
 */
enum unit_state unit_state(const char *unit, struct error **err);

#endif
