// SPDX-License-Identifier: GPL-2.0-or-later
#include "systemd.h"

int systemd_method(sd_bus *bus, sd_bus_message **m, const char *method)
{
	return sd_bus_message_new_method_call(bus, m, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, method);
}

int systemd_send(sd_bus *bus, sd_bus_message *m, uint64_t usec, sd_bus_message_handler_t fn,
		 void *data, sd_bus_destroy_t release)
{
	sd_bus_slot *slot = NULL;
	int ret = sd_bus_call_async(bus, &slot, m, fn, data, usec);

	if (ret < 0)
		return ret;
	/* The slot, and what it holds, goes with the answer or the connection. */
	sd_bus_slot_set_destroy_callback(slot, release);
	sd_bus_slot_set_floating(slot, 1);
	sd_bus_slot_unref(slot);
	return 0;
}
