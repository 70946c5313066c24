// SPDX-License-Identifier: GPL-2.0-or-later
#include "front.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "stubdom.h"
#include "xen/xs_util.h"

static const struct kind {
	const char *class, *ref, *port;
	uint64_t ref_max;
} kinds[] = {
	{ "console", "ring-ref", "port", UINT32_MAX },
	/* The page's own frame; no grant is told. */
	{ "vfb", "page-ref", "event-channel", UINT64_C(1) << 52 },
	{ "vkbd", "page-gref", "event-channel", UINT32_MAX },
};

static const struct kind *kind_of(unsigned int n)
{
	return &kinds[n < CONSOLES_MAX ? 0 : 1 + n - LINK_VFB];
}

static unsigned int index_of(unsigned int n)
{
	return n < CONSOLES_MAX ? n : 0;
}

struct change {
	uint32_t stub;
	unsigned int n;
	enum xenbus_state state;
};

/* Only while the device is there. */
static int write_state(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct change *c = arg;
	char value[8], path[64];
	int ret;

	snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%u/%u", kind_of(c->n)->class, c->stub, index_of(c->n));
	if (!xsu_exists(xs, t, "%s/frontend-id", path))
		return 0;
	snprintf(value, sizeof(value), "%d", (int)c->state);
	ret = xsu_write(xs, t, value, "%s/state", path);
	return ret ? ret : 1;
}

static int set_state(struct front *f, unsigned int n, enum xenbus_state state)
{
	struct change c = { f->stub, n, state };

	f->dev[n].back = state;
	return xsu_change(f->xs, write_state, &c);
}

enum front_do front_decide(const struct front_dev *d, enum xenbus_state front)
{
	if (!d->there || d->refused)
		return FRONT_NOTHING;
	switch (front) {
	case XenbusStateInitialising:
	case XenbusStateInitWait:
		return d->back == XenbusStateClosed ? FRONT_WAIT : FRONT_NOTHING;
	case XenbusStateInitialised:
	case XenbusStateConnected:
		return d->back == XenbusStateInitWait && !d->connecting ? FRONT_CONNECT : FRONT_NOTHING;
	default:	/* closing, closed, removed, nonsense */
		return d->back == XenbusStateConnected ? FRONT_CLOSE : FRONT_NOTHING;
	}
}

/* The frontend's directory. */
static void front_path(const struct front *f, unsigned int n, char *buf, size_t size)
{
	if (n == STUBDOM_CONSOLE_LOG)
		snprintf(buf, size, "/local/domain/%u/console", f->stub);
	else
		snprintf(buf, size, "/local/domain/%u/device/%s/%u", f->stub, kind_of(n)->class, index_of(n));
}

/* What the stubdomain wrote, or has not written, is its own affair; a broken connection is ours. */
static bool its_fault(int ret)
{
	return ret == -ENOENT || ret == -EINVAL || ret == -E2BIG || ret == -EILSEQ;
}

static int connect_dev(struct front *f, unsigned int n)
{
	struct link_msg m = { .what = LINK_CONNECT, .n = n };
	uint64_t port, abs = 0;
	char path[64];
	int ret;

	front_path(f, n, path, sizeof(path));
	ret = xsu_read_uint(f->xs, XBT_NULL, &m.a, kind_of(n)->ref_max, "%s/%s", path, kind_of(n)->ref);
	if (!ret)
		ret = xsu_read_uint(f->xs, XBT_NULL, &port, UINT32_MAX, "%s/%s", path, kind_of(n)->port);
	if (ret)	/* they may come yet */
		return its_fault(ret) ? 0 : ret;
	if (n == LINK_VKBD)
		ret = xsu_read_uint(f->xs, XBT_NULL, &abs, 1, "%s/request-abs-pointer", path);
	if (ret && !its_fault(ret))
		return ret;
	m.b = (uint32_t)port;
	m.c = (uint32_t)abs;
	f->dev[n].connecting = true;
	f->tell(f->arg, &m);
	return 0;
}

static int look(struct front *f, unsigned int n)
{
	const struct link_msg bye = { .what = LINK_DISCONNECT, .n = n };
	uint64_t front = 0;
	char path[64];
	int ret;

	if (n == STUBDOM_CONSOLE_LOG || !f->dev[n].there)
		return 0;
	front_path(f, n, path, sizeof(path));
	ret = xsu_read_uint(f->xs, XBT_NULL, &front, XenbusStateReconfigured, "%s/state", path);
	if (ret && !its_fault(ret))
		return ret;
	switch (front_decide(&f->dev[n], ret ? XenbusStateUnknown : (enum xenbus_state)front)) {
	case FRONT_WAIT:
		return set_state(f, n, XenbusStateInitWait);
	case FRONT_CONNECT:
		return connect_dev(f, n);
	case FRONT_CLOSE:
		f->tell(f->arg, &bye);
		return set_state(f, n, XenbusStateClosed);
	case FRONT_NOTHING:
		break;
	}
	return 0;
}

int front_look(struct front *f)
{
	int ret = 0;

	for (unsigned int n = 0; n < LINK_DEVICES && !ret; n++)
		ret = look(f, n);
	/* Others were always faster: their change is an event of its own. */
	return ret == -EAGAIN ? 0 : ret;
}

/*
 * libxl made "tty" as dom0's node, readable by the stubdomain; its parent may be the
 * stubdomain's, so nothing is written where it is missing.
 */
static int write_tty(struct front *f, unsigned int n, const char *tty)
{
	char path[64];

	front_path(f, n, path, sizeof(path));
	if (!*tty || !xsu_exists(f->xs, XBT_NULL, "%s/tty", path))
		return 0;
	return xsu_write(f->xs, XBT_NULL, tty, "%s/tty", path);
}

int front_close_display(struct front *f)
{
	int ret = 0;

	for (unsigned int n = LINK_VFB; n < LINK_DEVICES && !ret; n++) {
		f->dev[n].there = false;
		ret = set_state(f, n, XenbusStateClosed);
	}
	return ret;
}

/* What the frontends look for when they begin. */
static int open_display(struct front *f)
{
	static const char *const nodes[][2] = {
		{ "vfb", "feature-resize" }, { "vfb", "request-update" }, { "vkbd", "feature-abs-pointer" },
	};
	int ret = 0;

	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]) && !ret; i++)
		ret = xsu_write(f->xs, XBT_NULL, "1", "/local/domain/0/backend/%s/%u/0/%s", nodes[i][0], f->stub, nodes[i][1]);
	for (unsigned int n = LINK_VFB; n < LINK_DEVICES && !ret; n++) {
		f->dev[n].there = true;
		ret = set_state(f, n, XenbusStateInitWait);
	}
	return ret;
}

/* @path is dom0's alone, if it is there. */
static int hide(struct front *f, const char *path)
{
	struct xs_permissions dom0 = { .id = 0, .perms = XS_PERM_NONE };

	if (!xsu_exists(f->xs, XBT_NULL, "%s", path))
		return 0;
	return xs_set_permissions(f->xs, XBT_NULL, path, &dom0, 1) ? 0 : -errno;
}

int front_hide_password(struct front *f)
{
	char path[256], *vm;
	int ret = xsu_read(f->xs, XBT_NULL, &vm, NULL, "/local/domain/%u/vm", f->stub);

	if (!ret) {
		snprintf(path, sizeof(path), "%s/vncpasswd", vm);
		ret = hide(f, path);
		free(vm);
	}
	snprintf(path, sizeof(path), "/local/domain/0/backend/vfb/%u/0/vncpasswd", f->stub);
	if (!ret || ret == -ENOENT)
		ret = hide(f, path);
	snprintf(path, sizeof(path), "/local/domain/%u/console/vnc-pass", f->stub);
	if (!ret)
		ret = xsu_write(f->xs, XBT_NULL, "", "%s", path);
	return ret ? ret : hide(f, path);
}

int front_init(struct front *f, const struct plan *p, const char *const *tty, bool display)
{
	int ret = 0;

	memset(f->dev, 0, sizeof(f->dev));
	for (unsigned int n = 0; n < CONSOLES_MAX && !ret; n++) {
		f->dev[n].there = p->console[n].kind != SINK_NONE;
		if (!f->dev[n].there)
			continue;
		ret = write_tty(f, n, tty[n]);
		if (!ret)
			ret = set_state(f, n, XenbusStateInitWait);
	}
	if (ret)
		return ret;
	return display ? open_display(f) : front_close_display(f);
}

void front_primary(struct front *f, const struct plan *p)
{
	/* Its grant is reserved for it: GNTTAB_RESERVED_CONSOLE. */
	const struct link_msg m = { .what = LINK_CONNECT, .n = STUBDOM_CONSOLE_LOG, .a = 0, .b = p->port };

	if (!f->dev[STUBDOM_CONSOLE_LOG].there)
		return;
	f->dev[STUBDOM_CONSOLE_LOG].connecting = true;
	f->tell(f->arg, &m);
}

static int refused(struct front *f, const struct link_msg *m)
{
	struct front_dev *d = &f->dev[m->n];

	d->connecting = false;
	d->refused = true;
	if (m->a)
		log_err(f->about, "%s %u of its stubdomain cannot be mapped: %s", kind_of(m->n)->class, index_of(m->n),
			strerror((int)(m->a & 0xfff)));
	/* Of all states only 4 to 6 end the kernel's wait. */
	return set_state(f, m->n, XenbusStateClosed);
}

int front_answer(struct front *f, const struct link_msg *m)
{
	struct front_dev *d;

	if (m->n >= LINK_DEVICES || !f->dev[m->n].there)
		return -EPROTO;
	d = &f->dev[m->n];
	if (m->what == LINK_REFUSED && (d->connecting || d->back == XenbusStateConnected || d->back == XenbusStateClosed))
		return refused(f, m);
	if (m->what != LINK_CONNECTED || !d->connecting)
		return -EPROTO;
	d->connecting = false;
	return set_state(f, m->n, XenbusStateConnected);
}

void front_end(struct front *f)
{
	for (unsigned int n = 0; n < LINK_DEVICES; n++)
		if (f->dev[n].there)
			set_state(f, n, XenbusStateClosed);
}
