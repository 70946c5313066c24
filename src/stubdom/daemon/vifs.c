// SPDX-License-Identifier: GPL-2.0-or-later
#include "vifs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hv.h"
#include "xen/domain.h"
#include "xen/xenbus.h"
#include "xen/xs_util.h"

/* ---- reading ---- */

/* What the two records of one card have in common, as libxl makes them. */
static const char *const same_keys[] = { "mac", "bridge", "vlan" };

static char *read_record(struct xs_handle *xs, uint32_t domid, uint32_t devid,
			 const char *key, int *err)
{
	char *v = NULL;
	int ret = xsu_read(xs, XBT_NULL, &v, NULL, "/libxl/%u/device/vif/%u/%s",
			   domid, devid, key);

	if (ret && ret != -ENOENT)
		*err = ret;
	return ret ? NULL : v;
}

/* "/local/domain/B/backend/vif/F/N" to B; -1 for anything else. */
static int back_domain(const char *path, uint32_t front, uint32_t devid)
{
	unsigned int b;
	char want[96];

	if (sscanf(path, "/local/domain/%5u/", &b) != 1 || b >= DOMID_LIMIT)
		return -1;
	snprintf(want, sizeof(want), "/local/domain/%u/backend/vif/%u/%u", b, front, devid);
	return strcmp(path, want) ? -1 : (int)b;
}

static int read_backend(struct xs_handle *xs, uint32_t domid, uint32_t devid,
			char *path, size_t size, int *err)
{
	char *v = read_record(xs, domid, devid, "backend", err);
	int dom = v ? back_domain(v, domid, devid) : -1;

	if (path)
		snprintf(path, size, "%s", dom < 0 ? "" : v);
	free(v);
	return dom;
}

/*
 * Has the guest this card?  Attached again to another bridge, or with another
 * address, it is another one, and the emulated card is not on it.
 */
static int read_wanted(struct xs_handle *xs, const struct stub_id *id,
		       uint32_t devid, bool *wanted)
{
	int err = 0, of_guest = read_backend(xs, id->guest, devid, NULL, 0, &err);

	*wanted = of_guest >= 0 &&
		  of_guest == read_backend(xs, id->stub, devid, NULL, 0, &err);
	for (unsigned int i = 0; *wanted && i < sizeof(same_keys) / sizeof(same_keys[0]); i++) {
		char *a = read_record(xs, id->guest, devid, same_keys[i], &err);
		char *b = read_record(xs, id->stub, devid, same_keys[i], &err);

		*wanted = a && b ? !strcmp(a, b) : !a && !b;
		free(a);
		free(b);
	}
	return err;
}

/* -1: it is gone; 0 for what is no state: a driver domain may write anything. */
static int read_state(struct xs_handle *xs, xs_transaction_t t, const char *back,
		      int *state)
{
	uint64_t n = 0;
	int ret = xsu_read_uint(xs, t, &n, XenbusStateReconfigured, "%s/state", back);

	*state = ret == -ENOENT ? -1 : ret ? 0 : (int)n;
	return ret == -ENOENT || ret == -EINVAL || ret == -E2BIG || ret == -EILSEQ ? 0 : ret;
}

static int read_one(struct xs_handle *xs, const struct stub_id *id, struct vif *v)
{
	uint64_t n;
	int ret = read_wanted(xs, id, v->devid, &v->wanted);

	if (!ret)
		read_backend(xs, id->stub, v->devid, v->back, sizeof(v->back), &ret);
	if (ret || v->wanted || !v->back[0])
		return ret;
	v->front = xsu_exists(xs, XBT_NULL, "/local/domain/%u/device/vif/%u",
			      id->stub, v->devid);
	ret = read_state(xs, XBT_NULL, v->back, &v->state);
	v->online = !xsu_read_uint(xs, XBT_NULL, &n, 1, "%s/online", v->back) && n;
	return ret;
}

int vifs_read(struct xs_handle *xs, const struct stub_id *id, struct vifs *out)
{
	unsigned int n;
	uint64_t devid;
	char **names;
	int ret = xsu_list(xs, XBT_NULL, &names, &n, "/libxl/%u/device/vif", id->stub);

	out->count = 0;
	if (ret)
		return ret;
	for (unsigned int i = 0; i < n && !ret && out->count < VIFS_MAX; i++) {
		if (xsu_parse_uint(names[i], INT32_MAX, &devid))
			continue;
		out->v[out->count] = (struct vif){ .devid = devid };
		ret = read_one(xs, id, &out->v[out->count++]);
	}
	free(names);
	return ret;
}

/* ---- deciding ---- */

bool vifs_unwanted(const struct vifs *vs)
{
	for (unsigned int i = 0; i < vs->count; i++)
		if (!vs->v[i].wanted && vs->v[i].back[0] && vs->v[i].state >= 0 &&
		    vs->v[i].state != XenbusStateClosed)
			return true;
	return false;
}

enum vif_do vif_decide(const struct vif *v, const struct vifs_dom *dom)
{
	if (v->wanted || !v->back[0] || v->state < 0 || v->state == XenbusStateClosed)
		return VIF_KEEP;
	if (!dom->stub_runs || !dom->guest_ran)
		return VIF_WAIT;
	if (dom->since && dom->now >= dom->since + VIF_CLOSE_MS && v->front)
		return VIF_CUT;
	if (dom->since && dom->now >= dom->since + 2 * VIF_CLOSE_MS)
		return VIF_REMOVE;
	if (v->online || v->state != XenbusStateClosing)
		return VIF_CLOSE;
	return VIF_WAIT;
}

/* ---- acting ---- */

static int close_back(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct vif *v = arg;
	int state, ret = read_state(xs, t, v->back, &state);

	/* What was removed meanwhile is not created again. */
	if (!ret && state < 0)
		ret = -ENOENT;
	if (!ret)
		ret = xsu_write(xs, t, "0", "%s/online", v->back);
	if (!ret && state != XenbusStateClosed)
		ret = xsu_write(xs, t, "5", "%s/state", v->back);
	return ret ? ret : 1;
}

int vif_close(struct xs_handle *xs, const struct vif *v)
{
	int ret = xsu_transact(xs, close_back, (void *)v);

	return ret == -ENOENT || ret > 0 ? 0 : ret;
}

int vif_cut(struct xs_handle *xs, const struct stub_id *id, const struct vif *v)
{
	return xsu_rm(xs, XBT_NULL, "/local/domain/%u/device/vif/%u", id->stub, v->devid);
}

int vif_remove(struct xs_handle *xs, const struct vif *v)
{
	return xsu_rm(xs, XBT_NULL, "%s", v->back);
}
