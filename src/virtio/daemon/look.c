// SPDX-License-Identifier: GPL-2.0-or-later
#include "look.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "access.h"
#include "decide.h"
#include "device.h"
#include "disk_errors.h"
#include "guest_unit.h"
#include "hotplug.h"
#include "remains.h"
#include "session.h"

/* ---- what is so now ---- */

static int observe_devs(struct guest *g)
{
	struct vd_node *list;
	unsigned int n;
	int ret = vd_nodes_list(g->env->st, g->domid, &list, &n);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < g->n; i++)
		g->dev[i].there = false;
	for (unsigned int i = 0; !ret && i < n; i++) {
		struct dev *d = dev_find(g, list[i].id);

		if (!d)
			d = dev_add(g, list[i].id);
		if (d) {
			if (!d->plugged && memcmp(&d->node.spec, &list[i].spec, sizeof(list[i].spec)))
				d->probed = d->prepared = false;
			d->node = list[i];
			d->there = !dev_replaced(d);
		} else {
			ret = -ENOMEM;
		}
	}
	free(list);
	return ret;
}

/* One that is being built has nodes before xenstored knows the domain. */
bool guest_is_alive(struct guest *g)
{
	if (vd_nodes_alive(g->env->st, g->domid))
		return g->introduced = true;
	return !g->introduced && vd_nodes_known(g->env->st, g->domid);
}

static int observe(struct guest *g)
{
	char name[DOMAIN_NAME_MAX];

	g->alive = guest_is_alive(g);
	/* A guest may be renamed; one that is gone keeps its name here. */
	domain_name(g->env->st->xs, g->domid, name, DOMAIN_NAME_MAX);
	if (name[0])
		memcpy(g->name, name, sizeof(name));
	unit_observe(g);
	return observe_devs(g);
}

bool guest_over(const struct guest *g)
{
	return g->seen && !g->n && (g->unit == VD_UNIT_INACTIVE || g->unit == VD_UNIT_FAILED);
}

/* ---- doing it ---- */

static void fail_unit(struct guest *g, struct dev *d)
{
	char why[VD_ERROR_MAX];

	if (g->unit == VD_UNIT_FAILED)
		snprintf(why, sizeof(why), "its backend keeps failing: see 'journalctl -u " VD_UNIT "', then run 'systemctl restart " VD_UNIT "'",
			 g->domid, g->domid);
	else
		snprintf(why, sizeof(why), "its backend was stopped: run 'systemctl start " VD_UNIT "'",
			 g->domid);
	dev_fail(g, d, why);
}

static void act_dev(struct guest *g, struct dev *d, const struct vd_dev_view *v)
{
	switch (v->action) {
	case VD_DO_CLOSE:
		dev_close(g, d);
		break;
	case VD_DO_FAIL:
		dev_fail(g, d, d->node.error);
		break;
	case VD_DO_FAIL_UNIT:
		fail_unit(g, d);
		break;
	default:
		break;
	}
	/* A tap that no QEMU has, and none will have. */
	if (!d->plugged && (!d->there || (!v->wanted && d->node.state == XenbusStateClosed)))
		dev_release(g, d);
}

static void start(struct guest *g, const struct vd_dev_view *v)
{
	bool any = false, waits = false;

	for (unsigned int i = 0; i < g->n; i++) {
		int ret = v[i].wanted ? dev_prepare(g, &g->dev[i]) : -ENODEV;

		any |= !ret;
		waits |= ret == -EINPROGRESS;
	}
	if (!any || waits)
		return;
	unit_start(g);
	/* The next one begins from the beginning. */
	for (unsigned int i = 0; i < g->n; i++)
		g->dev[i].prepared = false;
}

static void act_unit(struct guest *g, enum vd_unit_action action, const struct vd_dev_view *v)
{
	switch (action) {
	case VD_UNIT_LEAVE:
		break;
	case VD_UNIT_RESET:
		units_reset(g->env->units, g->domid);
		break;
	case VD_UNIT_START:
		start(g, v);
		break;
	case VD_UNIT_STOP:
		unit_stop(g);
		break;
	}
}

static bool needs_qmp(const struct vd_dev_view *v)
{
	return v->action == VD_DO_PLUG || v->action == VD_DO_UNPLUG || v->action == VD_DO_RESIZE;
}

static void act_idle(struct guest *g, const struct vd_plan *plan, const struct vd_dev_view *v)
{
	if (plan->ask) {
		session_list(g);
		return;
	}
	if (plan->measure) {
		session_measure(g);
		return;
	}
	for (unsigned int i = 0; i < g->n; i++)
		if (needs_qmp(&v[i]) && hotplug_begin(g, &g->dev[i], v[i].action))
			return;
	/* All that were to be added have failed. */
	session_end(g);
}

static void act_qmp(struct guest *g, const struct vd_plan *plan, const struct vd_dev_view *v)
{
	bool need = plan->ask || plan->measure;

	for (unsigned int i = 0; i < g->n; i++)
		need |= needs_qmp(&v[i]);
	if (!need || g->unit != VD_UNIT_RUNNING) {
		/* Others may want to ask this QEMU something. */
		if (g->session == IDLE)
			session_end(g);
	} else if (g->session == NO_SESSION) {
		session_begin(g);
	} else if (g->session == IDLE) {
		act_idle(g, plan, v);
	}
}

static void compact(struct guest *g, const struct vd_dev_view *v)
{
	unsigned int kept = 0;

	for (unsigned int i = 0; i < g->n; i++)
		if (v[i].action != VD_DO_FORGET)
			g->dev[kept++] = g->dev[i];
	g->n = kept;
}

static void closing_time(struct guest *g, const struct vd_plan *plan)
{
	if (!plan->closing) {
		g->closing_since = 0;
		return;
	}
	if (!g->closing_since)
		g->closing_since = guest_stamp(g);
	if (plan->unit == VD_UNIT_STOP)
		guest_log(g, LOG_WARNING, NULL, "its backend does not close: stopping it");
	else if (g->unit != VD_UNIT_STOPPING)
		guest_wake(g, g->closing_since + VD_CLOSE_MS);
}

static void act(struct guest *g, const struct vd_plan *plan, const struct vd_dev_view *v)
{
	bool gave_up = false;

	for (unsigned int i = 0; i < g->n; i++) {
		gave_up |= v[i].action == VD_DO_FAIL_UNIT;
		act_dev(g, &g->dev[i], &v[i]);
	}
	/* Said once: a device that comes later starts it again. */
	if (gave_up || (!g->n && (g->unit == VD_UNIT_FAILED || g->unit == VD_UNIT_INACTIVE)))
		g->expected_up = false;
	closing_time(g, plan);
	act_unit(g, plan->unit, v);
	act_qmp(g, plan, v);
	access_withdraw(g);
}

/* ---- the look ---- */

static void views(struct guest *g, struct vd_guest_view *view, struct vd_dev_view *v)
{
	*view = (struct vd_guest_view){
		.alive = g->alive, .unit = g->unit, .expected_up = g->expected_up, .known = g->known,
		.resized = g->resized,
		.closing_ms = g->closing_since ? guest_now(g) - g->closing_since : 0,
	};
	for (unsigned int i = 0; i < g->n; i++)
		v[i] = (struct vd_dev_view){
			.there = g->dev[i].there, .online = g->dev[i].node.online,
			.bad = g->dev[i].node.bad, .failed = g->dev[i].node.failed,
			.state = g->dev[i].node.state, .plugged = g->dev[i].plugged,
			.grown = g->dev[i].grow_to != 0,
			.unserved = dev_unserved(g, &g->dev[i]),
		};
}

void guest_look(struct guest *g)
{
	struct vd_guest_view view;
	struct vd_dev_view *v;
	struct vd_plan plan;
	int ret = observe(g);

	g->seen = !ret;
	if (ret) {
		guest_failed(g, "reading its devices", ret);
		return;
	}
	devs_learn(g);
	v = calloc(g->n + 1, sizeof(*v));
	if (!v) {
		guest_failed(g, "looking at its devices", -ENOMEM);
		return;
	}
	views(g, &view, v);
	vd_decide(&view, v, g->n, &plan);
	act(g, &plan, v);
	compact(g, v);
	free(v);
	disk_errors_listen(g);
	remains_remove(g);
}
