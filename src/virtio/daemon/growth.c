// SPDX-License-Identifier: GPL-2.0-or-later
#include "growth.h"

#include <inttypes.h>

#include "virtio/blockdev.h"
#include "virtio/size.h"

bool growth_seen(const struct guest *g, dev_t dev)
{
	for (unsigned int i = 0; i < g->n; i++) {
		const struct dev *d = &g->dev[i];
		uint64_t now;

		if (dev_sized(d) && (!dev || dev_sized(d) == dev) &&
		    !blockdev_bytes(dev_sized(d), &now) && now != d->bytes && now != d->told_bytes)
			return true;
	}
	return false;
}

static void cannot(struct guest *g, struct dev *d, uint64_t now, const char *what)
{
	if (d->told_bytes == now)
		return;
	d->told_bytes = now;
	guest_log(g, LOG_WARNING, &d->node.id, "%.120s: %s", d->served.path, what);
}

/* Is the device's size another than what QEMU has? */
static void compare(struct guest *g, struct dev *d)
{
	uint64_t now;

	d->grow_to = 0;
	if (!d->bytes || blockdev_bytes(dev_sized(d), &now) || now == d->bytes)
		return;
	if (now < d->bytes)
		cannot(g, d, now, "it is smaller than before, which the guest is not told: restore its size");
	else if (d->served.readonly)
		cannot(g, d, now, "it has grown; a read-only disk keeps its size until it is detached and attached");
	else if (now != d->told_bytes)
		d->grow_to = now;
}

/* [{"inserted":{"node-name":...,"image":{"virtual-size":...}}}, ...] */
void growth_learn(struct guest *g, struct json_object *list)
{
	for (unsigned int i = 0; i < g->n; i++) {
		struct dev *d = &g->dev[i];

		if (!dev_sized(d))
			continue;
		d->bytes = vd_size_of(list, d->node.id);
		compare(g, d);
	}
	g->resized = false;
}

void growth_told(struct guest *g, struct dev *d, const char *error)
{
	if (!error[0]) {
		guest_log(g, LOG_INFO, &d->node.id, "%.120s: has grown from %" PRIu64 " to %" PRIu64 " MB",
			  d->served.path, d->bytes >> 20, d->grow_to >> 20);
		d->bytes = d->grow_to;
	} else {
		d->told_bytes = d->grow_to;
		guest_log(g, LOG_WARNING, &d->node.id, "%.80s: it has grown, but QEMU refuses the new size: %.120s: try 'xen-virtio resize'",
			  d->served.path, error);
	}
	d->grow_to = 0;
}
