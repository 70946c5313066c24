// SPDX-License-Identifier: GPL-2.0-or-later
#include "consoles.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stubdom.h"
#include "xen/xenbus.h"
#include "xen/xs_util.h"

static int read_state(struct xs_handle *xs, xs_transaction_t t, int *state,
		      const char *path)
{
	uint64_t v;
	int ret = xsu_read_uint(xs, t, &v, XenbusStateReconfigured, "%s/state", path);

	*state = ret ? STATE_NONE : (int)v;
	/* A frontend's text is its own affair; a broken connection is ours. */
	return ret == -ENOENT || ret == -EINVAL || ret == -E2BIG ||
	       ret == -EILSEQ || ret == -EACCES ? 0 : ret;
}

static void front_path(char *buf, size_t size, uint32_t stub, int n)
{
	if (n == STUBDOM_CONSOLE_LOG)
		snprintf(buf, size, "/local/domain/%u/console", stub);
	else
		snprintf(buf, size, "/local/domain/%u/device/console/%d", stub, n);
}

static void back_path(char *buf, size_t size, uint32_t stub, int n)
{
	snprintf(buf, size, "/local/domain/0/backend/console/%u/%d", stub, n);
}

static void display_path(char *buf, size_t size, uint32_t stub)
{
	snprintf(buf, size, "/local/domain/0/backend/vfb/%u/0", stub);
}

static void keyboard_path(char *buf, size_t size, uint32_t guest)
{
	snprintf(buf, size, "/local/domain/0/backend/vkbd/%u/0", guest);
}

static int read_one(struct xs_handle *xs, xs_transaction_t t, uint32_t stub,
		    int n, struct console *c)
{
	char front[64], back[64];
	int ret;

	*c = (struct console){ .front = STATE_NONE, .back = STATE_NONE };
	front_path(front, sizeof(front), stub, n);
	back_path(back, sizeof(back), stub, n);
	ret = read_state(xs, t, &c->back, back);
	if (ret || c->back == STATE_NONE)
		return ret;
	/* "type" is written for every console, in the same transaction. */
	c->there = xsu_exists(xs, t, "%s/type", front);
	if (!c->there)
		return 0;
	c->output = xsu_exists(xs, t, "%s/output", front);
	return read_state(xs, t, &c->front, front);
}

int consoles_read(struct xs_handle *xs, xs_transaction_t t,
		  const struct stub_id *id, struct consoles *out)
{
	char path[64];
	int ret = 0;

	for (int n = 0; n < CONSOLES_MAX && !ret; n++)
		ret = read_one(xs, t, id->stub, n, &out->c[n]);
	out->display = out->keyboard = STATE_NONE;
	display_path(path, sizeof(path), id->stub);
	if (!ret)
		ret = read_state(xs, t, &out->display, path);
	keyboard_path(path, sizeof(path), id->guest);
	/* With a type (vkb= of xl.cfg) it is another program's, not QEMU's. */
	if (ret || xsu_exists(xs, t, "%s/backend-type", path))
		return ret;
	return read_state(xs, t, &out->keyboard, path);
}

/*
 * Has dom0's QEMU been through all consoles?  libxl lets the stubdomain run
 * only after that QEMU started, and a console other than the primary connects
 * only when the stubdomain's kernel has set its ring up: one that is connected
 * says that none is still to come.  (QEMU 7.2 connects the primary console in
 * the middle of its first pass, so that one says nothing.)
 */
static bool qemu_has_chosen(const struct consoles *now)
{
	for (int n = 1; n < CONSOLES_MAX; n++)
		if (now->c[n].there && now->c[n].back == XenbusStateConnected)
			return true;
	return false;
}

bool consoles_plan(const struct consoles *now, struct console_plan *plan)
{
	const struct console *log = &now->c[STUBDOM_CONSOLE_LOG];
	const struct console *restore = &now->c[STUBDOM_CONSOLE_RESTORE];
	bool chosen = qemu_has_chosen(now);

	*plan = (struct console_plan){ 0 };
	if (log->there)
		plan->connect_primary = log->front < XenbusStateConnected;
	for (int n = 1; chosen && n < CONSOLES_MAX; n++)
		if (now->c[n].there && now->c[n].back == XenbusStateInitialising)
			plan->close_mask |= 1u << n;
	if (restore->there && !chosen)
		plan->null_restore = !restore->output &&
				     restore->back == XenbusStateInitialising;
	plan->close_display = chosen && now->display == XenbusStateInitialising;
	plan->close_keyboard = now->keyboard == XenbusStateInitialising;
	return plan->connect_primary || plan->null_restore || plan->close_mask ||
	       plan->close_display || plan->close_keyboard;
}

/*
 * The frontend's directory is the stubdomain's, and a new node inherits that;
 * "output" names a file that dom0's QEMU opens, so it must be dom0's alone.
 */
static int write_output(struct xs_handle *xs, xs_transaction_t t, uint32_t stub)
{
	struct xs_permissions perms[] = {
		{ .id = 0, .perms = XS_PERM_NONE },
		{ .id = stub, .perms = XS_PERM_READ },
	};
	char path[80];
	int ret;

	front_path(path, sizeof(path), stub, STUBDOM_CONSOLE_RESTORE);
	strcat(path, "/output");
	ret = xsu_write(xs, t, "null", "%s", path);
	if (!ret && !xs_set_permissions(xs, t, path, perms, 2))
		ret = -errno;
	return ret;
}

static int apply(struct xs_handle *xs, xs_transaction_t t,
		 const struct stub_id *id, const struct console_plan *plan)
{
	uint32_t stub = id->stub;
	char path[64];
	int ret = 0;

	if (plan->null_restore)
		ret = write_output(xs, t, stub);
	if (!ret && plan->connect_primary) {
		front_path(path, sizeof(path), stub, STUBDOM_CONSOLE_LOG);
		ret = xsu_write(xs, t, "4", "%s/state", path);
	}
	for (int n = 1; n < CONSOLES_MAX && !ret; n++) {
		if (!(plan->close_mask & (1u << n)))
			continue;
		back_path(path, sizeof(path), stub, n);
		ret = xsu_write(xs, t, "6", "%s/state", path);
	}
	if (!ret && plan->close_display) {
		display_path(path, sizeof(path), stub);
		ret = xsu_write(xs, t, "6", "%s/state", path);
	}
	if (!ret && plan->close_keyboard) {
		keyboard_path(path, sizeof(path), id->guest);
		ret = xsu_write(xs, t, "6", "%s/state", path);
	}
	return ret;
}

struct fix {
	const struct stub_id *id;
	struct console_plan *plan;
};

/* Look, decide and write inside one transaction. */
static int fix(struct xs_handle *xs, xs_transaction_t t, void *arg)
{
	const struct fix *f = arg;
	struct stub_id again;
	struct consoles now;
	int ret = stub_ident(xs, t, f->id->stub, &again);

	if (!ret && again.guest != f->id->guest)
		ret = -ENOENT;
	if (!ret)
		ret = consoles_read(xs, t, f->id, &now);
	if (ret || !consoles_plan(&now, f->plan))
		return ret;
	ret = apply(xs, t, f->id, f->plan);
	return ret ? ret : 1;
}

int consoles_fix(struct xs_handle *xs, const struct stub_id *id,
		 struct console_plan *done)
{
	struct fix f = { id, done };
	struct consoles now;
	/* Most looks find nothing to do: no transaction for those. */
	int ret = consoles_read(xs, XBT_NULL, id, &now);

	if (!ret && consoles_plan(&now, done))
		ret = xsu_transact(xs, fix, &f);
	if (ret > 0)
		return 0;
	*done = (struct console_plan){ 0 };
	return ret;
}
