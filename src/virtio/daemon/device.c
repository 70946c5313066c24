// SPDX-License-Identifier: GPL-2.0-or-later
#include "device.h"

#include <errno.h>
#include <string.h>

#include "net.h"
#include "virtio/probe.h"

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

bool dev_prepare(struct guest *g, struct dev *d)
{
	char why[VD_ERROR_MAX];
	int ret = vd_probe(&d->node.spec, false, &d->found, why);

	d->probed = !ret;
	if (!ret && d->node.spec.type == VD_NET)
		ret = vd_net_up(g->domid, d->node.id.devid, &d->node.spec, why);
	if (ret)
		dev_fail(g, d, why);
	return !ret;
}

void dev_release(struct guest *g, struct dev *d)
{
	int ret;

	if (d->node.spec.type != VD_NET)
		return;
	ret = vd_net_down(g->domid, d->node.id.devid);
	if (ret)
		guest_log(g, LOG_WARNING, &d->node.id, "its interface vx%u.%u cannot be removed: %s: run 'ip link delete vx%u.%u'",
			  g->domid, d->node.id.devid, strerror(-ret), g->domid, d->node.id.devid);
}
