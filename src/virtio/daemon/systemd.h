/* SPDX-License-Identifier: GPL-2.0-or-later */
/* systemd's D-Bus interface: its names, and calls whose answers nobody waits for. */
#ifndef XE_VD_SYSTEMD_H
#define XE_VD_SYSTEMD_H

#include <systemd/sd-bus.h>

#define SYSTEMD "org.freedesktop.systemd1"
#define SYSTEMD_PATH "/org/freedesktop/systemd1"
#define SYSTEMD_UNITS SYSTEMD_PATH "/unit"
#define SYSTEMD_MANAGER SYSTEMD ".Manager"
#define SYSTEMD_UNIT SYSTEMD ".Unit"
#define SYSTEMD_SERVICE SYSTEMD ".Service"
#define DBUS_PROPERTIES "org.freedesktop.DBus.Properties"

/* A call of the manager's @method, without arguments yet; to unref. */
int systemd_method(sd_bus *bus, sd_bus_message **m, const char *method);

/*
 * Send @m; @fn gets the answer.  @usec: how long that may take; 0: as set for @bus.
 * When 0 is returned, @release is called with @data after the answer, or when the
 * connection ends; it is not after an error, a negative errno.
 */
int systemd_send(sd_bus *bus, sd_bus_message *m, uint64_t usec, sd_bus_message_handler_t fn,
		 void *data, sd_bus_destroy_t release);

#endif
