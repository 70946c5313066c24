// SPDX-License-Identifier: GPL-2.0-or-later
#include "units.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "base/log.h"
#include "virtio/ids.h"
#include "xen/domain.h"
#include "xen/xs_util.h"

#define DEST "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"
#define UNIT "org.freedesktop.systemd1.Unit"
#define SERVICE "org.freedesktop.systemd1.Service"
#define PROPERTIES "org.freedesktop.DBus.Properties"

#define PREFIX "xen-virtio-backend@"
#define SUFFIX ".service"

#define CALL_USEC (10 * 1000 * 1000)

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
	int permitted;		/* units_permitted() */
};

struct units {
	sd_bus *bus;
	units_fn *fn;
	void *arg;
	struct unit *list;	/* only those that are not inactive */
};

/* A call that is under way. */
struct call {
	struct units *u;
	uint32_t domid;
	const char *what;
};

/* ---- pure ---- */

enum vd_unit units_state_parse(const char *active, const char *sub)
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

int units_domid(const char *name, uint32_t *domid)
{
	size_t len = strlen(name), pre = sizeof(PREFIX) - 1, suf = sizeof(SUFFIX) - 1;
	char digits[8];
	uint64_t n;

	if (len <= pre + suf || len - pre - suf >= sizeof(digits) ||
	    strncmp(name, PREFIX, pre) || strcmp(name + len - suf, SUFFIX))
		return -EINVAL;
	memcpy(digits, name + pre, len - pre - suf);
	digits[len - pre - suf] = '\0';
	if (xsh_parse_uint(digits, DOMID_LIMIT - 1, &n))
		return -EINVAL;
	*domid = (uint32_t)n;
	return 0;
}

/* ---- the states ---- */

enum vd_unit units_state(struct units *u, uint32_t domid)
{
	for (struct unit *p = u->list; p; p = p->next)
		if (p->domid == domid)
			return p->state;
	return VD_UNIT_INACTIVE;
}

static struct unit *find(struct units *u, uint32_t domid)
{
	struct unit *p = u->list;

	while (p && p->domid != domid)
		p = p->next;
	return p;
}

static bool set_state(struct units *u, uint32_t domid, enum vd_unit state);

/*
 * What systemd says, and whether a job waits for the unit; true when the state changed.
 * In the midst of a restart a unit has no process for a moment, but nobody has stopped
 * it.  Of a stop that we asked for, the job may still be there at its end.
 */
static bool reported(struct units *u, uint32_t domid, enum vd_unit state, uint32_t job)
{
	bool ended = state == VD_UNIT_INACTIVE || state == VD_UNIT_FAILED;
	struct unit *p = find(u, domid);

	if (p && ((p->asked && ended) || (p->leaving && !ended)))
		return false;
	if (ended && job && !(p && p->leaving))
		state = VD_UNIT_STARTING;
	if (p)
		p->asked = p->leaving = false;
	return set_state(u, domid, state);
}

/* True when it changed. */
static bool set_state(struct units *u, uint32_t domid, enum vd_unit state)
{
	struct unit **p = &u->list, *one;

	while (*p && (*p)->domid != domid)
		p = &(*p)->next;
	one = *p;
	if (one && one->state == state)
		return false;
	if (state == VD_UNIT_INACTIVE) {
		if (one)
			*p = one->next;
		free(one);
		return one != NULL;
	}
	if (!one) {
		one = calloc(1, sizeof(*one));
		if (!one) {
			log_err(NULL, "out of memory: unit of domain %u is not looked after", domid);
			return false;
		}
		one->domid = domid;
		one->next = u->list;
		u->list = one;
	}
	one->state = state;
	one->asked = one->leaving = false;
	return true;
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

/* ---- what systemd says ---- */

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

static int on_properties(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *interface, *active, *sub;
	struct units *u = arg;
	uint32_t domid, job;
	char *name = NULL;

	(void)error;
	if (sd_bus_path_decode(sd_bus_message_get_path(m), MANAGER_PATH "/unit", &name) <= 0)
		return 0;
	if (!units_domid(name, &domid) &&
	    sd_bus_message_read(m, "s", &interface) >= 0 && !strcmp(interface, UNIT) &&
	    read_states(m, &active, &sub, &job) >= 0 && *active &&
	    reported(u, domid, units_state_parse(active, sub), job))
		u->fn(u->arg, domid);
	free(name);
	return 0;
}

struct listed {
	uint32_t domid, job;
	enum vd_unit state;
};

/* The next backend unit of an answer to ListUnitsByPatterns, which is entered: 1, 0 at its end. */
static int next_listed(sd_bus_message *m, struct listed *l)
{
	const char *name, *active, *sub;
	int ret;

	while ((ret = sd_bus_message_read(m, "(ssssssouso)", &name, NULL, NULL, &active, &sub,
					  NULL, NULL, &l->job, NULL, NULL)) > 0)
		if (!units_domid(name, &l->domid)) {
			l->state = units_state_parse(active, sub);
			return 1;
		}
	return ret;
}

/* What systemd says of one unit when it was asked; it lists only those that are loaded. */
static int on_listed(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);
	struct listed one, found = { .state = VD_UNIT_INACTIVE };
	struct call *c = arg;
	int ret = -EIO;

	(void)error;
	if (!e)
		ret = sd_bus_message_enter_container(m, 'a', "(ssssssouso)");
	while (ret >= 0 && (ret = next_listed(m, &one)) > 0)
		if (one.domid == c->domid)
			found = one;
	if (ret < 0)
		log_err(NULL, "domain %u: systemd does not say how its backend is: %s", c->domid,
			e && e->message ? e->message : strerror(-ret));
	else if (reported(c->u, c->domid, found.state, found.job))
		c->u->fn(c->u->arg, c->domid);
	return 0;
}

static void ask_state(struct units *u, uint32_t domid)
{
	struct call *c = calloc(1, sizeof(*c));
	sd_bus_message *call = NULL;
	sd_bus_slot *slot = NULL;
	char name[64];
	int ret;

	if (!c) {
		log_err(NULL, "out of memory: unit of domain %u is not looked after", domid);
		return;
	}
	*c = (struct call){ u, domid, "list" };
	snprintf(name, sizeof(name), VD_UNIT, domid);
	ret = sd_bus_message_new_method_call(u->bus, &call, DEST, MANAGER_PATH, MANAGER, "ListUnitsByPatterns");
	if (ret >= 0)
		ret = sd_bus_message_append(call, "asas", 0, 1, name);
	if (ret >= 0)
		ret = sd_bus_call_async(u->bus, &slot, call, on_listed, c, UINT64_MAX);
	sd_bus_message_unref(call);
	if (ret < 0) {
		free(c);
		log_err(NULL, "domain %u: systemd cannot be asked how its backend is: %s", domid, strerror(-ret));
		return;
	}
	sd_bus_slot_set_destroy_callback(slot, free);
	sd_bus_slot_set_floating(slot, 1);
	sd_bus_slot_unref(slot);
}

/*
 * A unit that is unloaded is inactive, and there may be no other word of it.  But
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
	if (sd_bus_message_read(m, "s", &name) >= 0 && !units_domid(name, &domid) && find(u, domid))
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
	if (sd_bus_message_read(m, "uoss", NULL, &job, &name, &result) < 0 || units_domid(name, &domid))
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
	struct listed one;
	int ret;

	ret = sd_bus_call_method(u->bus, DEST, MANAGER_PATH, MANAGER, "ListUnitsByPatterns",
				 &error, &reply, "asas", 0, 1, PREFIX "*" SUFFIX);
	if (ret >= 0)
		ret = sd_bus_message_enter_container(reply, 'a', "(ssssssouso)");
	while (ret >= 0 && (ret = next_listed(reply, &one)) > 0)
		reported(u, one.domid, one.state, one.job);
	if (ret < 0)
		log_err(NULL, "systemd does not list its units: %s",
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
		ret = sd_bus_match_signal(u->bus, NULL, DEST, NULL, PROPERTIES,
					  "PropertiesChanged", on_properties, u);
	if (ret >= 0)
		ret = sd_bus_match_signal(u->bus, NULL, DEST, MANAGER_PATH, MANAGER,
					  "UnitRemoved", on_removed, u);
	if (ret >= 0)
		ret = sd_bus_match_signal(u->bus, NULL, DEST, MANAGER_PATH, MANAGER,
					  "JobRemoved", on_job_removed, u);
	/* Without it systemd sends no signals. */
	if (ret >= 0)
		ret = sd_bus_call_method(u->bus, DEST, MANAGER_PATH, MANAGER, "Subscribe",
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

/* ---- what systemd is asked ---- */

static int on_answer(sd_bus_message *m, void *arg, sd_bus_error *ret_error)
{
	struct call *c = arg;
	const sd_bus_error *e = sd_bus_message_get_error(m);
	struct unit *p = find(c->u, c->domid);
	const char *job;

	(void)ret_error;
	if (!e && p && sd_bus_message_read(m, "o", &job) >= 0)
		snprintf(p->job, sizeof(p->job), "%s", job);
	if (e) {
		log_err(NULL, "domain %u: systemd does not %s its backend: %s: see 'systemctl status " VD_UNIT "'",
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

static int ask(struct units *u, uint32_t domid, const char *method, const char *what)
{
	struct call *c = calloc(1, sizeof(*c));
	sd_bus_slot *slot = NULL;
	char name[64];
	int ret;

	if (!c)
		return -ENOMEM;
	*c = (struct call){ u, domid, what };
	snprintf(name, sizeof(name), VD_UNIT, domid);
	ret = sd_bus_call_method_async(u->bus, &slot, DEST, MANAGER_PATH, MANAGER, method,
				       on_answer, c, "ss", name, "replace");
	if (ret < 0) {
		free(c);
		return ret;
	}
	/* The slot, and what it holds, goes with the answer or the connection. */
	sd_bus_slot_set_destroy_callback(slot, free);
	sd_bus_slot_set_floating(slot, 1);
	sd_bus_slot_unref(slot);
	return 0;
}

int units_start(struct units *u, uint32_t domid)
{
	int ret = ask(u, domid, "StartUnit", "start");
	struct unit *p;

	if (ret < 0)
		return ret;
	set_state(u, domid, VD_UNIT_STARTING);
	p = find(u, domid);
	if (p) {
		p->asked = true;
		p->job[0] = '\0';
	}
	return ret;
}

int units_stop(struct units *u, uint32_t domid)
{
	int ret = ask(u, domid, "StopUnit", "stop");
	struct unit *p;

	if (ret < 0)
		return ret;
	set_state(u, domid, VD_UNIT_STOPPING);
	p = find(u, domid);
	if (p) {
		p->leaving = true;
		p->job[0] = '\0';
	}
	return ret;
}

int units_reset(struct units *u, uint32_t domid)
{
	char name[64];

	snprintf(name, sizeof(name), VD_UNIT, domid);
	return sd_bus_call_method_async(u->bus, NULL, DEST, MANAGER_PATH, MANAGER,
					"ResetFailedUnit", NULL, NULL, "s", name);
}

/* ---- what a unit may open ---- */

/* A permission that is being given: three calls, one after the other. */
struct permit {
	unsigned int refs;
	struct units *u;
	uint32_t domid;
	struct vd_rules rules;
	bool bind;
	struct vd_rule path;
};

static void permit_unref(void *arg)
{
	struct permit *p = arg;

	if (--p->refs)
		return;
	vd_rules_free(&p->rules);
	free(p);
}

static void permit_end(struct permit *p, int ret, const char *why)
{
	struct unit *unit = find(p->u, p->domid);

	if (ret)
		log_err(NULL, "domain %u: systemd does not change what its backend may open: %s", p->domid,
			why ? why : strerror(-ret));
	if (!unit)
		return;
	unit->permitted = ret;
	p->u->fn(p->u->arg, p->domid);
}

/* True when the answer is an error; then all is said. */
static bool permit_refused(struct permit *p, sd_bus_message *m)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);

	if (e)
		permit_end(p, -sd_bus_error_get_errno(e), e->message ? e->message : e->name);
	return e;
}

/* Sends @m, which is made when @ret is not negative; the answer goes to @fn. */
static int permit_call(struct permit *p, sd_bus_message *m, int ret, sd_bus_message_handler_t fn)
{
	sd_bus_slot *slot = NULL;

	if (ret >= 0)
		ret = sd_bus_call_async(p->u->bus, &slot, m, fn, p, 0);
	sd_bus_message_unref(m);
	if (ret < 0)
		return ret;
	p->refs++;
	sd_bus_slot_set_destroy_callback(slot, permit_unref);
	sd_bus_slot_set_floating(slot, 1);
	sd_bus_slot_unref(slot);
	return 0;
}

static int on_bound(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct permit *p = arg;

	(void)error;
	if (!permit_refused(p, m))
		permit_end(p, 0, NULL);
	return 0;
}

static void permit_path(struct permit *p)
{
	sd_bus_message *m = NULL;
	char name[64];
	int ret;

	if (!p->bind) {
		permit_end(p, 0, NULL);
		return;
	}
	snprintf(name, sizeof(name), VD_UNIT, p->domid);
	ret = sd_bus_message_new_method_call(p->u->bus, &m, DEST, MANAGER_PATH, MANAGER, "BindMountUnit");
	if (ret >= 0)
		ret = sd_bus_message_append(m, "sssbb", name, p->path.path, p->path.path, p->path.readonly, 1);
	ret = permit_call(p, m, ret, on_bound);
	if (ret < 0)
		permit_end(p, ret, NULL);
}

static int on_devices_set(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct permit *p = arg;

	(void)error;
	if (!permit_refused(p, m))
		permit_path(p);
	return 0;
}

/*
 * What the unit may open by its file and the administrator's drop-ins, then what the
 * rules say.  @old is at the array, @to may be NULL.  Sets @same when nothing changes.
 */
static int list_devices(const struct permit *p, sd_bus_message *old, sd_bus_message *to, bool *same)
{
	const char *node, *access;
	char dev[VD_RULE_DEVICE_MAX];
	unsigned int known = 0, needed = 0;
	int ret = sd_bus_message_enter_container(old, 'a', "(ss)");

	*same = true;
	while (ret >= 0 && (ret = sd_bus_message_read(old, "(ss)", &node, &access)) > 0) {
		bool wanted = false;

		if (strncmp(node, VD_RULE_DEVICE, strlen(VD_RULE_DEVICE))) {
			if (to)
				ret = sd_bus_message_append(to, "(ss)", node, access);
			continue;
		}
		known++;
		for (unsigned int i = 0; i < p->rules.n; i++)
			wanted |= p->rules.rule[i].device && !strcmp(node, vd_rule_device(dev, &p->rules.rule[i])) &&
				  !strcmp(access, vd_rule_access(&p->rules.rule[i]));
		*same &= wanted;
	}
	for (unsigned int i = 0; ret >= 0 && i < p->rules.n; i++) {
		const struct vd_rule *rule = &p->rules.rule[i];

		if (!rule->device)
			continue;
		needed++;
		if (to)
			ret = sd_bus_message_append(to, "(ss)", vd_rule_device(dev, rule), vd_rule_access(rule));
	}
	*same &= known == needed;
	return ret;
}

/* SetUnitProperties(): an empty list first, since a list is added to what is there. */
static int set_devices(const struct permit *p, sd_bus_message *old, sd_bus_message **m)
{
	char name[64];
	bool same;
	int ret;

	snprintf(name, sizeof(name), VD_UNIT, p->domid);
	ret = sd_bus_message_new_method_call(p->u->bus, m, DEST, MANAGER_PATH, MANAGER, "SetUnitProperties");
	if (ret >= 0)
		ret = sd_bus_message_append(*m, "sb", name, 1);
	if (ret >= 0)
		ret = sd_bus_message_open_container(*m, 'a', "(sv)");
	if (ret >= 0)
		ret = sd_bus_message_append(*m, "(sv)", "DeviceAllow", "a(ss)", 0);
	if (ret >= 0)
		ret = sd_bus_message_open_container(*m, 'r', "sv");
	if (ret >= 0)
		ret = sd_bus_message_append(*m, "s", "DeviceAllow");
	if (ret >= 0)
		ret = sd_bus_message_open_container(*m, 'v', "a(ss)");
	if (ret >= 0)
		ret = sd_bus_message_open_container(*m, 'a', "(ss)");
	if (ret >= 0)
		ret = list_devices(p, old, *m, &same);
	for (int i = 0; ret >= 0 && i < 4; i++)
		ret = sd_bus_message_close_container(*m);
	return ret;
}

/* What it may open now. */
static int on_devices(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct permit *p = arg;
	sd_bus_message *set = NULL;
	bool same = false;
	int ret;

	(void)error;
	if (permit_refused(p, m))
		return 0;
	ret = sd_bus_message_enter_container(m, 'v', "a(ss)");
	if (ret >= 0)
		ret = list_devices(p, m, NULL, &same);
	if (ret >= 0 && same) {
		permit_path(p);
		return 0;
	}
	if (ret >= 0)
		ret = sd_bus_message_rewind(m, 1);
	if (ret >= 0)
		ret = sd_bus_message_enter_container(m, 'v', "a(ss)");
	if (ret >= 0)
		ret = set_devices(p, m, &set);
	ret = permit_call(p, set, ret, on_devices_set);
	if (ret < 0)
		permit_end(p, ret, NULL);
	return 0;
}

static struct permit *permit_new(struct units *u, uint32_t domid, const struct vd_rules *r, const struct vd_rule *bind)
{
	struct permit *p = calloc(1, sizeof(*p));
	int ret = p ? 0 : -ENOMEM;

	if (!p)
		return NULL;
	p->refs = 1;
	p->u = u;
	p->domid = domid;
	for (unsigned int i = 0; !ret && i < r->n; i++)
		ret = vd_rules_add(&p->rules, &r->rule[i]);
	if (bind) {
		p->bind = true;
		p->path = *bind;
	}
	if (ret)
		permit_unref(p);
	return ret ? NULL : p;
}

int units_permit(struct units *u, uint32_t domid, const struct vd_rules *r, const struct vd_rule *bind)
{
	struct unit *unit = find(u, domid);
	sd_bus_message *m = NULL;
	char name[64], *path = NULL;
	struct permit *p;
	int ret;

	if (!unit)
		return -ENOENT;
	if (unit->permitted == -EINPROGRESS)
		return -EBUSY;
	p = permit_new(u, domid, r, bind);
	if (!p)
		return -ENOMEM;
	snprintf(name, sizeof(name), VD_UNIT, domid);
	ret = sd_bus_path_encode(MANAGER_PATH "/unit", name, &path);
	if (ret >= 0)
		ret = sd_bus_message_new_method_call(u->bus, &m, DEST, path, PROPERTIES, "Get");
	if (ret >= 0)
		ret = sd_bus_message_append(m, "ss", SERVICE, "DeviceAllow");
	ret = permit_call(p, m, ret, on_devices);
	if (!ret)
		unit->permitted = -EINPROGRESS;
	free(path);
	permit_unref(p);
	return ret;
}

int units_permitted(struct units *u, uint32_t domid)
{
	struct unit *unit = find(u, domid);

	return unit ? unit->permitted : 0;
}
