// SPDX-License-Identifier: GPL-2.0-or-later
#include "cdrom.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "contract.h"
#include "failure.h"
#include "vbd.h"
#include "xen/xs_util.h"

static bool is_cd(struct cdrom *c, unsigned int devid)
{
	char *type;
	bool cd;

	if (xsu_read(c->xs, XBT_NULL, &type, NULL, "device/vbd/%u/device-type", devid))
		return false;
	cd = !strcmp(type, "cdrom");
	free(type);
	return cd;
}

static void opaque_of(unsigned int devid, char *out, size_t size)
{
	snprintf(out, size, "stub-devid:%u", devid);
}

static bool fdset_is(struct json_object *set, const char *opaque)
{
	struct json_object *fds, *o;

	if (!json_object_object_get_ex(set, "fds", &fds) ||
	    !json_object_is_type(fds, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(fds); i++)
		if (json_object_object_get_ex(json_object_array_get_idx(fds, i),
					      "opaque", &o) &&
		    json_object_is_type(o, json_type_string) &&
		    !strcmp(json_object_get_string(o), opaque))
			return true;
	return false;
}

static void next_change(struct cdrom *c);

static void change_done(struct cdrom *c)
{
	c->head = (c->head + 1) % CDROM_QUEUE;
	c->count--;
	next_change(c);
}

static void remove_old(struct cdrom *c, struct json_object *sets, const char *opaque)
{
	struct json_object *set, *id, *args;

	if (!json_object_is_type(sets, json_type_array))
		return;
	for (size_t i = 0; i < json_object_array_length(sets); i++) {
		set = json_object_array_get_idx(sets, i);
		if (!fdset_is(set, opaque) ||
		    !json_object_object_get_ex(set, "fdset-id", &id))
			continue;
		args = json_object_new_object();
		json_object_object_add(args, "fdset-id", json_object_get(id));
		monitor_send(c->monitor, "remove-fd", args, -1, NULL, NULL);
	}
}

static void on_added(void *arg, struct json_object *ret, const char *error)
{
	struct cdrom *c = arg;
	const struct vbd_event *ev = &c->queue[c->head].ev;

	if (ret)
		say_info("CD %s (vbd %u): medium handed to QEMU", ev->dev, ev->devid);
	else
		say_err("CD %s (vbd %u): QEMU does not take the medium: %.200s",
			ev->dev, ev->devid, error);
	change_done(c);
}

/* true when on_added() will be called */
static bool add_new(struct cdrom *c, const struct vbd_event *ev, const char *opaque)
{
	struct json_object *args;
	char path[64];
	int fd, ret;

	snprintf(path, sizeof(path), "%s/%s", c->dev, ev->dev);
	/* Read-only: QEMU looks for a descriptor of the drive's own mode. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0) {
		say_err("CD %s (vbd %u): %s", ev->dev, ev->devid, strerror(errno));
		return false;
	}
	args = json_object_new_object();
	json_object_object_add(args, "opaque", json_object_new_string(opaque));
	ret = monitor_send(c->monitor, "add-fd", args, fd, on_added, c);
	if (ret)
		say_err("CD %s (vbd %u): %s", ev->dev, ev->devid, strerror(-ret));
	return !ret;
}

static void on_fdsets(void *arg, struct json_object *ret, const char *error)
{
	struct cdrom *c = arg;
	struct cdrom_change *ch = &c->queue[c->head];
	char opaque[32];

	(void)error;
	opaque_of(ch->ev.devid, opaque, sizeof(opaque));
	if (ret)
		remove_old(c, ret, opaque);
	if (!ch->present || !add_new(c, &ch->ev, opaque))
		change_done(c);
}

static void next_change(struct cdrom *c)
{
	if (!c->count)
		return;
	/* Without a QEMU no change can be told, now or later. */
	if (monitor_send(c->monitor, "query-fdsets", NULL, -1, on_fdsets, c))
		c->count = 0;
}

static void change(struct cdrom *c, const struct vbd_event *ev, bool present)
{
	if (c->count == CDROM_QUEUE) {
		say_err("CD %s (vbd %u): too many changes at once", ev->dev, ev->devid);
		return;
	}
	c->queue[(c->head + c->count++) % CDROM_QUEUE] =
		(struct cdrom_change){ .ev = *ev, .present = present };
	if (c->count == 1)
		next_change(c);
}

void cdrom_event(struct cdrom *c, const struct vbd_event *ev, int dir)
{
	say_debug("block device %s (vbd %u) %s", ev->dev, ev->devid,
		  dir > 0 ? "came" : "went");
	/* When it went, xenstore may no longer know what it was. */
	if (dir < 0 || is_cd(c, ev->devid))
		change(c, ev, dir > 0);
}

void cdrom_init(struct cdrom *c, struct xs_handle *xs, struct monitor *monitor)
{
	*c = (struct cdrom){ .xs = xs, .monitor = monitor, .dev = "/dev" };
}

void cdrom_scan(struct cdrom *c, uint32_t opened)
{
	unsigned int *ids, n, disk, part;
	struct vbd_event ev;
	char path[64];

	if (contract_devices(c->xs, "vbd", &ids, &n))
		return;
	for (unsigned int i = 0; i < n; i++) {
		if (vbd_decode(ids[i], &disk, &part) || part || disk >= 26 ||
		    (opened & 1u << disk) || !is_cd(c, ids[i]))
			continue;
		ev.devid = ids[i];
		snprintf(ev.dev, sizeof(ev.dev), "xvd%c", 'a' + disk);
		snprintf(path, sizeof(path), "%s/%s", c->dev, ev.dev);
		if (!access(path, F_OK))
			change(c, &ev, true);
	}
	free(ids);
}
