// SPDX-License-Identifier: GPL-2.0-or-later
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "device.h"
#include "growth.h"
#include "net.h"
#include "qmp/session.h"

/* QEMU needs some tenths of a second until it listens. */
#define CONNECT_MS 100
#define CONNECT_SLOW_MS 1000
#define CONNECT_LATE_MS 15000

void session_end(struct guest *g)
{
	qmp_close(g->qmp);
	g->qmp = NULL;
	fetch_end(g->fetch);
	g->fetch = NULL;
	if (g->session == WORKING)
		vd_job_free(&g->job);
	g->session = NO_SESSION;
}

static void session_lost(void *arg, const char *why)
{
	struct guest *g = arg;
	struct dev *d = g->session == WORKING ? dev_find(g, g->job.id) : NULL;
	enum vd_job_kind job = g->job.kind;

	guest_log(g, LOG_WARNING, NULL, "its backend's QEMU: %s: reconnecting", why);
	session_end(g);
	devs_forget_plugged(g);
	g->connect_at = guest_now(g) + CONNECT_SLOW_MS;
	if (d && d->there && job == VD_JOB_PLUG && ++d->tries >= SESSION_TRIES)
		dev_fail(g, d, "its backend does not answer when it is added: see the backend's journal");
	guest_wake(g, g->connect_at);
}

/* QEMU has it, as it is now. */
static void plugged(struct guest *g, struct dev *d)
{
	d->plugged = true;
	d->bytes = d->grow_to = d->told_bytes = 0;
	/* It may have grown between QEMU's look at it and this one. */
	g->resized |= dev_sized(d) != 0;
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
		d->probed = d->unknown = false;
		plugged(g, d);
	}
	g->known = true;
	/* This start is a good one: see backend.c. */
	snprintf(path, sizeof(path), VD_RUN_START, g->domid);
	unlink(path);
}

/* ---- jobs ---- */

static void job_end(struct guest *g)
{
	struct vd_job *j = &g->job;
	struct dev *d = dev_find(g, j->id);
	char what[VD_PATH_MAX + 64];

	if (d && j->kind == VD_JOB_UNPLUG) {
		d->plugged = d->probed = false;
		/* Its successor may need another one; of one that was exchanged nobody knows what it was. */
		if (d->served.type == VD_NET || d->unserved)
			vd_net_down(g->domid, j->id.devid);
		snprintf(what, sizeof(what), VD_RUN_CONSOLE, g->domid, j->id.devid);
		if (d->served.type == VD_CONSOLE || d->unserved)
			unlink(what);
		g->revoke = true;
		guest_log(g, LOG_INFO, &j->id, "removed");
	} else if (d && j->kind == VD_JOB_RESIZE) {
		growth_told(g, d, j->error);
	} else if (d && j->error[0]) {
		char why[VD_ERROR_MAX];

		snprintf(why, sizeof(why), "QEMU: %.140s: fix that, then run 'systemctl restart " VD_UNIT "'",
			 j->error, g->domid);
		dev_fail(g, d, why);
	} else if (d) {
		plugged(g, d);
		d->tries = 0;
		guest_log(g, LOG_INFO, &j->id, "%s %s: added", vd_type_name(d->node.spec.type),
			  vd_spec_what(&d->node.spec, what, sizeof(what)));
	}
	vd_job_free(j);
	g->session = IDLE;
}

static void job_go_on(struct guest *g)
{
	struct json_object *args;
	int fd;
	const char *command = vd_job_next(&g->job, &args, &fd);

	if (command && qmp_command(g->qmp, command, args, fd))
		session_lost(g, "a command cannot be sent");
	else if (vd_job_done(&g->job)) {
		job_end(g);
		guest_wake(g, 0);
	}
}

/* ---- callbacks ---- */

static void session_ready(void *arg)
{
	struct guest *g = arg;

	g->session = IDLE;
	guest_wake(g, 0);
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
			growth_learn(g, ret);
		guest_wake(g, 0);
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

/* ---- commands ---- */

void session_begin(struct guest *g)
{
	uint64_t now = guest_now(g);
	char path[64];

	if (now < g->connect_at) {
		guest_wake(g, g->connect_at);
		return;
	}
	snprintf(path, sizeof(path), VD_RUN_QMP, g->domid);
	g->qmp = qmp_open(g->env->ev, path, &session_ops, g);
	if (g->qmp) {
		g->session = CONNECTING;
		return;
	}
	g->connect_at = now + CONNECT_MS;
	if (now - g->up_since >= CONNECT_LATE_MS) {
		g->connect_at = now + CONNECT_SLOW_MS;
		if (!g->told_late)
			guest_log(g, LOG_ERR, NULL, "its backend's QEMU does not listen at %s: %s: see 'journalctl -u " VD_UNIT "'",
				  path, strerror(errno), g->domid);
		g->told_late = true;
	}
	guest_wake(g, g->connect_at);
}

void session_list(struct guest *g)
{
	struct json_object *args = json_object_new_object();

	json_object_object_add(args, "path", json_object_new_string("/machine/peripheral"));
	g->session = LISTING;
	if (qmp_command(g->qmp, "qom-list", args, -1))
		session_lost(g, "a command cannot be sent");
}

void session_measure(struct guest *g)
{
	g->session = MEASURING;
	if (qmp_command(g->qmp, "query-block", NULL, -1))
		session_lost(g, "a command cannot be sent");
}

void session_work(struct guest *g, enum vd_job_kind kind, struct vd_id id, struct vd_steps *steps)
{
	vd_job_init(&g->job, kind, id, steps);
	g->session = WORKING;
	job_go_on(g);
}
