// SPDX-License-Identifier: GPL-2.0-or-later
#include "device_nodes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen/xs_util.h"

#define DEVICES_MAX 1024

struct paths {
	char back[128], backs[128], front[128], libxl[128];
};

static void paths_of(struct paths *p, const struct vd_store *st, uint32_t domid, struct vd_id id)
{
	const char *kind = vd_kind_name(id.kind);

	snprintf(p->back, sizeof(p->back), "/local/domain/%u/backend/%s/%u/%u", st->own, kind, domid, id.devid);
	/* Of all of the guest's devices of this kind. */
	snprintf(p->backs, sizeof(p->backs), "/local/domain/%u/backend/%s/%u", st->own, kind, domid);
	snprintf(p->front, sizeof(p->front), "/local/domain/%u/device/%s/%u", domid, kind, id.devid);
	snprintf(p->libxl, sizeof(p->libxl), "/libxl/%u/device/%s/%u", domid, kind, id.devid);
}

struct entry {
	const char *name, *value;
};

static int write_entries(struct xs_handle *xs, xs_transaction_t t, const char *dir,
			 const struct entry *e, size_t n)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++)
		ret = xsu_write(xs, t, e[i].value, "%s/%s", dir, e[i].name);
	return ret;
}

/* A directory that belongs to @owner, and that @other may read. */
static int make_dir(struct xs_handle *xs, xs_transaction_t t, const char *path,
		    uint32_t owner, uint32_t other)
{
	struct xs_permissions perms[2] = {
		{ .id = owner, .perms = XS_PERM_NONE },
		{ .id = other, .perms = XS_PERM_READ },
	};

	errno = 0;
	if (!xs_mkdir(xs, t, path) || !xs_set_permissions(xs, t, path, perms, 2))
		return errno ? -errno : -EIO;
	return 0;
}

static bool in_use(const struct vd_store *st, xs_transaction_t t, const struct paths *p)
{
	return xsu_exists(st->xs, t, "%s", p->back) || xsu_exists(st->xs, t, "%s", p->front) ||
	       xsu_exists(st->xs, t, "%s", p->libxl);
}

/* What is changed in a transaction. */
struct change {
	const struct vd_store *st;
	uint32_t domid;
	const char *type;		/* of a new device */
	struct vd_id *id;
	struct paths p;			/* of one that is there */
};

static int add_once(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct change *c = arg;
	const struct vd_store *st = c->st;
	char guest[16], own[16];
	struct paths p;
	int ret;

	for (*c->id = (struct vd_id){ VD_KIND_VIRTIO, 0 };; c->id->devid++) {
		paths_of(&p, st, c->domid, *c->id);
		if (!in_use(st, t, &p))
			break;
		if (c->id->devid >= DEVICES_MAX)
			return -ENOSPC;
	}
	snprintf(guest, sizeof(guest), "%u", c->domid);
	snprintf(own, sizeof(own), "%u", st->own);
	{
		const struct entry front[] = {
			{ "backend", p.back }, { "backend-id", own }, { "state", "1" },
		};
		const struct entry back[] = {
			{ "frontend", p.front }, { "frontend-id", guest }, { "online", "1" },
			{ "state", "1" }, { "irq", "0" }, { "base", "0" }, { "type", c->type },
			{ "transport", "mmio" }, { "grant_usage", "0" },
		};
		const struct entry record = { "backend", p.back };

		ret = make_dir(xs, t, p.front, c->domid, st->own);
		if (!ret)
			ret = write_entries(xs, t, p.front, front, 3);
		if (!ret)
			ret = make_dir(xs, t, p.back, st->own, c->domid);
		if (!ret)
			ret = write_entries(xs, t, p.back, back, sizeof(back) / sizeof(back[0]));
		/* With this xl closes and removes it when the guest is destroyed. */
		if (!ret && !xs_mkdir(xs, t, p.libxl))
			ret = errno ? -errno : -EIO;
		if (!ret)
			ret = write_entries(xs, t, p.libxl, &record, 1);
		if (!ret)
			ret = write_entries(xs, t, p.libxl, back, sizeof(back) / sizeof(back[0]));
	}
	return ret ? ret : 1;
}

int devnodes_add(const struct vd_store *st, uint32_t domid, const char *type, struct vd_id *id)
{
	struct change c = { .st = st, .domid = domid, .type = type, .id = id };

	return xsu_change(st->xs, add_once, &c);
}

static int close_once(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct change *c = arg;
	uint64_t state;
	int ret = xsu_read_uint(xs, t, &state, XenbusStateClosed, "%s/state", c->p.back);

	if (ret && ret != -EINVAL)
		return ret;
	if (ret)
		state = XenbusStateUnknown;
	ret = xsu_write(xs, t, "0", "%s/online", c->p.back);
	if (!ret && state != XenbusStateClosed)
		ret = xsu_write(xs, t, "5", "%s/state", c->p.back);
	return ret ? ret : 1;
}

int devnodes_close(const struct vd_store *st, uint32_t domid, struct vd_id id)
{
	struct change c = { .st = st, .domid = domid };

	paths_of(&c.p, st, domid, id);
	return xsu_change(st->xs, close_once, &c);
}

/*
 * The node that the last device of a kind leaves: it would outlive the guest, since
 * libxl, when it destroys one, removes those above the devices that it finds.
 */
static int remove_empty(struct xs_handle *xs, xs_transaction_t t, const char *path)
{
	char **names = NULL;
	unsigned int n = 0;
	int ret = xsu_list(xs, t, &names, &n, "%s", path);

	free(names);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return n ? 0 : xsu_rm(xs, t, "%s", path);
}

static int remove_once(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct change *c = arg;
	int ret = xsu_rm(xs, t, "%s", c->p.front);

	if (!ret)
		ret = xsu_rm(xs, t, "%s", c->p.back);
	if (!ret)
		ret = remove_empty(xs, t, c->p.backs);
	if (!ret)
		ret = xsu_rm(xs, t, "%s", c->p.libxl);
	return ret ? ret : 1;
}

int devnodes_remove(const struct vd_store *st, uint32_t domid, struct vd_id id)
{
	struct change c = { .st = st, .domid = domid };

	paths_of(&c.p, st, domid, id);
	return xsu_change(st->xs, remove_once, &c);
}
