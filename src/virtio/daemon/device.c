// SPDX-License-Identifier: GPL-2.0-or-later
#include "device.h"

#include <errno.h>
#include <string.h>

#include "net.h"

/* When to ask again for what does not answer. */
#define PROBE_AGAIN_MS 100

void dev_fail(struct guest *g, struct dev *d, const char *why)
{
	int ret = vd_nodes_fail(g->env->st, g->domid, d->node.id, why);

	if (ret && ret != -ENOENT)
		guest_failed(g, "closing a device", ret);
	if (ret)
		return;
	d->node.failed = true;
	d->node.state = XenbusStateClosed;
	guest_log(g, LOG_ERR, &d->node.id, "%s", why);
}

void dev_close(struct guest *g, struct dev *d)
{
	int ret = vd_nodes_set_state(g->env->st, g->domid, d->node.id, XenbusStateClosed);

	if (ret && ret != -ENOENT)
		guest_failed(g, "closing a device", ret);
	if (!ret)
		d->node.state = XenbusStateClosed;
}

static int probe(struct guest *g, struct dev *d, const struct vd_spec *s, char *why)
{
	int ret = probing_ask(&g->probing, s, false, guest_now(g), &d->found, why);

	if (ret == -EINPROGRESS)
		guest_wake(g, guest_now(g) + PROBE_AGAIN_MS);
	else
		d->probed = !ret;
	return ret;
}

int dev_prepare(struct guest *g, struct dev *d)
{
	char why[VD_ERROR_MAX];
	int ret = d->prepared ? 0 : probe(g, d, &d->node.spec, why);

	if (d->prepared || ret == -EINPROGRESS)
		return ret;
	if (!ret && d->node.spec.type == VD_NET)
		ret = vd_net_up(g->domid, d->node.id.devid, &d->node.spec, why);
	d->prepared = !ret;
	if (ret)
		dev_fail(g, d, why);
	return ret;
}

void devs_learn(struct guest *g)
{
	char why[VD_ERROR_MAX];

	for (unsigned int i = 0; i < g->n; i++) {
		struct dev *d = &g->dev[i];
		int ret;

		if (!d->plugged || d->probed || d->unknown)
			continue;
		ret = probe(g, d, &d->served, why);
		if (ret == -EINPROGRESS)
			return;
		d->unknown = ret;
		/* It may have grown between QEMU's look at it and this one. */
		g->resized |= dev_sized(d) != 0;
	}
}

void dev_release(struct guest *g, struct dev *d)
{
	int ret;

	d->prepared = false;
	if (d->node.spec.type != VD_NET)
		return;
	ret = vd_net_down(g->domid, d->node.id.devid);
	if (ret)
		guest_log(g, LOG_WARNING, &d->node.id, "its interface vx%u.%u cannot be removed: %s: run 'ip link delete vx%u.%u'",
			  g->domid, d->node.id.devid, strerror(-ret), g->domid, d->node.id.devid);
}
