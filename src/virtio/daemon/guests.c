// SPDX-License-Identifier: GPL-2.0-or-later
#include "guests.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/ratelimit.h"
#include "decide.h"
#include "ioerror.h"
#include "net.h"
#include "plug.h"
#include "qmp/session.h"
#include "rules.h"
#include "virtio/blockdev.h"
#include "virtio/probe.h"
#include "virtio/size.h"

/* Lines about one guest in a minute, and looks at one in a second. */
#define LINES_PER_MINUTE 30
#define LOOKS_PER_SECOND 200
#define DEVS_MAX 1024

/* QEMU needs some tenths of a second until it listens. */
#define CONNECT_MS 100
#define CONNECT_SLOW_MS 1000
#define CONNECT_LATE_MS 15000
/* Sessions that may end in the middle of plugging a device. */
#define PLUG_TRIES 3
/* How long nodes of a guest that is gone are left to the toolstack. */
#define REMAINS_MS 60000
/* How long one device's nodes that are this domain's to remove. */
#define CLOSED_MS 5000
/* A disk whose requests fail is spoken of once in this time. */
#define IOERROR_MS 600000

struct dev {
	struct vd_node node;
	struct vd_spec served;		/* while plugged: as QEMU was given it */
	bool there, plugged;
	bool asked;			/* systemd: that the backend may open it */
	unsigned int tries;
	uint64_t closed_since;		/* 0: it is not */

	/* A disk that has a block device's size, while plugged. */
	dev_t rdev;			/* 0: it is none */
	uint64_t bytes;			/* as QEMU has it; 0: not known */
	uint64_t grow_to;		/* 0: it has not grown */
	uint64_t told_bytes;		/* a size that could not be passed on */
	uint64_t ioerror_at;		/* 0: none yet */
};

enum session { NO_SESSION, CONNECTING, LISTING, MEASURING, IDLE, WORKING };

struct guest {
	struct guest *next;
	struct guests *gs;
	uint32_t domid;
	char name[VD_GUEST_NAME_MAX];
	bool seen;			/* the last look at it succeeded */
	bool alive, introduced;		/* and: it was, once */
	struct dev *dev;
	unsigned int n;

	bool owed, known, resized;	/* as in struct vd_guest_view */
	enum vd_unit unit;		/* as it was last seen */
	uint64_t up_since;		/* 0: it is not running */
	bool told_late;
	bool revoke;			/* it may open what it does not have any more */
	uint64_t closing_since, gone_since;	/* 0: it is not so */

	struct qmp *qmp;
	enum session session;
	struct vd_job job;
	uint64_t connect_at;
	struct ioerrors ear;

	uint64_t due;
	struct limit lines, looks;
};

struct guests {
	struct guests_env env;
	struct guest *list;
};

struct guests *guests_new(const struct guests_env *env)
{
	struct guests *gs = calloc(1, sizeof(*gs));

	if (gs)
		gs->env = *env;
	return gs;
}

static uint64_t now_of(const struct guest *g)
{
	return g->gs->env.now();
}

static void wake(struct guest *g, uint64_t when)
{
	if (when < g->due)
		g->due = when;
}

/* ---- log lines ---- */

static void say(struct guest *g, int level, const struct vd_id *id, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void say(struct guest *g, int level, const struct vd_id *id, const char *fmt, ...)
{
	struct log_about about = {
		.guest = g->name[0] ? g->name : NULL, .domid = (int)g->domid,
		.stubdom = -1, .show_domid = true,
	};
	char text[VD_ERROR_MAX + 128], dev[VD_ID_MAX];
	va_list ap;

	if (!limit_take(&g->lines, now_of(g), 60000, LINES_PER_MINUTE))
		return;
	if (g->lines.used == LINES_PER_MINUTE) {
		log_warn(&about, "too many messages: silent about it for a minute");
		return;
	}
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (id)
		log_msg(level, &about, "%s: %s", vd_id_show(dev, *id), text);
	else
		log_msg(level, &about, "%s", text);
}

/* What fails for one guest must not keep the others from being served. */
static void failed(struct guest *g, const char *what, int err)
{
	say(g, LOG_ERR, NULL, "%s: %s: trying again", what, strerror(-err));
	wake(g, now_of(g) + 1000);
}

/* ---- the lists ---- */

static struct guest *find(struct guests *gs, uint32_t domid)
{
	struct guest *g = gs->list;

	while (g && g->domid != domid)
		g = g->next;
	return g;
}

static void told_ioerror(void *arg, const struct vd_ioerror *e);

static struct guest *add(struct guests *gs, uint32_t domid)
{
	struct guest *g = calloc(1, sizeof(*g));

	if (!g) {
		log_err(NULL, "domain %u: out of memory", domid);
		return NULL;
	}
	g->gs = gs;
	g->domid = domid;
	g->due = UINT64_MAX;
	g->ear = (struct ioerrors){ .now = gs->env.now, .fn = told_ioerror, .arg = g };
	g->next = gs->list;
	gs->list = g;
	return g;
}

static void session_end(struct guest *g)
{
	qmp_close(g->qmp);
	g->qmp = NULL;
	if (g->session == WORKING)
		vd_job_free(&g->job);
	g->session = NO_SESSION;
}

static void guest_free(struct guest *g)
{
	session_end(g);
	ioerrors_stop(&g->ear);
	free(g->dev);
	free(g);
}

static void drop(struct guest *gone)
{
	struct guest **p = &gone->gs->list;

	while (*p != gone)
		p = &(*p)->next;
	*p = gone->next;
	guest_free(gone);
}

void guests_free(struct guests *gs)
{
	struct guest *g, *next;

	for (g = gs ? gs->list : NULL; g; g = next) {
		next = g->next;
		guest_free(g);
	}
	free(gs);
}

static struct dev *dev_find(struct guest *g, struct vd_id id)
{
	for (unsigned int i = 0; i < g->n; i++)
		if (g->dev[i].node.id.kind == id.kind && g->dev[i].node.id.devid == id.devid)
			return &g->dev[i];
	return NULL;
}

static struct dev *dev_add(struct guest *g, struct vd_id id)
{
	struct dev *more;

	if (g->n >= DEVS_MAX)
		return NULL;
	more = reallocarray(g->dev, g->n + 1, sizeof(*more));
	if (!more)
		return NULL;
	g->dev = more;
	more = &g->dev[g->n++];
	memset(more, 0, sizeof(*more));
	more->node.id = id;
	return more;
}

/* ---- what is so now ---- */

/*
 * Taken away and made anew, as something else, before it was looked at again:
 * QEMU must not serve the one as the other.  Taken for gone until QEMU has let
 * go of it.
 */
static bool replaced(const struct dev *d)
{
	return d->plugged && memcmp(&d->served, &d->node.spec, sizeof(d->served));
}

static int observe_devs(struct guest *g)
{
	struct vd_node *list;
	unsigned int n;
	int ret = vd_nodes_list(g->gs->env.st, g->domid, &list, &n);

	if (ret)
		return ret;
	for (unsigned int i = 0; i < g->n; i++)
		g->dev[i].there = false;
	for (unsigned int i = 0; !ret && i < n; i++) {
		struct dev *d = dev_find(g, list[i].id);

		if (!d)
			d = dev_add(g, list[i].id);
		if (d) {
			d->node = list[i];
			d->there = !replaced(d);
		} else {
			ret = -ENOMEM;
		}
	}
	free(list);
	return ret;
}

static void forget_plugged(struct guest *g)
{
	g->known = g->resized = false;
	for (unsigned int i = 0; i < g->n; i++)
		g->dev[i].plugged = g->dev[i].asked = false;
}

/* QEMU has it, as it is now. */
static void plugged(struct guest *g, struct dev *d)
{
	const struct vd_spec *s = &d->served;

	d->plugged = true;
	d->rdev = s->type == VD_BLOCK && s->format == VD_RAW ? blockdev_at(s->path) : 0;
	d->bytes = d->grow_to = d->told_bytes = 0;
	/* It may have grown between QEMU's look at it and this one. */
	g->resized |= d->rdev != 0;
}

static void observe_unit(struct guest *g)
{
	enum vd_unit unit = units_state(g->gs->env.units, g->domid);

	if (unit == VD_UNIT_STARTING || unit == VD_UNIT_RUNNING || unit == VD_UNIT_RESTARTING)
		g->owed = true;
	if (unit == g->unit)
		return;
	if (unit == VD_UNIT_RESTARTING)
		say(g, LOG_WARNING, NULL, "its backend ended and is started again: see 'journalctl -u " VD_UNIT "'", g->domid);
	g->unit = unit;
	g->up_since = unit == VD_UNIT_RUNNING ? now_of(g) : 0;
	g->told_late = false;
	g->connect_at = 0;
	session_end(g);
	forget_plugged(g);
	ioerrors_stop(&g->ear);
	g->ear.deaf = false;
	g->ear.again = 0;
}

/* One that is being built has nodes before xenstored knows the domain. */
static bool is_alive(struct guest *g)
{
	if (vd_nodes_alive(g->gs->env.st, g->domid))
		return g->introduced = true;
	return !g->introduced && vd_nodes_known(g->gs->env.st, g->domid);
}

static int observe(struct guest *g)
{
	char name[VD_GUEST_NAME_MAX];

	g->alive = is_alive(g);
	/* A guest may be renamed; one that is gone keeps its name here. */
	vd_nodes_name(g->gs->env.st, g->domid, name);
	if (name[0])
		memcpy(g->name, name, sizeof(name));
	observe_unit(g);
	return observe_devs(g);
}

/* ---- devices ---- */

static void dev_fail(struct guest *g, struct dev *d, const char *why)
{
	int ret = vd_nodes_fail(g->gs->env.st, g->domid, d->node.id, why);

	if (ret && ret != -ENOENT)
		failed(g, "closing a device", ret);
	if (ret)
		return;
	d->node.failed = true;
	d->node.state = VD_CLOSED;
	say(g, LOG_ERR, &d->node.id, "%s", why);
}

static void dev_close(struct guest *g, struct dev *d)
{
	int ret = vd_nodes_set_state(g->gs->env.st, g->domid, d->node.id, VD_CLOSED);

	if (ret && ret != -ENOENT)
		failed(g, "closing a device", ret);
	if (!ret)
		d->node.state = VD_CLOSED;
}

static void dev_fail_unit(struct guest *g, struct dev *d)
{
	char why[VD_ERROR_MAX];

	if (g->unit == VD_UNIT_FAILED)
		snprintf(why, sizeof(why), "its backend does not stay up: see 'journalctl -u " VD_UNIT
			 "', then run 'systemctl restart " VD_UNIT "'", g->domid, g->domid);
	else
		snprintf(why, sizeof(why), "its backend was stopped: run 'systemctl start " VD_UNIT "'",
			 g->domid);
	dev_fail(g, d, why);
}

/* What QEMU will need is made, or is there.  False: the device has failed. */
static bool dev_prepare(struct guest *g, struct dev *d, struct vd_found *found)
{
	char why[VD_ERROR_MAX];
	int ret = vd_probe(&d->node.spec, false, found, why);

	if (!ret && d->node.spec.type == VD_NET)
		ret = vd_net_up(g->domid, d->node.id.devid, &d->node.spec, why);
	if (ret)
		dev_fail(g, d, why);
	return !ret;
}

/* What was made for it alone; QEMU, if there is one, has let go of it. */
static void dev_release(struct guest *g, struct dev *d)
{
	int ret;

	if (d->node.spec.type != VD_NET)
		return;
	ret = vd_net_down(g->domid, d->node.id.devid);
	if (ret)
		say(g, LOG_WARNING, &d->node.id, "its interface vx%u.%u cannot be removed: %s: run 'ip link delete vx%u.%u'",
		    g->domid, d->node.id.devid, strerror(-ret), g->domid, d->node.id.devid);
}

/* ---- what the backend may open ---- */

/* What is served now, and what is to be. */
static int rules_of(struct guest *g, struct vd_rules *r)
{
	int ret = 0;

	memset(r, 0, sizeof(*r));
	for (unsigned int i = 0; !ret && i < g->n; i++) {
		const struct dev *d = &g->dev[i];
		const struct vd_spec *s = d->plugged ? &d->served : &d->node.spec;
		char why[VD_ERROR_MAX];
		struct vd_found found;
		struct vd_rule rule;

		if (!d->plugged && (!d->there || !d->node.online || d->node.bad || d->node.failed))
			continue;
		/* What cannot be found is not opened either: said where it is added. */
		if (!vd_probe(s, false, &found, why) && vd_rule_make(&rule, s, &found))
			ret = vd_rules_add(r, &rule);
	}
	return ret;
}

/* For the unit's next load; and now, when it runs: @bind as in units_permit(). */
static int rules_apply(struct guest *g, bool now, const struct vd_rule *bind)
{
	struct vd_rules r;
	int ret = rules_of(g, &r);

	if (!ret)
		ret = vd_rules_write(&r, g->domid);
	if (!ret && now)
		ret = units_permit(g->gs->env.units, g->domid, &r, bind);
	vd_rules_free(&r);
	return ret;
}

/* 0: the running backend may open it.  -EINPROGRESS: not yet.  Else it has failed. */
static int permit(struct guest *g, struct dev *d, const struct vd_found *found)
{
	int ret = units_permitted(g->gs->env.units, g->domid);
	char why[VD_ERROR_MAX];
	struct vd_rule rule;

	if (!vd_rule_make(&rule, &d->node.spec, found))
		return 0;
	if (ret == -EINPROGRESS)
		return ret;
	if (!d->asked) {
		d->asked = true;
		ret = rules_apply(g, true, rule.bind ? &rule : NULL);
		if (!ret)
			ret = units_permitted(g->gs->env.units, g->domid);
		if (ret == -EINPROGRESS)
			return ret;
	}
	d->asked = false;
	/* It may have ended and be started again meanwhile. */
	if (ret && ++d->tries < PLUG_TRIES) {
		wake(g, now_of(g) + CONNECT_SLOW_MS);
		return -EINPROGRESS;
	}
	if (ret) {
		snprintf(why, sizeof(why), "systemd does not let its backend open it: %s: see 'journalctl -u xen-virtiod'",
			 strerror(-ret));
		dev_fail(g, d, why);
	}
	return ret;
}

/* A disk that was taken away may become another guest's. */
static void withdraw(struct guest *g)
{
	int ret;

	if (!g->revoke || g->unit != VD_UNIT_RUNNING ||
	    units_permitted(g->gs->env.units, g->domid) == -EINPROGRESS)
		return;
	g->revoke = false;
	ret = rules_apply(g, true, NULL);
	if (ret)
		say(g, LOG_WARNING, NULL, "its backend may still open what was removed: %s", strerror(-ret));
}

/* ---- QMP ---- */

static void serve(struct guest *g);

static void session_lost(void *arg, const char *why)
{
	struct guest *g = arg;
	struct dev *d = g->session == WORKING ? dev_find(g, g->job.id) : NULL;
	enum vd_job_kind job = g->job.kind;

	say(g, LOG_WARNING, NULL, "its backend's QEMU: %s: asking again", why);
	session_end(g);
	forget_plugged(g);
	g->connect_at = now_of(g) + CONNECT_SLOW_MS;
	if (d && d->there && job == VD_JOB_PLUG && ++d->tries >= PLUG_TRIES)
		dev_fail(g, d, "its backend does not answer when it is added: see the backend's journal");
	wake(g, g->connect_at);
}

/* The answer to qom-list: [{"name":"virtio-0","type":...}, ...] */
static void learn_plugged(struct guest *g, struct json_object *list)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	char path[64];

	for (size_t i = 0; i < n; i++) {
		struct json_object *name;
		struct vd_id id;
		struct dev *d;

		if (!json_object_object_get_ex(json_object_array_get_idx(list, i), "name", &name) ||
		    vd_id_parse(json_object_get_string(name), &id))
			continue;
		d = dev_find(g, id);
		if (!d)
			d = dev_add(g, id);	/* gone from xenstore meanwhile */
		if (!d)
			continue;
		d->served = d->node.spec;
		plugged(g, d);
	}
	g->known = true;
	/* This start is a good one: see backend.c. */
	snprintf(path, sizeof(path), VD_RUN_START, g->domid);
	unlink(path);
}

/* ---- sizes ---- */

static void told_size(struct guest *g, struct dev *d, uint64_t now, const char *what)
{
	if (d->told_bytes == now)
		return;
	d->told_bytes = now;
	say(g, LOG_WARNING, &d->node.id, "%.120s: %s", d->served.path, what);
}

/* Is the device's size another than what QEMU has? */
static void compare_size(struct guest *g, struct dev *d)
{
	uint64_t now;

	d->grow_to = 0;
	if (!d->bytes || blockdev_bytes(d->rdev, &now) || now == d->bytes)
		return;
	if (now < d->bytes)
		told_size(g, d, now, "it is smaller than before, which the guest is not told: make it as big as it was");
	else if (d->served.readonly)
		told_size(g, d, now, "it has grown; a read-only disk keeps its size until it is detached and attached");
	else if (now != d->told_bytes)
		d->grow_to = now;
}

/* The answer to query-block: [{"inserted":{"node-name":...,"image":{"virtual-size":...}}}, ...] */
static void learn_sizes(struct guest *g, struct json_object *list)
{
	for (unsigned int i = 0; i < g->n; i++) {
		struct dev *d = &g->dev[i];

		if (!d->plugged || !d->rdev)
			continue;
		d->bytes = vd_size_of(list, d->node.id);
		compare_size(g, d);
	}
	g->resized = false;
}

static void resize_end(struct guest *g, struct dev *d, const char *error)
{
	if (!error[0]) {
		say(g, LOG_INFO, &d->node.id, "%.120s: has grown from %" PRIu64 " to %" PRIu64 " MB",
		    d->served.path, d->bytes >> 20, d->grow_to >> 20);
		d->bytes = d->grow_to;
	} else {
		d->told_bytes = d->grow_to;
		say(g, LOG_WARNING, &d->node.id, "%.80s: it has grown, but QEMU does not take that: %.120s: try 'xen-virtio resize'",
		    d->served.path, error);
	}
	d->grow_to = 0;
}

static void job_end(struct guest *g)
{
	struct vd_job *j = &g->job;
	struct dev *d = dev_find(g, j->id);
	char what[VD_PATH_MAX + 64];

	if (d && j->kind == VD_JOB_UNPLUG) {
		d->plugged = false;
		/* Its successor may need another one. */
		if (d->served.type == VD_NET)
			vd_net_down(g->domid, j->id.devid);
		g->revoke = true;
		say(g, LOG_INFO, &j->id, "removed");
	} else if (d && j->kind == VD_JOB_RESIZE) {
		resize_end(g, d, j->error);
	} else if (d && j->error[0]) {
		char why[VD_ERROR_MAX];

		snprintf(why, sizeof(why), "QEMU: %.140s: fix that, then run 'systemctl restart " VD_UNIT "'",
			 j->error, g->domid);
		dev_fail(g, d, why);
	} else if (d) {
		plugged(g, d);
		d->tries = 0;
		say(g, LOG_INFO, &j->id, "%s %s: added", vd_type_name(d->node.spec.type),
		    vd_spec_what(&d->node.spec, what, sizeof(what)));
	}
	vd_job_free(j);
	g->session = IDLE;
}

static void job_go_on(struct guest *g)
{
	struct json_object *args;
	const char *command = vd_job_next(&g->job, &args);

	if (command && qmp_command(g->qmp, command, args))
		session_lost(g, "a command cannot be sent");
	else if (vd_job_done(&g->job)) {
		job_end(g);
		serve(g);
	}
}

static void session_ready(void *arg)
{
	struct guest *g = arg;

	g->session = IDLE;
	serve(g);
}

static void session_reply(void *arg, struct json_object *ret, const char *error)
{
	struct guest *g = arg;

	if (g->session == LISTING || g->session == MEASURING) {
		bool listing = g->session == LISTING;

		g->session = IDLE;
		if (error) {
			session_lost(g, error);
			return;
		}
		if (listing)
			learn_plugged(g, ret);
		else
			learn_sizes(g, ret);
		serve(g);
	} else if (g->session == WORKING) {
		vd_job_reply(&g->job, error);
		job_go_on(g);
	}
}

static void session_event(void *arg, const char *name, struct json_object *data)
{
	struct guest *g = arg;
	struct json_object *dev;

	if (strcmp(name, "DEVICE_DELETED") || g->session != WORKING ||
	    !json_object_object_get_ex(data, "device", &dev))
		return;
	vd_job_deleted(&g->job, json_object_get_string(dev));
	job_go_on(g);
}

static const struct qmp_ops session_ops = {
	.ready = session_ready, .reply = session_reply,
	.event = session_event, .lost = session_lost,
};

static void session_begin(struct guest *g)
{
	uint64_t now = now_of(g);
	char path[64];

	if (now < g->connect_at) {
		wake(g, g->connect_at);
		return;
	}
	snprintf(path, sizeof(path), VD_RUN_QMP, g->domid);
	g->qmp = qmp_open(g->gs->env.ev, path, &session_ops, g);
	if (g->qmp) {
		g->session = CONNECTING;
		return;
	}
	g->connect_at = now + CONNECT_MS;
	if (now - g->up_since >= CONNECT_LATE_MS) {
		g->connect_at = now + CONNECT_SLOW_MS;
		if (!g->told_late)
			say(g, LOG_ERR, NULL, "its backend's QEMU does not listen at %s: %s: see 'journalctl -u " VD_UNIT "'",
			    path, strerror(errno), g->domid);
		g->told_late = true;
	}
	wake(g, g->connect_at);
}

static void list_begin(struct guest *g)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "path", json_object_new_string("/machine/peripheral"));
	g->session = LISTING;
	if (qmp_command(g->qmp, "qom-list", args))
		session_lost(g, "a command cannot be sent");
}

static void measure_begin(struct guest *g)
{
	g->session = MEASURING;
	if (qmp_command(g->qmp, "query-block", NULL))
		session_lost(g, "a command cannot be sent");
}

/* ---- what QEMU says unasked ---- */

static void told_ioerror(void *arg, const struct vd_ioerror *e)
{
	struct guest *g = arg;
	struct dev *d = e ? dev_find(g, e->id) : NULL;
	uint64_t now = now_of(g);

	if (!e)
		wake(g, g->ear.again);
	if (!d || (d->ioerror_at && now < d->ioerror_at + IOERROR_MS))
		return;
	d->ioerror_at = now ? now : 1;
	if (e->nospace)
		say(g, LOG_ERR, &e->id, "%.120s: a write failed, no space left: make space there, until then the guest gets I/O errors",
		    d->served.path);
	else
		say(g, LOG_ERR, &e->id, "%.120s: a %s failed: %s: the guest gets I/O errors, see 'journalctl -k'",
		    d->served.path, e->write ? "write" : "read", e->reason);
}

static void unit_stop(struct guest *g);

/*
 * QEMU takes some devices only when it starts.  While a guest is being created
 * no driver is connected yet, and its backend can be started anew: xl writes
 * disks first, so that the backend is there before the other devices are.
 */
static void add_cold(struct guest *g, struct dev *d)
{
	bool connected = false;

	for (unsigned int i = 0; i < g->n; i++)
		connected |= g->dev[i].there && g->dev[i].node.state > VD_INIT_WAIT &&
			     g->dev[i].node.state < VD_CLOSED;
	if (connected || d->tries++) {
		dev_fail(g, d, "QEMU takes such a device only when it starts: give it in the guest's configuration");
		return;
	}
	say(g, LOG_INFO, &d->node.id, "starting the backend again, with it");
	unit_stop(g);
}

/* As backend.c does it for those that QEMU is started with. */
static void keep_sectors(struct guest *g, struct dev *d, struct vd_found *found)
{
	unsigned int now = vd_found_keep(found, d->node.sector_size);

	if (now)
		say(g, LOG_WARNING, &d->node.id, "%.120s: its sectors have %u bytes now, the guest goes on with %u: detach and attach it",
		    d->node.spec.path, now, d->node.sector_size);
	else if (!d->node.sector_size)
		vd_nodes_keep_sectors(g->gs->env.st, g->domid, d->node.id,
				      found->sectors.logical ? found->sectors.logical : VD_SECTOR_MIN);
}

/* False: nothing to wait for, the device has failed. */
static bool job_begin(struct guest *g, struct dev *d, enum vd_action action)
{
	struct vd_steps steps = { .n = 0 };
	struct vd_spec spec;
	struct vd_found found;
	int ret;

	if (action == VD_DO_UNPLUG) {
		vd_job_init(&g->job, VD_JOB_UNPLUG, d->node.id, NULL);
	} else if (action == VD_DO_RESIZE) {
		if (vd_steps_resize(&steps, d->node.id, d->grow_to)) {
			vd_steps_free(&steps);
			d->grow_to = 0;
			return false;
		}
		vd_job_init(&g->job, VD_JOB_RESIZE, d->node.id, &steps);
	} else {
		if (!dev_prepare(g, d, &found))
			return false;
		if (d->node.spec.type == VD_BLOCK)
			keep_sectors(g, d, &found);
		d->served = spec = d->node.spec;
		ret = vd_steps_make(&steps, g->domid, d->node.id, &spec, &found);
		if (ret || vd_steps_cold(&steps)) {
			vd_steps_free(&steps);
			if (ret)
				dev_fail(g, d, strerror(-ret));
			else
				add_cold(g, d);
			return g->unit != VD_UNIT_RUNNING;
		}
		ret = permit(g, d, &found);
		if (ret) {
			vd_steps_free(&steps);
			return ret == -EINPROGRESS;
		}
		vd_job_init(&g->job, VD_JOB_PLUG, d->node.id, &steps);
	}
	g->session = WORKING;
	job_go_on(g);
	return true;
}

/* ---- deciding and doing ---- */

static bool needs_qmp(const struct vd_dev_view *v)
{
	return v->action == VD_DO_PLUG || v->action == VD_DO_UNPLUG || v->action == VD_DO_RESIZE;
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
		dev_fail_unit(g, d);
		break;
	default:
		break;
	}
	/* A tap that no QEMU has, and none will have. */
	if (!d->plugged && (!d->there || (!v->wanted && d->node.state == VD_CLOSED)))
		dev_release(g, d);
}

static void unit_start(struct guest *g, const struct vd_dev_view *v)
{
	bool any = false;
	struct vd_found found;
	int ret;

	for (unsigned int i = 0; i < g->n; i++)
		if (v[i].wanted && dev_prepare(g, &g->dev[i], &found))
			any = true;
	if (!any)
		return;
	ret = rules_apply(g, false, NULL);
	if (!ret)
		ret = units_start(g->gs->env.units, g->domid);
	if (ret < 0) {
		failed(g, "starting its backend", ret);
		return;
	}
	say(g, LOG_DEBUG, NULL, "starting its backend");
	observe_unit(g);
}

static void unit_stop(struct guest *g)
{
	int ret = units_stop(g->gs->env.units, g->domid);

	if (ret < 0) {
		failed(g, "stopping its backend", ret);
		return;
	}
	observe_unit(g);
	g->owed = false;
}

static void act_unit(struct guest *g, enum vd_unit_action action, const struct vd_dev_view *v)
{
	switch (action) {
	case VD_UNIT_LEAVE:
		break;
	case VD_UNIT_RESET:
		units_reset(g->gs->env.units, g->domid);
		break;
	case VD_UNIT_START:
		unit_start(g, v);
		break;
	case VD_UNIT_STOP:
		unit_stop(g);
		break;
	}
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
		return;
	}
	if (g->session == NO_SESSION) {
		session_begin(g);
		return;
	}
	if (g->session != IDLE)
		return;
	if (plan->ask) {
		list_begin(g);
		return;
	}
	if (plan->measure) {
		measure_begin(g);
		return;
	}
	for (unsigned int i = 0; i < g->n; i++)
		if (needs_qmp(&v[i]) && job_begin(g, &g->dev[i], v[i].action))
			return;
	/* All that were to be added have failed. */
	session_end(g);
}

/*
 * xl removes the nodes of a device in dom0 when dom0 serves it.  What a driver
 * domain served, that domain has to remove, as `xl devd' does for other kinds;
 * a little later, for xl waits until it sees state 6.
 */
static void remains_here(struct guest *g)
{
	const struct vd_store *st = g->gs->env.st;
	uint64_t now = now_of(g);

	for (unsigned int i = 0; st->own && i < g->n; i++) {
		struct dev *d = &g->dev[i];

		if (!d->there || d->node.online || d->node.state != VD_CLOSED || d->plugged) {
			d->closed_since = 0;
			continue;
		}
		if (!d->closed_since)
			d->closed_since = now ? now : 1;
		if (now >= d->closed_since + CLOSED_MS && !vd_nodes_remove_dev(st, g->domid, d->node.id)) {
			say(g, LOG_INFO, &d->node.id, "closed: its nodes removed");
			d->there = false;
			wake(g, now);
			continue;
		}
		wake(g, (now < d->closed_since + CLOSED_MS ? d->closed_since : now) + CLOSED_MS);
	}
}

/* Nodes that the toolstack has left behind; never of a guest that lives. */
static void remains(struct guest *g)
{
	uint64_t now = now_of(g);

	if (g->alive || !g->n || !vd_nodes_forgotten(g->gs->env.st, g->domid)) {
		g->gone_since = 0;
		return;
	}
	if (!g->gone_since)
		g->gone_since = now ? now : 1;
	wake(g, g->gone_since + REMAINS_MS);
	if (now < g->gone_since + REMAINS_MS || vd_nodes_remove(g->gs->env.st, g->domid))
		return;
	say(g, LOG_INFO, NULL, "it is gone: its nodes removed");
	g->gone_since = 0;
	wake(g, now);
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
		g->closing_since = now_of(g) ? now_of(g) : 1;
	if (plan->unit == VD_UNIT_STOP)
		say(g, LOG_WARNING, NULL, "its backend does not close: stopping it");
	else if (g->unit != VD_UNIT_STOPPING)
		wake(g, g->closing_since + VD_CLOSE_MS);
}

static void listen_on(struct guest *g)
{
	if (g->unit != VD_UNIT_RUNNING || !g->known)
		return;
	ioerrors_listen(&g->ear, g->gs->env.ev, g->domid);
	if (!g->ear.qmp && !g->ear.deaf)
		wake(g, g->ear.again);
}

static void work(struct guest *g)
{
	struct vd_guest_view view = { .known = g->known };
	uint64_t now = now_of(g);
	struct vd_dev_view *v;
	struct vd_plan plan;
	bool gave_up = false;
	int ret = observe(g);

	g->seen = !ret;
	if (ret) {
		failed(g, "reading its devices", ret);
		return;
	}
	v = calloc(g->n + 1, sizeof(*v));
	if (!v) {
		failed(g, "looking at its devices", -ENOMEM);
		return;
	}
	view = (struct vd_guest_view){
		.alive = g->alive, .unit = g->unit, .owed = g->owed, .known = g->known,
		.resized = g->resized,
		.closing_ms = g->closing_since ? now - g->closing_since : 0,
	};
	for (unsigned int i = 0; i < g->n; i++)
		v[i] = (struct vd_dev_view){
			.there = g->dev[i].there, .online = g->dev[i].node.online,
			.bad = g->dev[i].node.bad, .failed = g->dev[i].node.failed,
			.state = g->dev[i].node.state, .plugged = g->dev[i].plugged,
			.grown = g->dev[i].grow_to != 0,
		};
	vd_decide(&view, v, g->n, &plan);
	for (unsigned int i = 0; i < g->n; i++) {
		gave_up |= v[i].action == VD_DO_FAIL_UNIT;
		act_dev(g, &g->dev[i], &v[i]);
	}
	/* Said once: a device that comes later starts it again. */
	if (gave_up || (!g->n && (g->unit == VD_UNIT_FAILED || g->unit == VD_UNIT_INACTIVE)))
		g->owed = false;
	closing_time(g, &plan);
	act_unit(g, plan.unit, v);
	act_qmp(g, &plan, v);
	withdraw(g);
	compact(g, v);
	free(v);
	listen_on(g);
	remains_here(g);
	remains(g);
}

/* Nothing is left of it. */
static bool over(const struct guest *g)
{
	return g->seen && !g->n && (g->unit == VD_UNIT_INACTIVE || g->unit == VD_UNIT_FAILED);
}

/* Look at a guest and do what is needed. */
static void serve(struct guest *g)
{
	g->due = UINT64_MAX;
	work(g);
	if (over(g))
		wake(g, 0);	/* guests_tick() drops it: its callers may still use it */
}

static void clean_up(struct guest *g)
{
	if (g->unit == VD_UNIT_FAILED)
		units_reset(g->gs->env.units, g->domid);
	vd_rules_remove(g->domid);
}

/* ---- from outside ---- */

void guests_visit(struct guests *gs, uint32_t domid)
{
	struct guest *g = find(gs, domid);

	if (!g)
		g = add(gs, domid);
	if (!g)
		return;
	if (limit_take(&g->looks, gs->env.now(), 1000, LOOKS_PER_SECOND))
		serve(g);
	else
		wake(g, gs->env.now() + 1000);
}

void guests_release(struct guests *gs)
{
	for (struct guest *g = gs->list; g; g = g->next)
		if (!g->alive || !is_alive(g))
			serve(g);
}

void guests_resized(struct guests *gs, dev_t dev)
{
	for (struct guest *g = gs->list; g; g = g->next) {
		bool other = false;

		for (unsigned int i = 0; i < g->n; i++) {
			struct dev *d = &g->dev[i];
			uint64_t now;

			if (d->plugged && d->rdev && (!dev || d->rdev == dev) &&
			    !blockdev_bytes(d->rdev, &now) && now != d->bytes && now != d->told_bytes)
				other = true;
		}
		if (!other)
			continue;
		g->resized = true;
		guests_visit(gs, g->domid);
	}
}

void guests_tick(struct guests *gs)
{
	struct guest *g, *next;

	for (g = gs->list; g; g = next) {
		next = g->next;
		if (g->due <= gs->env.now() && !over(g))
			serve(g);
		if (over(g)) {
			clean_up(g);
			drop(g);
		}
	}
}

uint64_t guests_next(const struct guests *gs)
{
	uint64_t due = UINT64_MAX;

	for (const struct guest *g = gs->list; g; g = g->next)
		if (g->due < due)
			due = g->due;
	return due;
}

static bool keep_tap(void *arg, uint32_t domid, uint32_t devid)
{
	struct guest *g = find(arg, domid);
	struct dev *d = g ? dev_find(g, (struct vd_id){ VD_KIND_VIRTIO, devid }) : NULL;

	return d && (d->there || d->plugged);
}

int guests_scan(struct guests *gs)
{
	uint32_t *domids;
	unsigned int n;
	int ret = vd_nodes_guests(gs->env.st, &domids, &n);

	if (ret) {
		free(domids);
		return ret;
	}
	for (unsigned int i = 0; i < n; i++)
		if (!find(gs, domids[i]))
			add(gs, domids[i]);
	free(domids);
	/* Backends whose guest went while nobody looked. */
	if (!units_list(gs->env.units, &domids, &n))
		for (unsigned int i = 0; i < n; i++)
			if (!find(gs, domids[i]))
				add(gs, domids[i]);
	free(domids);
	for (struct guest *g = gs->list; g; g = g->next)
		serve(g);
	vd_net_sweep(keep_tap, gs);
	return 0;
}

void guests_count(const struct guests *gs, unsigned int *n, unsigned int *devices,
		  unsigned int *bad)
{
	*n = *devices = *bad = 0;
	for (const struct guest *g = gs->list; g; g = g->next) {
		++*n;
		*devices += g->n;
		for (unsigned int i = 0; i < g->n; i++)
			if (g->dev[i].node.failed)
				++*bad;
	}
}
