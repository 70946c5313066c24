// SPDX-License-Identifier: GPL-2.0-or-later
#include "carrier.h"

#include <errno.h>

#include "failure.h"
#include "xen/xenbus.h"
#include "xen/xs_util.h"

/* 1: connected, 0: closing or gone, -1: neither, or unknown. */
static int link_of(struct xs_handle *xs, unsigned int devid)
{
	uint64_t state;
	int ret = xsu_read_uint(xs, XBT_NULL, &state, XenbusStateReconfigured,
				"device/vif/%u/state", devid);

	if (ret == -ENOENT)
		return 0;
	if (ret)
		return -1;
	return state == XenbusStateConnected ? 1 :
	       state == XenbusStateClosing || state == XenbusStateClosed ? 0 : -1;
}

static void set_link(struct carrier *c, const struct args_nic *nic, bool up)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "name", json_object_new_string(nic->id));
	json_object_object_add(args, "up", json_object_new_boolean(up));
	/* Refused when the guest has unplugged its emulated cards: no matter. */
	monitor_send(c->monitor, "set_link", args, -1, NULL, NULL);
}

void carrier_check(struct carrier *c)
{
	for (unsigned int i = 0; c->plan && i < c->plan->n_nics; i++) {
		const struct args_nic *nic = &c->plan->nics[i];
		int up = link_of(c->xs, nic->devid);

		if (up < 0 || c->down[i] == !up)
			continue;
		c->down[i] = !up;
		say_notice("network card %u: %s", nic->devid, up ?
			   "connected again" : "dom0 has detached it: its cable is unplugged");
		if (nic->id[0])
			set_link(c, nic, up);
	}
}

int carrier_watch(struct carrier *c, struct xs_handle *xs, struct monitor *monitor,
		  const struct args_plan *plan)
{
	*c = (struct carrier){ .xs = xs, .monitor = monitor, .plan = plan };
	if (!plan->n_nics || xs_watch(xs, "device/vif", "vif"))
		return 0;
	return errno ? -errno : -EIO;
}
