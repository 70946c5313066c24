// SPDX-License-Identifier: GPL-2.0-or-later
#include "hotplug.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "access.h"
#include "device.h"
#include "fetch.h"
#include "guest_unit.h"
#include "opened.h"
#include "sectors.h"
#include "session.h"
#include "steps.h"

/* How often a device is taken from a QEMU that does not offer it, and given to it again. */
#define UNSERVED_TRIES 2
#define FETCH_TRIES 4
#define FETCH_RETRY_MS 1000

/*
 * QEMU takes some devices only when it starts.  While a guest is being created
 * no driver is connected yet, and its backend can be started again: xl writes
 * disks first, so that the backend is there before the other devices are.
 */
static void add_cold(struct guest *g, struct dev *d)
{
	bool connected = false;

	for (unsigned int i = 0; i < g->n; i++)
		connected |= g->dev[i].there && g->dev[i].node.state > XenbusStateInitWait &&
			     g->dev[i].node.state < XenbusStateClosed;
	if (connected || d->tries++) {
		dev_fail(g, d, "it cannot be hot-plugged: add it to the guest's configuration");
		return;
	}
	guest_log(g, LOG_INFO, &d->node.id, "restarting the backend to add it");
	unit_stop(g);
}

static bool begin_resize(struct guest *g, struct dev *d)
{
	struct vd_steps steps;

	if (vd_steps_resize(&steps, d->node.id, d->grow_to)) {
		vd_steps_free(&steps);
		d->grow_to = 0;
		return false;
	}
	session_work(g, VD_JOB_RESIZE, d->node.id, &steps);
	return true;
}

static void fetched(void *arg)
{
	guest_wake(arg, 0);
}

static bool fetching(const struct guest *g, const struct dev *d)
{
	struct vd_id id = g->fetch ? fetch_of(g->fetch) : (struct vd_id){ VD_KINDS, 0 };

	return id.kind == d->node.id.kind && id.devid == d->node.id.devid;
}

static void fetch_drop(struct guest *g)
{
	fetch_end(g->fetch);
	g->fetch = NULL;
}

/* It has no files: -EINPROGRESS when that may change. */
static int no_files(struct guest *g, struct dev *d, int err, const char *why)
{
	char text[VD_ERROR_MAX];

	/* The unit is about to be started again, or its new state is on its way here. */
	if ((err == -ECONNREFUSED || err == -ECONNRESET) && ++d->tries < FETCH_TRIES) {
		guest_wake(g, guest_now(g) + FETCH_RETRY_MS);
		return -EINPROGRESS;
	}
	if (err == -ENOENT || err == -ECONNREFUSED)
		snprintf(text, sizeof(text), "its backend %s: run 'systemctl restart " VD_UNIT "'",
			 err == -ENOENT ? "is of an earlier version" : "has lost the process that opens files", g->domid);
	else
		snprintf(text, sizeof(text), "%s", why);
	dev_fail(g, d, text);
	return err;
}

/* 0 and the open files; -EINPROGRESS: not yet; or the device has failed. */
static int fetch_files(struct guest *g, struct dev *d, struct vd_opened *o)
{
	char why[VD_ERROR_MAX];
	int ret;

	if (!vd_opened_count(&d->served, &d->found))
		return 0;
	if (!fetching(g, d)) {
		fetch_drop(g);
		g->fetch = fetch_begin(g->env->ev, g->domid, d->node.id, fetched, g);
		if (!g->fetch)
			return no_files(g, d, -errno, strerror(errno));
	}
	ret = fetch_result(g->fetch, o, why);
	if (ret == -EINPROGRESS)
		return ret;
	fetch_drop(g);
	return ret ? no_files(g, d, ret, why) : 0;
}

/* What QEMU needs is there, and it may have it: as fetch_files(). */
static int make_ready(struct guest *g, struct dev *d, struct vd_opened *o)
{
	bool asking = d->asked || fetching(g, d);
	char text[VD_ERROR_MAX];
	int ret = 0;

	/* While somebody is being asked, what was found stays. */
	if (!(asking && d->probed)) {
		fetch_drop(g);
		ret = dev_prepare(g, d);
		if (ret)
			return ret;
		d->prepared = false;
	}
	if (!sectors_keep(g->env->st, g->domid, &d->node, &d->found, text))
		guest_log(g, LOG_WARNING, &d->node.id, "%s", text);
	d->served = d->node.spec;
	if (vd_steps_cold(&d->served)) {
		add_cold(g, d);
		return -ENODEV;
	}
	if (!fetching(g, d))
		ret = access_grant(g, d);
	return ret ? ret : fetch_files(g, d, o);
}

static bool begin_plug(struct guest *g, struct dev *d)
{
	struct vd_opened o = { .n = 0 };
	struct vd_steps steps;
	int ret = make_ready(g, d, &o);

	if (ret)
		return ret == -EINPROGRESS || g->unit != VD_UNIT_RUNNING;
	ret = vd_steps_make(&steps, d->node.id, &d->served, &d->found, &o, true);
	vd_opened_close(&o);
	if (ret) {
		vd_steps_free(&steps);
		dev_fail(g, d, ret == -EINVAL ? "it has changed meanwhile: detach and attach it" : strerror(-ret));
		return false;
	}
	session_work(g, VD_JOB_PLUG, d->node.id, &steps);
	return true;
}

/* QEMU has it, and does not offer it: what comes in its place is what its nodes say. */
static bool begin_again(struct guest *g, struct dev *d)
{
	d->unserved_since = 0;
	if (d->unserved++ >= UNSERVED_TRIES) {
		dev_fail(g, d, "its backend does not offer it: see the backend's journal");
		return false;
	}
	guest_log(g, LOG_NOTICE, &d->node.id, "its backend has another device of this number: exchanging it");
	session_work(g, VD_JOB_UNPLUG, d->node.id, NULL);
	return true;
}

bool hotplug_begin(struct guest *g, struct dev *d, enum vd_action action)
{
	switch (action) {
	case VD_DO_PLUG:
		return begin_plug(g, d);
	case VD_DO_RESIZE:
		return begin_resize(g, d);
	default:
		if (d->unserved_since)
			return begin_again(g, d);
		session_work(g, VD_JOB_UNPLUG, d->node.id, NULL);
		return true;
	}
}
