// SPDX-License-Identifier: GPL-2.0-or-later
/* Guests and devices as people name them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vcli.h"
#include "virtio_xenbus.h"
#include "xen/domain.h"
#include "xen/xs_util.h"

int store_open(struct vd_store *st, bool readonly, const char *backend)
{
	struct xs_handle *xs = xs_open(readonly ? XS_OPEN_READONLY : 0);
	int ret;

	if (!xs) {
		ret = errno ? -errno : -EIO;
		log_err(NULL, "xenstore cannot be opened: %s: run it as root in dom0 under Xen (see 'xen-virtio check')",
			strerror(-ret));
		return ret;
	}
	ret = vd_store_init(st, xs);
	if (ret)
		log_err(NULL, "xenstore cannot be read: %s", strerror(-ret));
	else if (backend)
		ret = domain_find(st, backend, &st->own);
	if (ret)
		xs_close(xs);
	return ret;
}

int target_open(struct vd_store *st, bool readonly, const char *backend, char **words,
		uint32_t *domid, struct vd_id *id)
{
	int ret = store_open(st, readonly, backend);

	if (ret)
		return ret;
	ret = domain_find(st, words[0], domid);
	if (!ret && id)
		ret = device_find(st, *domid, words[1], id);
	if (ret)
		xs_close(st->xs);
	return ret;
}

bool backend_elsewhere(const struct args *a, const char *command)
{
	if (a->backend)
		log_err(NULL, "--backend: run 'xen-virtio %s' in that domain, which has the backend's QEMU", command);
	return a->backend;
}

int domain_find(const struct vd_store *st, const char *what, uint32_t *domid)
{
	char name[DOMAIN_NAME_MAX];
	unsigned int n, count = 0;
	char **names;
	uint64_t num;
	int ret;

	if (!xsu_parse_uint(what, DOMID_LIMIT - 1, &num) && vd_nodes_known(st, (uint32_t)num)) {
		*domid = (uint32_t)num;
		return 0;
	}
	ret = xsu_list(st->xs, XBT_NULL, &names, &n, "/local/domain");
	if (ret) {
		log_err(NULL, "xenstore cannot be read: %s", strerror(-ret));
		return ret;
	}
	for (unsigned int i = 0; i < n; i++) {
		if (xsu_parse_uint(names[i], DOMID_LIMIT - 1, &num))
			continue;
		domain_name(st->xs, (uint32_t)num, name, DOMAIN_NAME_MAX);
		if (strcmp(name, what))
			continue;
		*domid = (uint32_t)num;
		count++;
	}
	free(names);
	if (count == 1)
		return 0;
	if (count)
		log_err(NULL, "guest %s: %u guests have that name: give its number", what, count);
	else
		log_err(NULL, "guest %s: not found: see 'xl list'", what);
	return -ENOENT;
}

static bool is_vdev(const struct vd_store *st, uint32_t domid, struct vd_id id, const char *what)
{
	char *v;
	bool is;

	if (id.kind != VD_KIND_DISK ||
	    xsu_read(st->xs, XBT_NULL, &v, NULL, "/local/domain/%u/backend/virtio_disk/%u/%u/dev",
		     st->own, domid, id.devid))
		return false;
	is = !strcmp(v, what);
	free(v);
	return is;
}

int device_find(const struct vd_store *st, uint32_t domid, const char *what, struct vd_id *id)
{
	struct vd_id want = { VD_KIND_VIRTIO, 0 };
	struct vd_node *list;
	unsigned int n;
	uint64_t num;
	bool any, found = false;
	int ret = vd_nodes_list(st, domid, &list, &n);

	if (ret) {
		log_err(NULL, "xenstore cannot be read: %s", strerror(-ret));
		return ret;
	}
	any = !vd_id_parse(what, &want);
	if (!any && !xsu_parse_uint(what, UINT32_MAX, &num)) {
		want.devid = (uint32_t)num;
		any = true;
	}
	for (unsigned int i = 0; !found && i < n; i++) {
		*id = list[i].id;
		found = any ? id->kind == want.kind && id->devid == want.devid
			    : is_vdev(st, domid, *id, what);
	}
	free(list);
	if (found)
		return 0;
	log_err(NULL, "device %s: not found: see 'xen-virtio list'", what);
	return -ENOENT;
}

enum xenbus_state frontend_state(const struct vd_store *st, uint32_t domid, struct vd_id id)
{
	uint64_t n;

	/* The guest writes it. */
	if (xsu_read_uint(st->xs, XBT_NULL, &n, XenbusStateClosed, "/local/domain/%u/device/%s/%u/state",
			  domid, vd_kind_name(id.kind), id.devid))
		return XenbusStateUnknown;
	return (enum xenbus_state)n;
}

void device_error(const struct vd_store *st, uint32_t domid, struct vd_id id,
		  char error[VD_ERROR_MAX])
{
	size_t len;
	char *v;

	error[0] = '\0';
	if (xsu_read(st->xs, XBT_NULL, &v, &len, "/local/domain/%u/backend/%s/%u/%u/" VX_NODE_ERROR,
		     st->own, vd_kind_name(id.kind), domid, id.devid))
		return;
	log_clean(error, VD_ERROR_MAX, v, len);
	free(v);
}
