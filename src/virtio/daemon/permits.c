// SPDX-License-Identifier: GPL-2.0-or-later
#include "permits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "systemd.h"
#include "virtio/ids.h"

/* A permission that is being given: three calls, one after the other. */
struct permit {
	unsigned int refs;
	sd_bus *bus;
	uint32_t domid;
	permits_fn *done;
	void *arg;
	struct vd_rules rules;
	bool bind;
	struct vd_rule path;
};

static void permit_unref(void *arg)
{
	struct permit *p = arg;

	if (--p->refs)
		return;
	vd_rules_free(&p->rules);
	free(p);
}

static void permit_end(struct permit *p, int ret, const char *why)
{
	if (ret)
		log_err(NULL, "domain %u: cannot change what its backend may open: %s", p->domid,
			why ? why : strerror(-ret));
	p->done(p->arg, p->domid, ret);
}

/* True when the answer is an error; then the permit has ended. */
static bool permit_refused(struct permit *p, sd_bus_message *m)
{
	const sd_bus_error *e = sd_bus_message_get_error(m);

	if (e)
		permit_end(p, -sd_bus_error_get_errno(e), e->message ? e->message : e->name);
	return e;
}

/* Sends @m, which is made when @ret is not negative; the answer goes to @fn. */
static int permit_call(struct permit *p, sd_bus_message *m, int ret, sd_bus_message_handler_t fn)
{
	if (ret >= 0)
		ret = systemd_send(p->bus, m, 0, fn, p, permit_unref);
	sd_bus_message_unref(m);
	if (!ret)
		p->refs++;
	return ret;
}

static int on_bound(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct permit *p = arg;

	(void)error;
	if (!permit_refused(p, m))
		permit_end(p, 0, NULL);
	return 0;
}

static void permit_path(struct permit *p)
{
	sd_bus_message *m = NULL;
	char name[64];
	int ret;

	if (!p->bind) {
		permit_end(p, 0, NULL);
		return;
	}
	snprintf(name, sizeof(name), VD_UNIT, p->domid);
	ret = systemd_method(p->bus, &m, "BindMountUnit");
	if (ret >= 0)
		ret = sd_bus_message_append(m, "sssbb", name, p->path.path, p->path.path, p->path.readonly, 1);
	ret = permit_call(p, m, ret, on_bound);
	if (ret < 0)
		permit_end(p, ret, NULL);
}

static int on_devices_set(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct permit *p = arg;

	(void)error;
	if (!permit_refused(p, m))
		permit_path(p);
	return 0;
}

/*
 * What the unit may open by its file and the administrator's drop-ins, then what the
 * rules say.  @old is at the array, @to may be NULL.  Sets @same when nothing changes.
 */
static int list_devices(const struct permit *p, sd_bus_message *old, sd_bus_message *to, bool *same)
{
	const char *node, *access;
	char dev[VD_RULE_DEVICE_MAX];
	unsigned int known = 0, needed = 0;
	int ret = sd_bus_message_enter_container(old, 'a', "(ss)");

	*same = true;
	while (ret >= 0 && (ret = sd_bus_message_read(old, "(ss)", &node, &access)) > 0) {
		bool wanted = false;

		if (strncmp(node, VD_RULE_DEVICE, strlen(VD_RULE_DEVICE))) {
			if (to)
				ret = sd_bus_message_append(to, "(ss)", node, access);
			continue;
		}
		known++;
		for (unsigned int i = 0; i < p->rules.n; i++)
			wanted |= p->rules.rule[i].dev && !strcmp(node, vd_rule_device(dev, &p->rules.rule[i])) &&
				  !strcmp(access, vd_rule_access(&p->rules.rule[i]));
		*same &= wanted;
	}
	for (unsigned int i = 0; ret >= 0 && i < p->rules.n; i++) {
		const struct vd_rule *rule = &p->rules.rule[i];

		if (!rule->dev)
			continue;
		needed++;
		if (to)
			ret = sd_bus_message_append(to, "(ss)", vd_rule_device(dev, rule), vd_rule_access(rule));
	}
	*same &= known == needed;
	return ret;
}

/* SetUnitProperties(): an empty list first, since a list is added to what is there. */
static int set_devices(const struct permit *p, sd_bus_message *old, sd_bus_message **m)
{
	char name[64];
	bool same;
	int ret;

	snprintf(name, sizeof(name), VD_UNIT, p->domid);
	ret = systemd_method(p->bus, m, "SetUnitProperties");
	if (ret >= 0)
		ret = sd_bus_message_append(*m, "sb", name, 1);
	if (ret >= 0)
		ret = sd_bus_message_open_container(*m, 'a', "(sv)");
	if (ret >= 0)
		ret = sd_bus_message_append(*m, "(sv)", "DeviceAllow", "a(ss)", 0);
	if (ret >= 0)
		ret = sd_bus_message_open_container(*m, 'r', "sv");
	if (ret >= 0)
		ret = sd_bus_message_append(*m, "s", "DeviceAllow");
	if (ret >= 0)
		ret = sd_bus_message_open_container(*m, 'v', "a(ss)");
	if (ret >= 0)
		ret = sd_bus_message_open_container(*m, 'a', "(ss)");
	if (ret >= 0)
		ret = list_devices(p, old, *m, &same);
	for (int i = 0; ret >= 0 && i < 4; i++)
		ret = sd_bus_message_close_container(*m);
	return ret;
}

/* What it may open now. */
static int on_devices(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	struct permit *p = arg;
	sd_bus_message *set = NULL;
	bool same = false;
	int ret;

	(void)error;
	if (permit_refused(p, m))
		return 0;
	ret = sd_bus_message_enter_container(m, 'v', "a(ss)");
	if (ret >= 0)
		ret = list_devices(p, m, NULL, &same);
	if (ret >= 0 && same) {
		permit_path(p);
		return 0;
	}
	if (ret >= 0)
		ret = sd_bus_message_rewind(m, 1);
	if (ret >= 0)
		ret = sd_bus_message_enter_container(m, 'v', "a(ss)");
	if (ret >= 0)
		ret = set_devices(p, m, &set);
	ret = permit_call(p, set, ret, on_devices_set);
	if (ret < 0)
		permit_end(p, ret, NULL);
	return 0;
}

static struct permit *permit_new(uint32_t domid, const struct vd_rules *r, const struct vd_rule *bind)
{
	struct permit *p = calloc(1, sizeof(*p));
	int ret = p ? 0 : -ENOMEM;

	if (!p)
		return NULL;
	p->refs = 1;
	p->domid = domid;
	for (unsigned int i = 0; !ret && i < r->n; i++)
		ret = vd_rules_add(&p->rules, &r->rule[i]);
	if (bind) {
		p->bind = true;
		p->path = *bind;
	}
	if (ret)
		permit_unref(p);
	return ret ? NULL : p;
}

int permits_set(sd_bus *bus, uint32_t domid, const struct vd_rules *r, const struct vd_rule *bind,
		permits_fn *done, void *arg)
{
	struct permit *p = permit_new(domid, r, bind);
	sd_bus_message *m = NULL;
	char name[64], *path = NULL;
	int ret;

	if (!p)
		return -ENOMEM;
	p->bus = bus;
	p->done = done;
	p->arg = arg;
	snprintf(name, sizeof(name), VD_UNIT, domid);
	ret = sd_bus_path_encode(SYSTEMD_UNITS, name, &path);
	if (ret >= 0)
		ret = sd_bus_message_new_method_call(bus, &m, SYSTEMD, path, DBUS_PROPERTIES, "Get");
	if (ret >= 0)
		ret = sd_bus_message_append(m, "ss", SYSTEMD_SERVICE, "DeviceAllow");
	ret = permit_call(p, m, ret, on_devices);
	free(path);
	permit_unref(p);
	return ret;
}
