// SPDX-License-Identifier: GPL-2.0-or-later
#include "guest_unit.h"

#include "access.h"
#include "session.h"

void unit_observe(struct guest *g)
{
	enum vd_unit unit = units_state(g->env->units, g->domid);

	if (unit == VD_UNIT_STARTING || unit == VD_UNIT_RUNNING || unit == VD_UNIT_RESTARTING)
		g->expected_up = true;
	if (unit == g->unit)
		return;
	if (unit == VD_UNIT_RESTARTING)
		guest_log(g, LOG_WARNING, NULL, "its backend ended and is started again: see 'journalctl -u " VD_UNIT "'", g->domid);
	g->unit = unit;
	g->up_since = unit == VD_UNIT_RUNNING ? guest_now(g) : 0;
	g->told_late = false;
	g->connect_at = 0;
	session_end(g);
	devs_forget_plugged(g);
	ioerrors_stop(&g->ioerrors);
	g->ioerrors.unsupported = false;
	g->ioerrors.again = 0;
}

void unit_start(struct guest *g)
{
	int ret = access_write(g);

	if (!ret)
		ret = units_start(g->env->units, g->domid);
	if (ret < 0) {
		guest_failed(g, "starting its backend", ret);
		return;
	}
	guest_log(g, LOG_DEBUG, NULL, "starting its backend");
	unit_observe(g);
}

void unit_stop(struct guest *g)
{
	int ret = units_stop(g->env->units, g->domid);

	if (ret < 0) {
		guest_failed(g, "stopping its backend", ret);
		return;
	}
	unit_observe(g);
	g->expected_up = false;
}
