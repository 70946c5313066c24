// SPDX-License-Identifier: GPL-2.0-or-later
#include "edit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen/xs_util.h"

#define TRIES 20
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

/* ---- text ---- */

char *edit_type(const char *spec)
{
	static const char *const ends[] = { ",transport=", ",backend=", ",grant_usage=" };
	size_t len, word;
	enum vd_type type;
	char *out;

	if (!strncmp(spec, "type=", 5))
		spec += 5;
	len = strlen(spec);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const char *end = strstr(spec, ends[i]);

		if (end && (size_t)(end - spec) < len)
			len = (size_t)(end - spec);
	}
	word = strcspn(spec, ";,");
	if (word > len)
		word = len;
	type = word == 4 && !strncmp(spec, "disk", 4) ? VD_BLOCK : vd_type_by_name(spec, word);
	if (type) {
		if (asprintf(&out, "virtio,device%d%.*s", type, (int)(len - word), spec + word) < 0)
			return NULL;
	} else if (asprintf(&out, "%s%.*s", strncmp(spec, "device", 6) ? "" : "virtio,",
			    (int)len, spec) < 0) {
		return NULL;
	}
	return out;
}

char *edit_backend(const char *spec)
{
	const char *word = strstr(spec, ",backend=");

	if (!word)
		return NULL;
	word += strlen(",backend=");
	return strndup(word, strcspn(word, ","));
}

/* ---- nodes ---- */

struct entry {
	const char *name, *value;
};

static int write_all(struct xs_handle *xs, xs_transaction_t t, const char *dir,
		     const struct entry *e, size_t n)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < n; i++)
		ret = xsh_write(xs, t, e[i].value, "%s/%s", dir, e[i].name);
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
	return xsh_exists(st->xs, t, "%s", p->back) || xsh_exists(st->xs, t, "%s", p->front) ||
	       xsh_exists(st->xs, t, "%s", p->libxl);
}

static int add_once(const struct vd_store *st, xs_transaction_t t, uint32_t domid,
		    const char *type, struct vd_id *id)
{
	char guest[16], own[16];
	struct paths p;
	int ret;

	for (*id = (struct vd_id){ VD_KIND_VIRTIO, 0 };; id->devid++) {
		paths_of(&p, st, domid, *id);
		if (!in_use(st, t, &p))
			break;
		if (id->devid >= DEVICES_MAX)
			return -ENOSPC;
	}
	snprintf(guest, sizeof(guest), "%u", domid);
	snprintf(own, sizeof(own), "%u", st->own);
	{
		const struct entry front[] = {
			{ "backend", p.back }, { "backend-id", own }, { "state", "1" },
		};
		const struct entry back[] = {
			{ "frontend", p.front }, { "frontend-id", guest }, { "online", "1" },
			{ "state", "1" }, { "irq", "0" }, { "base", "0" }, { "type", type },
			{ "transport", "mmio" }, { "grant_usage", "0" },
		};
		const struct entry record = { "backend", p.back };

		ret = make_dir(st->xs, t, p.front, domid, st->own);
		if (!ret)
			ret = write_all(st->xs, t, p.front, front, 3);
		if (!ret)
			ret = make_dir(st->xs, t, p.back, st->own, domid);
		if (!ret)
			ret = write_all(st->xs, t, p.back, back, sizeof(back) / sizeof(back[0]));
		/* With this xl closes and removes it when the guest is destroyed. */
		if (!ret && !xs_mkdir(st->xs, t, p.libxl))
			ret = errno ? -errno : -EIO;
		if (!ret)
			ret = write_all(st->xs, t, p.libxl, &record, 1);
		if (!ret)
			ret = write_all(st->xs, t, p.libxl, back, sizeof(back) / sizeof(back[0]));
	}
	return ret;
}

/* End a transaction; -EAGAIN: somebody else was quicker. */
static int end(const struct vd_store *st, xs_transaction_t t, int ret)
{
	if (!xs_transaction_end(st->xs, t, ret != 0) && !ret)
		return errno ? -errno : -EIO;
	return ret;
}

static int begin(const struct vd_store *st, xs_transaction_t *t)
{
	*t = xs_transaction_start(st->xs);
	return *t != XBT_NULL ? 0 : errno ? -errno : -EIO;
}

int edit_add(const struct vd_store *st, uint32_t domid, const char *type, struct vd_id *id)
{
	xs_transaction_t t;
	int ret = -EAGAIN;

	for (int i = 0; i < TRIES && ret == -EAGAIN; i++) {
		ret = begin(st, &t);
		if (!ret)
			ret = end(st, t, add_once(st, t, domid, type, id));
	}
	return ret;
}

static int close_once(const struct vd_store *st, xs_transaction_t t, const struct paths *p)
{
	uint64_t state;
	int ret = xsh_read_uint(st->xs, t, &state, VD_CLOSED, "%s/state", p->back);

	if (ret && ret != -EINVAL)
		return ret;
	if (ret)
		state = VD_GONE;
	ret = xsh_write(st->xs, t, "0", "%s/online", p->back);
	if (!ret && state != VD_CLOSED)
		ret = xsh_write(st->xs, t, "5", "%s/state", p->back);
	return ret;
}

int edit_close(const struct vd_store *st, uint32_t domid, struct vd_id id)
{
	xs_transaction_t t;
	struct paths p;
	int ret = -EAGAIN;

	paths_of(&p, st, domid, id);
	for (int i = 0; i < TRIES && ret == -EAGAIN; i++) {
		ret = begin(st, &t);
		if (!ret)
			ret = end(st, t, close_once(st, t, &p));
	}
	return ret;
}

/*
 * The node that the last device of a kind leaves: it would outlive the guest, since
 * libxl, when it destroys one, removes those above the devices that it finds.
 */
static int remove_empty(const struct vd_store *st, xs_transaction_t t, const char *path)
{
	char **names = NULL;
	unsigned int n = 0;
	int ret = xsh_list(st->xs, t, &names, &n, "%s", path);

	free(names);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	return n ? 0 : xsh_rm(st->xs, t, "%s", path);
}

int edit_remove(const struct vd_store *st, uint32_t domid, struct vd_id id)
{
	xs_transaction_t t;
	struct paths p;
	int ret = -EAGAIN;

	paths_of(&p, st, domid, id);
	for (int i = 0; i < TRIES && ret == -EAGAIN; i++) {
		ret = begin(st, &t);
		if (ret)
			continue;
		ret = xsh_rm(st->xs, t, "%s", p.front);
		if (!ret)
			ret = xsh_rm(st->xs, t, "%s", p.back);
		if (!ret)
			ret = remove_empty(st, t, p.backs);
		if (!ret)
			ret = xsh_rm(st->xs, t, "%s", p.libxl);
		ret = end(st, t, ret);
	}
	return ret;
}
