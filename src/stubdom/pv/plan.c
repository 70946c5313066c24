// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "stubdom.h"
#include "xen/xs_util.h"

/* No domain has that many. */
#define PORT_LIMIT (1u << 17)

bool plan_qdisk_counts(const char *params)
{
	const char *colon = strchr(params, ':');

	return colon && colon[1];
}

static int read_qdisks(struct xs_handle *xs, uint32_t stub, struct plan *p)
{
	unsigned int n;
	char **names, *v;
	int ret = xsu_list(xs, XBT_NULL, &names, &n, "/local/domain/0/backend/qdisk/%u", stub);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	for (unsigned int i = 0; i < n && !ret; i++) {
		ret = xsu_read(xs, XBT_NULL, &v, NULL, "/local/domain/0/backend/qdisk/%u/%s/params", stub, names[i]);
		if (ret == -ENOENT) {	/* a drive without a medium, which xen-stubdomd took away */
			ret = 0;
			continue;
		}
		if (!ret && plan_qdisk_counts(v))
			snprintf(p->qemu, sizeof(p->qemu), "disk %.20s is one that only QEMU serves (%.100s)", names[i], v);
		if (!ret)
			free(v);
	}
	free(names);
	return ret;
}

static int read_console(struct xs_handle *xs, uint32_t stub, unsigned int n, struct plan *p)
{
	struct plan_console *c = &p->console[n];
	char front[64], *v;
	const char *path;
	int ret;

	if (n == STUBDOM_CONSOLE_LOG)
		snprintf(front, sizeof(front), "/local/domain/%u/console", stub);
	else
		snprintf(front, sizeof(front), "/local/domain/%u/device/console/%u", stub, n);
	if (!xsu_exists(xs, XBT_NULL, "/local/domain/0/backend/console/%u/%u/state", stub, n))
		return 0;
	ret = xsu_read(xs, XBT_NULL, &v, NULL, "%s/type", front);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = strcmp(v, "ioemu");
	free(v);
	if (ret)	/* xenconsoled's */
		return 0;
	ret = xsu_read(xs, XBT_NULL, &v, NULL, "%s/output", front);
	if (ret && ret != -ENOENT)
		return ret;
	c->kind = sink_parse(ret ? "" : v, n, &path);
	log_clean(c->output, sizeof(c->output), ret ? "" : v, ret ? 0 : strlen(v));
	if (strlen(path) >= sizeof(c->path))
		c->kind = SINK_OTHER;
	else
		strcpy(c->path, path);
	if (c->kind == SINK_OTHER)
		snprintf(p->qemu, sizeof(p->qemu), "console %u goes to '%s'", n, c->output);
	if (!ret)
		free(v);
	return 0;
}

int plan_read(struct xs_handle *xs, uint32_t stub, struct plan *p)
{
	uint64_t port = 0;
	int ret;

	*p = (struct plan){ 0 };
	ret = stub_ident(xs, XBT_NULL, stub, &p->id);
	if (ret == -ENOENT || ret == -ENODEV) {
		snprintf(p->qemu, sizeof(p->qemu), "domain %u is no Linux stubdomain", stub);
		return 0;
	}
	if (ret)
		return ret;
	domain_name(xs, p->id.guest, p->id.name, sizeof(p->id.name));
	for (unsigned int n = 0; n < CONSOLES_MAX && !ret; n++)
		ret = read_console(xs, stub, n, p);
	if (!ret)
		ret = read_qdisks(xs, stub, p);
	if (!ret && p->console[STUBDOM_CONSOLE_LOG].kind != SINK_NONE)
		ret = xsu_read_uint(xs, XBT_NULL, &port, PORT_LIMIT, "/local/domain/%u/console/port", stub);
	p->port = (uint32_t)port;
	p->display = xsu_exists(xs, XBT_NULL, "/local/domain/0/backend/vfb/%u/0/state", stub) &&
		     xsu_exists(xs, XBT_NULL, "/local/domain/0/backend/vkbd/%u/0/state", stub);
	return ret;
}
