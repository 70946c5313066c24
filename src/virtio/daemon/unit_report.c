// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit_report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "systemd.h"
#include "xen/domain.h"
#include "xen/xs_util.h"

#define PREFIX "xen-virtio-backend@"
#define SUFFIX ".service"

/* ---- pure ---- */

enum vd_unit unit_state_parse(const char *active, const char *sub)
{
	/* "failed-before-auto-restart" and "dead-...": systemd 254 and later, in passing */
	if (strstr(sub, "-before-auto-restart"))
		return VD_UNIT_RESTARTING;
	if (!strcmp(active, "active") || !strcmp(active, "reloading") || !strcmp(active, "refreshing"))
		return VD_UNIT_RUNNING;
	/* "auto-restart", and "auto-restart-queued" of newer ones */
	if (!strcmp(active, "activating"))
		return strncmp(sub, "auto-restart", 12) ? VD_UNIT_STARTING : VD_UNIT_RESTARTING;
	if (!strcmp(active, "deactivating"))
		return VD_UNIT_STOPPING;
	if (!strcmp(active, "failed"))
		return VD_UNIT_FAILED;
	return VD_UNIT_INACTIVE;
}

int unit_domid(const char *name, uint32_t *domid)
{
	size_t len = strlen(name), pre = sizeof(PREFIX) - 1, suf = sizeof(SUFFIX) - 1;
	char digits[8];
	uint64_t n;

	if (len <= pre + suf || len - pre - suf >= sizeof(digits) ||
	    strncmp(name, PREFIX, pre) || strcmp(name + len - suf, SUFFIX))
		return -EINVAL;
	memcpy(digits, name + pre, len - pre - suf);
	digits[len - pre - suf] = '\0';
	if (xsu_parse_uint(digits, DOMID_LIMIT - 1, &n))
		return -EINVAL;
	*domid = (uint32_t)n;
	return 0;
}

/* ---- messages ---- */

/* a{sv} of a unit's changed properties; "" and 0 for what is not in it. */
static int read_states(sd_bus_message *m, const char **active, const char **sub, uint32_t *job)
{
	int ret = sd_bus_message_enter_container(m, 'a', "{sv}");

	*active = *sub = "";
	*job = 0;
	while (ret >= 0 && (ret = sd_bus_message_enter_container(m, 'e', "sv")) > 0) {
		const char *name, **to = NULL;

		ret = sd_bus_message_read(m, "s", &name);
		if (ret < 0)
			break;
		if (!strcmp(name, "ActiveState"))
			to = active;
		else if (!strcmp(name, "SubState"))
			to = sub;
		if (to)
			ret = sd_bus_message_read(m, "v", "s", to);
		else if (!strcmp(name, "Job"))
			ret = sd_bus_message_read(m, "v", "(uo)", job, NULL);
		else
			ret = sd_bus_message_skip(m, "v");
		if (ret >= 0)
			ret = sd_bus_message_exit_container(m);
	}
	return ret;
}

bool unit_report_changed(sd_bus_message *m, struct unit_report *r)
{
	const char *interface, *active, *sub;
	char *name = NULL;
	bool is;

	if (sd_bus_path_decode(sd_bus_message_get_path(m), SYSTEMD_UNITS, &name) <= 0)
		return false;
	is = !unit_domid(name, &r->domid) &&
	     sd_bus_message_read(m, "s", &interface) >= 0 && !strcmp(interface, SYSTEMD_UNIT) &&
	     read_states(m, &active, &sub, &r->job) >= 0 && *active;
	if (is)
		r->state = unit_state_parse(active, sub);
	free(name);
	return is;
}

int unit_report_enter(sd_bus_message *m)
{
	return sd_bus_message_enter_container(m, 'a', "(ssssssouso)");
}

int unit_report_next(sd_bus_message *m, struct unit_report *r)
{
	const char *name, *active, *sub;
	int ret;

	while ((ret = sd_bus_message_read(m, "(ssssssouso)", &name, NULL, NULL, &active, &sub,
					  NULL, NULL, &r->job, NULL, NULL)) > 0)
		if (!unit_domid(name, &r->domid)) {
			r->state = unit_state_parse(active, sub);
			return 1;
		}
	return ret;
}
