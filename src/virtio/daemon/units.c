// SPDX-License-Identifier: GPL-2.0-or-later
#include "units.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/log.h"
#include "permits.h"
#include "systemd.h"
#include "virtio/ids.h"

#ifndef CALL_USEC
#define CALL_USEC (10 * 1000 * 1000)	/* a test has less patience */
#endif

struct unit {
	struct unit *next;
	uint32_t domid;
	enum vd_unit state;
	/*
	 * Asked to start, and nothing has come of it yet: systemd reports such a
	 * unit as it was before, for each of its properties that changes.
	 */
	bool asked;
	/* Asked to stop, and it has not: what systemd said before it knew comes after. */
	bool leaving;
	char job[64];		/* that it is started or stopped with */
	uint64_t ask;		/* number of that request */
	int permitted;		/* units_permitted() */
};

struct units {
	sd_bus *bus;
	units_fn *fn;
	void *arg;
	struct unit *list;	/* only those that are not inactive */
	uint64_t asks;		/* requests so far */
};

/* A call that is under way. */
struct call {
	struct units *u;
	uint32_t domid;
	const char *what;
	uint64_t ask;		/* the last request to start or stop it, before this call */
};

/* ---- the states ---- */

static struct unit *find(struct units *u, uint32_t domid)
{
	struct unit *p = u->list;

	while (p && p->domid != domid)
		p = p->next;
	return p;
}

enum vd_unit units_state(struct units *u, uint32_t domid)
{
	struct unit *p = find(u, domid);

	return p ? p->state : VD_UNIT_INACTIVE;
}

static struct unit *add(struct units *u, uint32_t domid)
{
	struct unit *p = calloc(1, sizeof(*p));

	if (!p) {
		log_err(NULL, "domain %u: out of memory: its backend's unit is not watched", domid);
		return NULL;
	}
	p->domid = domid;
	p->next = u->list;
	u->list = p;
	return p;
}

static void drop(struct units *u, struct unit *gone)
{
	struct unit **p = &u->list;

	while (*p != gone)
		p = &(*p)->next;
	*p = gone->next;
	free(gone);
}

/* True when it changed. */
static bool set_state(struct units *u, uint32_t domid, enum vd_unit state)
{
	struct unit *p = find(u, domid);

	if (state == (p ? p->state : VD_UNIT_INACTIVE))
		return false;
	if (state == VD_UNIT_INACTIVE) {
		drop(u, p);
		return true;
	}
	if (!p)
		p = add(u, domid);
	if (!p)
		return false;
	p->state = state;
	p->asked = p->leaving = false;
	return true;
}

/*
 * What systemd reports of a unit; true when its state changed.  In the midst of a restart a
 * unit has no process for a moment, but a job waits for it: nobody has stopped it.  Of a
 * stop that we asked for, the job may still be there at its end.
 */
static bool reported(struct units *u, const struct unit_report *r)
{
	bool ended = r->state == VD_UNIT_INACTIVE || r->state == VD_UNIT_FAILED;
	struct unit *p = find(u, r->domid);
	enum vd_unit state = r->state;

	if (p && ((p->asked && ended) || (p->leaving && !ended)))
		return false;
	if (ended && r->job && !(p && p->leaving))
		state = VD_UNIT_STARTING;
	if (p)
		p->asked = p->leaving = false;
	return set_state(u, r->domid, state);
}

int units_list(struct units *u, uint32_t **domids, unsigned int *n)
{
	unsigned int count = 0;

	for (struct unit *p = u->list; p; p = p->next)
		count++;
	*n = 0;
	*domids = calloc(count + 1, sizeof(**domids));
	if (!*domids)
		return -ENOMEM;
	for (struct unit *p = u->list; p; p = p->next)
		(*domids)[(*n)++] = p->domid;
	return 0;
}

/* ---- what systemd reports ---- */

static int on_properties(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct unit_report r;
	struct units *u = arg;

	(void)error;
	if (unit_report_changed(m, &r) && reported(u, &r))
		u->fn(u->arg, r.domid);
	return 0;
}

/*
 * systemd answers in the order in which it was asked: what it says now it says after it
 * was asked to start or stop the unit, and when no job waits for the unit, nothing will
 * come of that any more.
 */
static void settle(const struct call *c, const struct unit_report *r)
{
	struct unit *p = find(c->u, c->domid);

	if (p && p->ask == c->ask && !r->job)
		p->asked = p->leaving = false;
}

/* The answer to a query of one unit's state: systemd lists only units that are loaded. */
static int on_listed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	struct call *c = arg;
	struct unit_report one, found = { .domid = c->domid, .state = VD_UNIT_INACTIVE };
	int ret = -EIO;

	(void)error;
	if (!e)
		ret = unit_report_enter(m);
	while (ret >= 0 && (ret = unit_report_next(m, &one)) > 0)
		if (one.domid == c->domid)
			found = one;
	if (ret < 0) {
		log_err(NULL, "domain %u: cannot query the unit's state: %s", c->domid,
			e && e->message ? e->message : strerror(-ret));
		return 0;
	}
	settle(c, &found);
	if (reported(c->u, &found))
		c->u->fn(c->u->arg, c->domid);
	return 0;
}

/* Send @m, which is made when @ret is not negative, and with it goes what it is about. */
static int call_send(struct units *u, uint32_t domid, const char *what, sd_bus_message *m, int ret,
		     uint64_t usec, sd_bus_message_handler_t fn)
{
	struct call *c = calloc(1, sizeof(*c));
	struct unit *p = find(u, domid);

	if (!c)
		ret = -ENOMEM;
	else
		*c = (struct call){ u, domid, what, p ? p->ask : 0 };
	if (ret >= 0)
		ret = systemd_send(u->bus, m, usec, fn, c, free);
	sd_bus_message_unref(m);
	if (ret < 0)
		free(c);
	return ret;
}

static void ask_state(struct units *u, uint32_t domid)
{
	sd_bus_message *m = NULL;
	char name[64];
	int ret = systemd_method(u->bus, &m, "ListUnitsByPatterns");

	snprintf(name, sizeof(name), VD_UNIT, domid);
	if (ret >= 0)
		ret = sd_bus_message_append(m, "asas", 0, 1, name);
	ret = call_send(u, domid, "list", m, ret, UINT64_MAX, on_listed);
	if (ret < 0)
		log_err(NULL, "domain %u: cannot query the unit's state: %s", domid, strerror(-ret));
}

/*
 * A unit that is unloaded is inactive, and no other signal may come of it.  But
 * `systemctl daemon-reload`, which most packages run, unloads all units and loads them
 * again, with their processes untouched: ask how it is.  The answer comes when the
 * reload is over, however long it takes, and after all signals that were sent before.
 */
static int on_removed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct units *u = arg;
	const char *name;
	uint32_t domid;

	(void)error;
	if (sd_bus_message_read(m, "s", &name) >= 0 && !unit_domid(name, &domid) && find(u, domid))
		ask_state(u, domid);
	return 0;
}

/*
 * A start that came to nothing, since a dependency failed or someone cancelled it; or a
 * stop in whose place someone else asked for a start.
 */
static int on_job_removed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *job, *name, *result;
	struct units *u = arg;
	struct unit *p;
	uint32_t domid;

	(void)error;
	if (sd_bus_message_read(m, "uoss", NULL, &job, &name, &result) < 0 || unit_domid(name, &domid))
		return 0;
	p = find(u, domid);
	if (!p || strcmp(p->job, job) || !strcmp(result, "done"))
		return 0;
	if (p->leaving) {
		p->leaving = false;
		ask_state(u, domid);
	} else if (p->asked && set_state(u, domid, VD_UNIT_FAILED)) {
		u->fn(u->arg, domid);
	}
	return 0;
}

static int learn_all(struct units *u)
{
	sd_bus_error error = SD_BUS_ERROR_NULL;
	sd_bus_message *reply = NULL;
	struct unit_report one;
	int ret;

	ret = sd_bus_call_method(u->bus, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "ListUnitsByPatterns",
				 &error, &reply, "asas", 0, 1, UNIT_PATTERN);
	if (ret >= 0)
		ret = unit_report_enter(reply);
	while (ret >= 0 && (ret = unit_report_next(reply, &one)) > 0)
		reported(u, &one);
	if (ret < 0)
		log_err(NULL, "cannot list systemd's units: %s",
			error.message ? error.message : strerror(-ret));
	sd_bus_error_free(&error);
	sd_bus_message_unref(reply);
	return ret;
}

struct units *units_open(sd_event *ev, units_fn *fn, void *arg)
{
	struct units *u = calloc(1, sizeof(*u));
	int ret;

	if (!u)
		return NULL;
	u->fn = fn;
	u->arg = arg;
	ret = sd_bus_open_system(&u->bus);
	if (ret >= 0)
		ret = sd_bus_set_method_call_timeout(u->bus, CALL_USEC);
	/* Nothing can be done without it: systemd starts this program again. */
	if (ret >= 0)
		ret = sd_bus_set_exit_on_disconnect(u->bus, 1);
	if (ret >= 0)
		ret = sd_bus_attach_event(u->bus, ev, SD_EVENT_PRIORITY_NORMAL);
	if (ret >= 0)
		ret = sd_bus_match_signal(u->bus, NULL, SYSTEMD, NULL, DBUS_PROPERTIES,
					  "PropertiesChanged", on_properties, u);
	if (ret >= 0)
		ret = sd_bus_match_signal(u->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER,
					  "UnitRemoved", on_removed, u);
	if (ret >= 0)
		ret = sd_bus_match_signal(u->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER,
					  "JobRemoved", on_job_removed, u);
	/* Without it systemd sends no signals. */
	if (ret >= 0)
		ret = sd_bus_call_method(u->bus, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER, "Subscribe",
					 NULL, NULL, NULL);
	if (ret >= 0)
		ret = learn_all(u);
	if (ret < 0) {
		units_close(u);
		errno = -ret;
		return NULL;
	}
	return u;
}

void units_close(struct units *u)
{
	struct unit *p, *next;

	if (!u)
		return;
	for (p = u->list; p; p = next) {
		next = p->next;
		free(p);
	}
	sd_bus_flush_close_unref(u->bus);
	free(u);
}

/* ---- requests to systemd ---- */

/* A daemon-reload, or a host that is very busy: it has been asked, and will do it. */
static bool is_late(const sd_bus_error *e)
{
	return sd_bus_error_has_name(e, SD_BUS_ERROR_NO_REPLY) || sd_bus_error_has_name(e, SD_BUS_ERROR_TIMEOUT);
}

static int on_answer(sd_bus_message *m, void *arg, sd_bus_error *ret_error)
{
	struct call *c = arg;
	const sd_bus_error *e = sd_bus_message_get_error(m);
	struct unit *p = find(c->u, c->domid);
	const char *job;

	(void)ret_error;
	if (!e && p && sd_bus_message_read(m, "o", &job) >= 0)
		snprintf(p->job, sizeof(p->job), "%s", job);
	if (e && is_late(e)) {
		log_warn(NULL, "domain %u: systemd has not answered in time that it will %s its backend: waiting for it",
			 c->domid, c->what);
		ask_state(c->u, c->domid);
	} else if (e) {
		log_err(NULL, "domain %u: cannot %s its backend: %s: see 'systemctl status " VD_UNIT "'",
			c->domid, c->what, e->message ? e->message : e->name, c->domid);
		/*
		 * One that was never started is as good as one that failed; one
		 * that cannot be stopped is not there.
		 */
		if (set_state(c->u, c->domid, !strcmp(c->what, "start") ? VD_UNIT_FAILED :
			      VD_UNIT_INACTIVE))
			c->u->fn(c->u->arg, c->domid);
	}
	return 0;
}

static int change(struct units *u, uint32_t domid, bool start)
{
	sd_bus_message *m = NULL;
	struct unit *p;
	char name[64];
	int ret = systemd_method(u->bus, &m, start ? "StartUnit" : "StopUnit");

	snprintf(name, sizeof(name), VD_UNIT, domid);
	if (ret >= 0)
		ret = sd_bus_message_append(m, "ss", name, "replace");
	ret = call_send(u, domid, start ? "start" : "stop", m, ret, 0, on_answer);
	if (ret < 0)
		return ret;
	set_state(u, domid, start ? VD_UNIT_STARTING : VD_UNIT_STOPPING);
	p = find(u, domid);
	if (p) {
		p->ask = ++u->asks;
		p->asked = start;
		p->leaving = !start;
		p->job[0] = '\0';
	}
	return ret;
}

int units_start(struct units *u, uint32_t domid)
{
	return change(u, domid, true);
}

int units_stop(struct units *u, uint32_t domid)
{
	return change(u, domid, false);
}

int units_reset(struct units *u, uint32_t domid)
{
	char name[64];

	snprintf(name, sizeof(name), VD_UNIT, domid);
	return sd_bus_call_method_async(u->bus, NULL, SYSTEMD, SYSTEMD_PATH, SYSTEMD_MANAGER,
					"ResetFailedUnit", NULL, NULL, "s", name);
}

/* ---- what a unit may open ---- */

static void permitted(void *arg, uint32_t domid, int ret)
{
	struct units *u = arg;
	struct unit *p = find(u, domid);

	if (!p)
		return;
	p->permitted = ret;
	u->fn(u->arg, domid);
}

int units_permit(struct units *u, uint32_t domid, const struct vd_rules *r, const struct vd_rule *bind)
{
	struct unit *p = find(u, domid);
	int ret;

	if (!p)
		return -ENOENT;
	if (p->permitted == -EINPROGRESS)
		return -EBUSY;
	ret = permits_set(u->bus, domid, r, bind, permitted, u);
	if (!ret)
		p->permitted = -EINPROGRESS;
	return ret;
}

int units_permitted(struct units *u, uint32_t domid)
{
	struct unit *p = find(u, domid);

	return p ? p->permitted : 0;
}
