/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What systemd reports of backend units, xen-virtio-backend@<domid>.service, read from its messages. */
#ifndef XE_VD_UNIT_REPORT_H
#define XE_VD_UNIT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include <systemd/sd-bus.h>

/* The names of all backend units. */
#define UNIT_PATTERN "xen-virtio-backend@*.service"

enum vd_unit {
	VD_UNIT_INACTIVE,
	VD_UNIT_STARTING,
	VD_UNIT_RUNNING,
	VD_UNIT_STOPPING,
	VD_UNIT_RESTARTING,	/* between two processes: none lives */
	VD_UNIT_FAILED,		/* systemd gave up */
};

struct unit_report {
	uint32_t domid;
	enum vd_unit state;
	uint32_t job;		/* that waits for the unit; 0: none */
};

/* A PropertiesChanged signal; false when it does not have a backend unit's state. */
bool unit_report_changed(sd_bus_message *m, struct unit_report *r);
/* An answer to ListUnitsByPatterns, then each backend unit in it: 1, 0 at its end.  Negative errno. */
int unit_report_enter(sd_bus_message *m);
int unit_report_next(sd_bus_message *m, struct unit_report *r);

/* Pure: "active", "running" to a state. */
enum vd_unit unit_state_parse(const char *active, const char *sub);
/* Pure: the domid in a unit's name; -EINVAL. */
int unit_domid(const char *name, uint32_t *domid);

#endif
