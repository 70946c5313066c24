// SPDX-License-Identifier: GPL-2.0-or-later
#include "xsfilter.h"

#include <stdio.h>
#include <string.h>
#include <xen/io/xs_wire.h>

#include "virtio/ids.h"
#include "virtio_xenbus.h"

/* ---- paths ---- */

/* The backend's: all others are the toolstack's, xen-virtiod's or the guest's. */
static const char *const written[] = {
	"state", VX_NODE_ERROR, VX_NODE_VERSION_MIN, VX_NODE_VERSION_MAX, VX_NODE_INSTANCE,
	VX_NODE_DEVICE_ID, VX_NODE_VENDOR_ID, VX_NODE_MAX_QUEUES, VX_NODE_MEM_MODES,
	VX_NODE_POOL_MAX_PAGES, VX_NODE_POOL_HINT_PAGES, VX_NODE_POOL_PAGES, VX_NODE_MAX_CONFIG,
};

/*
 * In "DIR/51712/state" the name "state", in "DIR/51712" ""; NULL in anything else.  No
 * other way to write a path gets through: xenstored must not read it in another way.
 */
static const char *node_below(const char *dir, const char *path)
{
	size_t n = strlen(dir), digits;
	const char *name;

	if (strncmp(path, dir, n) || path[n] != '/')
		return NULL;
	path += n + 1;
	digits = strspn(path, "0123456789");
	if (!digits || digits > 10 || (digits > 1 && path[0] == '0'))
		return NULL;
	path += digits;
	if (!*path)
		return path;
	if (*path != '/')
		return NULL;
	name = path + 1;
	return *name && name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-")] == '\0' ? name : NULL;
}

static const char *backend_node(const struct xsf *f, const char *path)
{
	const char *name = NULL;
	char dir[96];

	for (int k = 0; !name && k < VD_KINDS; k++) {
		snprintf(dir, sizeof(dir), "/local/domain/%u/backend/%s/%u", f->own,
			 vd_kind_name((enum vd_kind)k), f->domid);
		name = node_below(dir, path);
	}
	return name;
}

static const char *frontend_node(const struct xsf *f, const char *path)
{
	const char *name = NULL;
	char dir[96];

	for (int k = 0; !name && k < VD_KINDS; k++) {
		snprintf(dir, sizeof(dir), "/local/domain/%u/device/%s", f->domid, vd_kind_name((enum vd_kind)k));
		name = node_below(dir, path);
	}
	return name;
}

static bool may_watch(const struct xsf *f, const char *path)
{
	return backend_node(f, path) || frontend_node(f, path);
}

/* By the relative path it learns which domain it is in. */
static bool may_read(const struct xsf *f, const char *path)
{
	return !strcmp(path, "domid") || may_watch(f, path);
}

static bool may_write(const struct xsf *f, const char *path)
{
	const char *name = backend_node(f, path);

	for (size_t i = 0; name && i < sizeof(written) / sizeof(written[0]); i++)
		if (!strcmp(name, written[i]))
			return true;
	return false;
}

/* ---- requests ---- */

/* @n strings, each with its NUL, and nothing more. */
static bool strings(const char *body, size_t len, unsigned int n)
{
	unsigned int found = 0;

	for (size_t i = 0; i < len; i++)
		found += !body[i];
	return len && !body[len - 1] && found == n;
}

bool xsf_allows(const struct xsf *f, uint32_t type, const char *body, size_t len)
{
	switch (type) {
	case XS_READ:
		return strings(body, len, 1) && may_read(f, body);
	case XS_RM:
		return strings(body, len, 1) && may_write(f, body);
	case XS_WRITE:
		/* A path with its NUL, then the value. */
		return memchr(body, '\0', len) && may_write(f, body);
	case XS_WATCH:
		return f->watches < XSF_WATCHES_MAX && strings(body, len, 2) && may_watch(f, body);
	case XS_UNWATCH:
		return strings(body, len, 2) && may_watch(f, body);
	case XS_TRANSACTION_START:
		return f->transactions < XSF_TRANSACTIONS_MAX && strings(body, len, 1) && !*body;
	case XS_TRANSACTION_END:
		return strings(body, len, 1) && (!strcmp(body, "T") || !strcmp(body, "F"));
	default:
		return false;
	}
}

static void less(unsigned int *n)
{
	if (*n)
		--*n;
}

void xsf_answered(struct xsf *f, uint32_t type, const char *error)
{
	/* A transaction that lost against others is over as well. */
	bool over = !error || (type == XS_TRANSACTION_END && !strcmp(error, "EAGAIN"));

	if (!over)
		return;
	if (type == XS_WATCH)
		f->watches++;
	else if (type == XS_UNWATCH)
		less(&f->watches);
	else if (type == XS_TRANSACTION_START)
		f->transactions++;
	else if (type == XS_TRANSACTION_END)
		less(&f->transactions);
}
