// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit_state.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "host.h"

#define DEST "org.freedesktop.systemd1"
#define UNIT_PATH "/org/freedesktop/systemd1/unit"
#define PRIVATE "unix:path=/run/systemd/private"

static uint64_t now_usec(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

/* A call would wait 25 s for a bus that takes the connection and says nothing. */
static int wait_ready(sd_bus *bus)
{
	uint64_t end = now_usec() + UNIT_TIMEOUT_USEC, now;
	int ret;

	while (!(ret = sd_bus_is_ready(bus))) {
		ret = sd_bus_process(bus, NULL);
		now = now_usec();
		if (!ret)
			ret = now < end ? sd_bus_wait(bus, end - now) : -ETIMEDOUT;
		if (ret < 0)
			break;
	}
	return ret;
}

static int open_bus(sd_bus **bus)
{
	int ret = sd_bus_open_system(bus);

	/* As systemctl does: root reaches systemd where no D-Bus runs. */
	if (ret < 0 && !geteuid()) {
		ret = sd_bus_new(bus);
		if (ret >= 0)
			ret = sd_bus_set_address(*bus, PRIVATE);
		if (ret >= 0)
			ret = sd_bus_start(*bus);
	}
	if (ret >= 0)
		ret = sd_bus_set_method_call_timeout(*bus, UNIT_TIMEOUT_USEC);
	return ret < 0 ? ret : wait_ready(*bus);
}

static enum unit_state state_of(const char *active)
{
	if (!strcmp(active, "active") || !strcmp(active, "reloading") ||
	    !strcmp(active, "refreshing"))
		return UNIT_ACTIVE;
	return strcmp(active, "failed") ? UNIT_INACTIVE : UNIT_FAILED;
}

enum unit_state unit_state(const char *unit, struct error **err)
{
	enum unit_state state = UNIT_UNKNOWN;
	char *path = NULL, *active = NULL;
	sd_bus *bus = NULL;
	int ret;

	if (*host_root()) {
		error_add(err, -ENOTCONN, NULL, "no systemd answers for --root %s", host_root());
		return UNIT_UNKNOWN;
	}
	ret = open_bus(&bus);
	if (ret >= 0)
		ret = sd_bus_path_encode(UNIT_PATH, unit, &path);
	if (ret >= 0)
		ret = sd_bus_get_property_string(bus, DEST, path, DEST ".Unit", "ActiveState",
						 NULL, &active);
	if (ret < 0)
		error_add(err, ret, NULL, "%s", strerror(-ret));
	else
		state = state_of(active);
	free(active);
	free(path);
	sd_bus_close_unref(bus);
	return state;
}
