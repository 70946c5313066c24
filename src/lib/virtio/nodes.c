// SPDX-License-Identifier: GPL-2.0-or-later
#include "nodes.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "virtio_xenbus.h"
#include "xen/domain.h"
#include "xen/xs_util.h"

/* As xen-blkback calls it. */
#define NODE_SECTORS "sector-size"

#define DIR_FMT "/local/domain/%u/backend/%s/%u/%u"
#define DIR_ARGS(st, domid, id) (st)->own, vd_kind_name((id).kind), domid, (id).devid

int vd_store_init(struct vd_store *st, struct xs_handle *xs)
{
	uint64_t own;
	int ret;

	st->xs = xs;
	st->own = 0;
	/* Relative paths are those of this domain. */
	ret = xsu_read_uint(xs, XBT_NULL, &own, DOMID_LIMIT - 1, "domid");
	if (!ret)
		st->own = (uint32_t)own;
	return ret == -ENOENT || ret == -EINVAL ? 0 : ret;
}

/* ---- reading ---- */

static int by_number(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* Numbers below a directory, appended to *@list; other names are not ours. */
static int numbers(struct xs_handle *xs, uint64_t max, uint32_t **list, unsigned int *n,
		   const char *path)
{
	unsigned int count;
	char **names;
	uint32_t *more;
	int ret = xsu_list(xs, XBT_NULL, &names, &count, "%s", path);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	more = reallocarray(*list, *n + count + 1, sizeof(**list));
	if (!more) {
		free(names);
		return -ENOMEM;
	}
	*list = more;
	for (unsigned int i = 0; i < count; i++) {
		uint64_t num;

		if (!xsu_parse_uint(names[i], max, &num))
			more[(*n)++] = (uint32_t)num;
	}
	free(names);
	return 0;
}

int vd_nodes_guests(const struct vd_store *st, uint32_t **domids, unsigned int *n)
{
	unsigned int kept = 0;
	char path[128];
	int ret = 0;

	*domids = NULL;
	*n = 0;
	for (int k = 0; !ret && k < VD_KINDS; k++) {
		snprintf(path, sizeof(path), "/local/domain/%u/backend/%s", st->own,
			 vd_kind_name((enum vd_kind)k));
		ret = numbers(st->xs, DOMID_LIMIT - 1, domids, n, path);
	}
	if (*n)
		qsort(*domids, *n, sizeof(**domids), by_number);
	for (unsigned int i = 0; i < *n; i++)
		if (!kept || (*domids)[kept - 1] != (*domids)[i])
			(*domids)[kept++] = (*domids)[i];
	*n = kept;
	return ret;
}

static char *text_of(const struct vd_store *st, uint32_t domid, struct vd_id id, const char *node)
{
	char *v;

	return xsu_read(st->xs, XBT_NULL, &v, NULL, DIR_FMT "/%s", DIR_ARGS(st, domid, id), node) ?
	       NULL : v;
}

static void read_disk(const struct vd_store *st, uint32_t domid, struct vd_node *n)
{
	char *params = text_of(st, domid, n->id, "params");
	char *mode = text_of(st, domid, n->id, "mode");
	char *type = text_of(st, domid, n->id, "device-type");
	char *discard = text_of(st, domid, n->id, "discard-enable");
	const struct vd_disk_nodes nodes = {
		.params = params, .mode = mode, .device_type = type, .discard = discard,
	};

	n->bad = vd_spec_disk(&nodes, &n->spec, n->error);
	free(params);
	free(mode);
	free(type);
	free(discard);
}

static void read_generic(const struct vd_store *st, uint32_t domid, struct vd_node *n)
{
	char *type = text_of(st, domid, n->id, "type");

	n->bad = vd_spec_parse(type ? type : "", &n->spec, n->error);
	free(type);
}

int vd_nodes_read(const struct vd_store *st, uint32_t domid, struct vd_id id,
		  struct vd_node *node)
{
	char tap[IFNAMSIZ];
	uint64_t num;
	int ret;

	memset(node, 0, sizeof(*node));
	node->id = id;
	/* Every device has one; a directory without is not, or no longer, a device. */
	ret = xsu_read_uint(st->xs, XBT_NULL, &num, XenbusStateClosed, DIR_FMT "/state", DIR_ARGS(st, domid, id));
	if (ret && ret != -EINVAL)
		return ret;
	node->state = ret ? XenbusStateUnknown : (enum xenbus_state)num;
	node->online = !xsu_read_uint(st->xs, XBT_NULL, &num, 1, DIR_FMT "/online",
				      DIR_ARGS(st, domid, id)) && num;
	if (!xsu_read_uint(st->xs, XBT_NULL, &num, VD_SECTOR_MAX, DIR_FMT "/" NODE_SECTORS,
			   DIR_ARGS(st, domid, id)) && num >= VD_SECTOR_MIN && !(num & (num - 1)))
		node->sector_size = (unsigned int)num;
	node->failed = xsu_exists(st->xs, XBT_NULL, DIR_FMT "/" VX_NODE_ERROR, DIR_ARGS(st, domid, id));
	if (id.kind == VD_KIND_DISK)
		read_disk(st, domid, node);
	else
		read_generic(st, domid, node);
	if (!node->bad && node->spec.type == VD_NET && vd_tap_name(tap, domid, id.devid)) {
		snprintf(node->error, sizeof(node->error), "its number is too large for a network interface: give it a smaller one");
		node->bad = true;
	}
	return 0;
}

int vd_nodes_list(const struct vd_store *st, uint32_t domid, struct vd_node **list,
		  unsigned int *n)
{
	char path[128];
	int ret = 0;

	*list = NULL;
	*n = 0;
	for (int k = 0; !ret && k < VD_KINDS; k++) {
		uint32_t *ids = NULL;
		unsigned int count = 0;
		struct vd_node *more;

		snprintf(path, sizeof(path), "/local/domain/%u/backend/%s/%u", st->own,
			 vd_kind_name((enum vd_kind)k), domid);
		ret = numbers(st->xs, UINT32_MAX, &ids, &count, path);
		if (count)
			qsort(ids, count, sizeof(*ids), by_number);
		more = ret ? NULL : reallocarray(*list, *n + count + 1, sizeof(**list));
		if (!ret && !more)
			ret = -ENOMEM;
		if (more)
			*list = more;
		for (unsigned int i = 0; !ret && i < count; i++) {
			struct vd_id id = { (enum vd_kind)k, ids[i] };

			ret = vd_nodes_read(st, domid, id, &more[*n]);
			if (!ret)
				++*n;
			else if (ret == -ENOENT)
				ret = 0;
		}
		free(ids);
	}
	if (ret) {
		free(*list);
		*list = NULL;
		*n = 0;
	}
	return ret;
}

/* ---- writing ---- */

struct change {
	const char *why;	/* NULL: leave it */
	bool forget;
	const char *sectors;	/* NULL: leave them */
	enum xenbus_state state;	/* XenbusStateUnknown: leave it */
};

/* What a transaction is about. */
struct device {
	const struct vd_store *st;
	uint32_t domid;
	struct vd_id id;
	const struct change *c;
};

static int change_once(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct device *d = arg;
	const struct change *c = d->c;
	char digit[2] = { (char)('0' + c->state), '\0' };
	int ret = 0;

	/* A directory that goes meanwhile makes the transaction fail, and be tried again. */
	if (!xsu_exists(xs, t, DIR_FMT, DIR_ARGS(d->st, d->domid, d->id)) ||
	    !xsu_exists(xs, t, DIR_FMT "/state", DIR_ARGS(d->st, d->domid, d->id)))
		ret = -ENOENT;
	if (!ret && c->forget)
		ret = xsu_rm(xs, t, DIR_FMT "/" VX_NODE_ERROR, DIR_ARGS(d->st, d->domid, d->id));
	if (!ret && c->why)
		ret = xsu_write(xs, t, c->why, DIR_FMT "/" VX_NODE_ERROR, DIR_ARGS(d->st, d->domid, d->id));
	if (!ret && c->sectors)
		ret = xsu_write(xs, t, c->sectors, DIR_FMT "/" NODE_SECTORS, DIR_ARGS(d->st, d->domid, d->id));
	if (!ret && c->state)
		ret = xsu_write(xs, t, digit, DIR_FMT "/state", DIR_ARGS(d->st, d->domid, d->id));
	return ret ? ret : 1;
}

static int transact(const struct vd_store *st, xsu_transaction_fn *fn, uint32_t domid,
		    struct vd_id id, const struct change *c)
{
	struct device d = { .st = st, .domid = domid, .id = id, .c = c };

	return xsu_change(st->xs, fn, &d);
}

static int change(const struct vd_store *st, uint32_t domid, struct vd_id id,
		  const struct change *c)
{
	return transact(st, change_once, domid, id, c);
}

int vd_nodes_set_state(const struct vd_store *st, uint32_t domid, struct vd_id id,
		       enum xenbus_state state)
{
	return change(st, domid, id, &(struct change){ .state = state });
}

int vd_nodes_fail(const struct vd_store *st, uint32_t domid, struct vd_id id, const char *why)
{
	char text[VD_ERROR_MAX];
	int ret;

	log_clean(text, sizeof(text), why, strlen(why));
	ret = change(st, domid, id, &(struct change){ .why = text, .state = XenbusStateClosing });
	return ret ? ret : vd_nodes_set_state(st, domid, id, XenbusStateClosed);
}

int vd_nodes_renew(const struct vd_store *st, uint32_t domid, struct vd_id id)
{
	return change(st, domid, id, &(struct change){ .forget = true, .state = XenbusStateInitialising });
}

int vd_nodes_keep_sectors(const struct vd_store *st, uint32_t domid, struct vd_id id,
			  unsigned int bytes)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", bytes);
	return change(st, domid, id, &(struct change){ .sectors = text });
}

int vd_nodes_remove(const struct vd_store *st, uint32_t domid)
{
	int ret = 0;

	for (int k = 0; k < VD_KINDS; k++) {
		int one = xsu_rm(st->xs, XBT_NULL, "/local/domain/%u/backend/%s/%u", st->own,
				 vd_kind_name((enum vd_kind)k), domid);

		if (one && !ret)
			ret = one;
	}
	return ret;
}

static int remove_once(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct device *d = arg;
	unsigned int n = 1;
	char **names;
	int ret = xsu_rm(xs, t, DIR_FMT, DIR_ARGS(d->st, d->domid, d->id));

	if (!ret && !xsu_list(xs, t, &names, &n, "/local/domain/%u/backend/%s/%u", d->st->own,
			      vd_kind_name(d->id.kind), d->domid))
		free(names);
	if (!ret && !n)
		ret = xsu_rm(xs, t, "/local/domain/%u/backend/%s/%u", d->st->own,
			     vd_kind_name(d->id.kind), d->domid);
	return ret ? ret : 1;
}

int vd_nodes_remove_dev(const struct vd_store *st, uint32_t domid, struct vd_id id)
{
	return transact(st, remove_once, domid, id, NULL);
}

/* ---- guests ---- */

bool vd_nodes_alive(const struct vd_store *st, uint32_t domid)
{
	return xs_is_domain_introduced(st->xs, domid);
}

bool vd_nodes_known(const struct vd_store *st, uint32_t domid)
{
	return xsu_exists(st->xs, XBT_NULL, "/local/domain/%u", domid) || errno == EACCES;
}

bool vd_nodes_forgotten(const struct vd_store *st, uint32_t domid)
{
	return !vd_nodes_alive(st, domid) && !xsu_exists(st->xs, XBT_NULL, "/local/domain/%u", domid) &&
	       !xsu_exists(st->xs, XBT_NULL, "/libxl/%u", domid);
}
