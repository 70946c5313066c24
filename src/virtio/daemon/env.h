/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the daemon talks to, and its clock: one for all guests. */
#ifndef XE_VD_ENV_H
#define XE_VD_ENV_H

#include <stdint.h>
#include <systemd/sd-event.h>

#include "units.h"
#include "virtio/nodes.h"

struct guests_env {
	struct vd_store *st;
	struct units *units;
	sd_event *ev;
	uint64_t (*now)(void);		/* CLOCK_MONOTONIC in milliseconds */
};

#endif
