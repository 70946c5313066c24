/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What there is to serve, as libxl wrote it before the stubdomain ran: the stubdomain may
 * remove these nodes later, and cannot make them anew.
 */
#ifndef PV_PLAN_H
#define PV_PLAN_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#include "pv/link.h"
#include "sink.h"
#include "xen/stubdomain.h"

struct plan_console {
	enum sink_kind kind;
	char path[512];
	char output[128];	/* printable, for people */
};

struct plan {
	struct stub_id id;
	struct plan_console console[CONSOLES_MAX];
	uint32_t port;		/* the primary console's event channel */
	bool display;		/* framebuffer and keyboard */
	char qemu[256];		/* why only QEMU can do it; "": it is not needed */
};

/* Pure: a qdisk of these "params" has a medium, "qcow2:/PATH" but not "aio:". */
bool plan_qdisk_counts(const char *params);

/* 0 or negative errno. */
int plan_read(struct xs_handle *xs, uint32_t stub, struct plan *p);

#endif
