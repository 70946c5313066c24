// SPDX-License-Identifier: GPL-2.0-or-later
#include "drives.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen/xenbus.h"
#include "xen/xs_util.h"

bool drive_is_empty(const struct drive *d, uint32_t stub, uint32_t devid)
{
	char qdisk[96];

	snprintf(qdisk, sizeof(qdisk), "/local/domain/0/backend/qdisk/%u/%u", stub, devid);
	return !d->taken && !strcmp(d->device, "cdrom") && !strcmp(d->type, "qdisk") &&
	       !strcmp(d->params, "aio:") && !strcmp(d->backend, qdisk);
}

static int read_text(struct xs_handle *xs, xs_transaction_t t, char *buf,
		     size_t size, uint32_t stub, uint32_t devid, const char *key)
{
	size_t len;
	char *v;
	int ret = xsu_read(xs, t, &v, &len, "/libxl/%u/device/vbd/%u/%s", stub, devid, key);

	buf[0] = '\0';
	if (ret)
		return ret == -ENOENT || ret == -EILSEQ || ret == -E2BIG ? 0 : ret;
	if (len < size)
		memcpy(buf, v, len + 1);
	free(v);
	return 0;
}

static int drive_read(struct xs_handle *xs, xs_transaction_t t, uint32_t stub,
		      uint32_t devid, struct drive *d)
{
	int ret = read_text(xs, t, d->type, sizeof(d->type), stub, devid, "type");
	uint64_t state;

	if (!ret)
		ret = read_text(xs, t, d->params, sizeof(d->params), stub, devid, "params");
	if (!ret)
		ret = read_text(xs, t, d->device, sizeof(d->device), stub, devid, "device-type");
	if (!ret)
		ret = read_text(xs, t, d->backend, sizeof(d->backend), stub, devid, "backend");
	d->taken = !ret && d->backend[0] &&
		   !xsu_read_uint(xs, t, &state, XenbusStateReconfigured, "%s/state", d->backend) &&
		   state > XenbusStateInitialising;
	return ret;
}

/* libxl would remove it with its last device. */
static int rm_if_empty(struct xs_handle *xs, xs_transaction_t t, const char *class, uint32_t stub)
{
	unsigned int n;
	char **names;
	int ret = xsu_list(xs, t, &names, &n, "/local/domain/0/backend/%s/%u", class, stub);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	free(names);
	return n ? 0 : xsu_rm(xs, t, "/local/domain/0/backend/%s/%u", class, stub);
}

static int rewrite(struct xs_handle *xs, xs_transaction_t t, uint32_t stub, uint32_t devid)
{
	char phy[96];
	int ret;

	snprintf(phy, sizeof(phy), "/local/domain/0/backend/vbd/%u/%u", stub, devid);
	ret = xsu_rm(xs, t, "/local/domain/%u/device/vbd/%u", stub, devid);
	if (!ret)
		ret = xsu_rm(xs, t, "/local/domain/0/backend/qdisk/%u/%u", stub, devid);
	if (!ret)
		ret = rm_if_empty(xs, t, "qdisk", stub);
	if (!ret)
		ret = xsu_write(xs, t, phy, "/libxl/%u/device/vbd/%u/backend", stub, devid);
	if (!ret)
		ret = xsu_write(xs, t, "phy", "/libxl/%u/device/vbd/%u/type", stub, devid);
	if (!ret)
		ret = xsu_write(xs, t, "", "/libxl/%u/device/vbd/%u/params", stub, devid);
	return ret;
}

struct fix {
	const struct stub_id *id;
	uint32_t devid;
};

static int fix(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct fix *f = arg;
	struct stub_id again;
	struct drive d;
	int ret = stub_ident(xs, t, f->id->stub, &again);

	if (!ret && again.guest != f->id->guest)
		ret = -ENOENT;
	if (!ret)
		ret = drive_read(xs, t, f->id->stub, f->devid, &d);
	if (ret || !drive_is_empty(&d, f->id->stub, f->devid))
		return ret;
	ret = rewrite(xs, t, f->id->stub, f->devid);
	return ret ? ret : 1;
}

/* 1 when it was rewritten, 0 when there is nothing to do. */
static int drive_fix(struct xs_handle *xs, const struct stub_id *id, uint32_t devid)
{
	struct fix f = { id, devid };
	struct drive d;
	/* Most looks find nothing to do: no transaction for those. */
	int ret = drive_read(xs, XBT_NULL, id->stub, devid, &d);

	if (ret || !drive_is_empty(&d, id->stub, devid))
		return ret;
	return xsu_transact(xs, fix, &f);
}

int drives_fix(struct xs_handle *xs, const struct stub_id *id, unsigned int *done)
{
	unsigned int n;
	uint64_t devid;
	char **names;
	int ret = xsu_list(xs, XBT_NULL, &names, &n, "/libxl/%u/device/vbd", id->stub);

	*done = 0;
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	for (unsigned int i = 0; i < n && ret >= 0; i++) {
		if (xsu_parse_uint(names[i], INT32_MAX, &devid))
			continue;
		ret = drive_fix(xs, id, devid);
		if (ret > 0)
			++*done;
	}
	free(names);
	return ret < 0 ? ret : 0;
}
