// SPDX-License-Identifier: GPL-2.0-or-later
#include "hotplug.h"

#include <errno.h>
#include <string.h>

#include "access.h"
#include "device.h"
#include "guest_unit.h"
#include "sectors.h"
#include "session.h"
#include "steps.h"

/* How often a device is taken from a QEMU that does not offer it, and given to it again. */
#define UNSERVED_TRIES 2

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

static bool begin_plug(struct guest *g, struct dev *d)
{
	char text[VD_ERROR_MAX];
	struct vd_steps steps;
	bool cold;
	int ret;

	/* While systemd is being asked, what was found stays. */
	ret = d->asked && d->probed ? 0 : dev_prepare(g, d);
	if (ret)
		return ret == -EINPROGRESS;
	d->prepared = false;
	if (!sectors_keep(g->env->st, g->domid, &d->node, &d->found, text))
		guest_log(g, LOG_WARNING, &d->node.id, "%s", text);
	d->served = d->node.spec;
	ret = vd_steps_make(&steps, g->domid, d->node.id, &d->served, &d->found);
	cold = !ret && vd_steps_cold(&steps);
	if (ret)
		dev_fail(g, d, strerror(-ret));
	else if (cold)
		add_cold(g, d);
	else
		ret = access_grant(g, d);
	if (ret || cold) {
		vd_steps_free(&steps);
		return ret == -EINPROGRESS || g->unit != VD_UNIT_RUNNING;
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
