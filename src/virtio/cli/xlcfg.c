// SPDX-License-Identifier: GPL-2.0-or-later
#include "xlcfg.h"

#include <errno.h>
#include <libxl.h>
#include <libxlutil.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/xlread.h"
#include "spec_text.h"
#include "virtio/probe.h"
#include "virtio/spec.h"

struct cfg {
	struct findings *fs;
	XLU_Config *xlu;
	unsigned int xen_minor;		/* of Xen 4.N; 0: not known */
	/* What libxlutil says goes here. */
	FILE *report;
	char *text;
	size_t len;
	/* The guest's first disk, which it boots from. */
	bool boots_virtio;
	char boot_domain[64];		/* that serves it; "": this one */
};

/* The first line that libxlutil has said since @from, made fit for a terminal. */
static char *report_since(struct cfg *c, size_t from, char *buf, size_t size)
{
	fflush(c->report);
	*buf = '\0';
	if (!c->text || from >= c->len)
		return buf;
	return log_clean(buf, size, c->text + from, strcspn(c->text + from, "\n"));
}

/* Of "FILE: config parsing error in disk specification: WHAT in `LINE'", xlu__disk_err(): WHAT. */
static const char *what_of(char *report)
{
	static const char before[] = "in disk specification: ";
	char *at = strstr(report, before), *end;

	if (!at)
		return report;
	at += strlen(before);
	end = strstr(at, " in `");
	if (end)
		*end = '\0';
	return at;
}

static bool old_xen(const struct cfg *c, const char *id, unsigned int since, const char *what)
{
	if (!c->xen_minor || c->xen_minor >= since)
		return false;
	found(c->fs, BROKEN, id, "upgrade to Debian 13, or use what this Xen has",
	      "%s needs Xen 4.%u, this is Xen 4.%u", what, since, c->xen_minor);
	return true;
}

/* What can be wrong with a good specification on this host. */
static void check_host(struct findings *fs, const char *id, const char *name,
		       const struct vd_spec *s)
{
	char error[VD_ERROR_MAX], path[64], what[VD_PATH_MAX + 64];
	struct vd_found host;

	if (vd_probe(s, false, &host, error)) {
		found(fs, BROKEN, id, NULL, "%s: %s", name, error);
		return;
	}
	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", s->bridge);
	if (s->type == VD_NET && access(path, F_OK)) {
		found(fs, BROKEN, id, "create it, or give one of 'ip link show type bridge'",
		      "%s: no such bridge: %s", name, s->bridge);
		return;
	}
	found(fs, FINE, id, NULL, "%s: %s %s", name, vd_type_name(s->type),
	      vd_spec_what(s, what, sizeof(what)));
}

/* ---- disk= ---- */

/* What libxl would refuse, or take in another way than it is meant. */
static bool disk_refused(const struct cfg *c, const char *name, const libxl_device_disk *d)
{
	/* libxl_device.c:disk_try_backend(): unless given, it finds this one by itself */
	if (d->backend != LIBXL_DISK_BACKEND_UNKNOWN && d->backend != LIBXL_DISK_BACKEND_STANDALONE)
		found(c->fs, BROKEN, "cfg-disk-backend", "make it backendtype=standalone",
		      "%s: virtio over XenBus has its own backend", name);
	else if (d->format != LIBXL_DISK_FORMAT_RAW && !d->is_cdrom)
		found(c->fs, BROKEN, "cfg-disk-format", "virtio = [ \"type=virtio,device2;path=...;format=qcow2,transport=mmio\" ]",
		      "%s: xl takes a standalone disk only with format=raw", name);
	else if (d->script)
		found(c->fs, BROKEN, "cfg-disk-script", "leave it out", "%s: xl takes a standalone disk only without script=", name);
	else
		return false;
	return true;
}

/* With the nodes that libxl would write: libxl_disk.c:device_disk_add() */
static void check_virtio_disk(const struct cfg *c, const libxl_device_disk *d)
{
	const struct vd_disk_nodes n = {
		.params = d->pdev_path, .mode = d->readwrite ? "w" : "r",
		.device_type = d->is_cdrom ? "cdrom" : "disk",
	};
	char error[VD_ERROR_MAX], name[96];
	const char *comma = d->pdev_path ? strchr(d->pdev_path, ',') : NULL;
	struct vd_spec s;

	snprintf(name, sizeof(name), "disk %.60s", d->vdev);
	if (old_xen(c, "cfg-disk-xen", 17, "specification=virtio") || disk_refused(c, name, d))
		return;
	/* libxlu_disk_l.l: target= takes the rest of the line. */
	if (comma && strchr(comma, '='))
		found(c->fs, ADVICE, "cfg-disk-order", "make target= the last of the line",
		      "%s: xl takes everything after target= as the disk's path", name);
	if (vd_spec_disk(&n, &s, error))
		found(c->fs, BROKEN, "cfg-disk", NULL, "%s: %s", name, error);
	else
		check_host(c->fs, "cfg-disk", name, &s);
}

static void check_disk(struct cfg *c, const char *spec, bool first)
{
	char said[512];
	libxl_device_disk d;
	size_t from;

	fflush(c->report);
	from = c->len;
	libxl_device_disk_init(&d);
	if (xlu_disk_parse(c->xlu, 1, &spec, &d)) {
		found(c->fs, BROKEN, "cfg-disk", "see xl-disk-configuration(5)", "disk '%.80s' is not understood by xl: %s",
		      spec, what_of(report_since(c, from, said, sizeof(said))));
	} else if (d.specification == LIBXL_DISK_SPECIFICATION_VIRTIO) {
		if (first) {
			c->boots_virtio = true;
			snprintf(c->boot_domain, sizeof(c->boot_domain), "%s", d.backend_domname ? d.backend_domname : "");
		}
		check_virtio_disk(c, &d);
	}
	libxl_device_disk_dispose(&d);
}

/* ---- virtio= ---- */

/* The value of a key of a comma separated line, or NULL; to free(). */
static char *value_of(const char *spec, const char *key)
{
	size_t n = strlen(key);

	for (const char *p = spec; p; p = strchr(p, ',')) {
		p += strspn(p, ", ");
		if (!strncmp(p, key, n) && p[n] == '=')
			return strndup(p + n + 1, strcspn(p + n + 1, ","));
		if (!*p)
			break;
	}
	return NULL;
}

static bool value_is(const char *spec, const char *key, const char *want)
{
	char *v = value_of(spec, key);
	bool is = v && !strcmp(v, want);

	free(v);
	return is;
}

static void check_device(struct cfg *c, const char *spec, bool first)
{
	struct findings *fs = c->fs;
	char error[VD_ERROR_MAX], name[80], *type;
	const char *at = strstr(spec, "type=");
	struct vd_spec s;

	(void)first;
	snprintf(name, sizeof(name), "'%.60s'", spec);
	if (old_xen(c, "cfg-virtio-xen", 18, "virtio="))
		return;
	if (!value_is(spec, "transport", "mmio")) {
		found(fs, BROKEN, "cfg-virtio-transport", "add ,transport=mmio at its end",
		      "%s: without transport=mmio xl cannot read it back", name);
		return;
	}
	if (!at) {
		found(fs, BROKEN, "cfg-virtio", "begin it with type=virtio,device and a number",
		      "%s: no type", name);
		return;
	}
	type = spec_type(at);
	if (!type)
		return;
	/* xl stores what it is given: short forms are for 'xen-virtio attach'. */
	if (strncmp(at + strlen("type="), "virtio,", 7))
		found(fs, BROKEN, "cfg-virtio", "begin it with type=virtio,device and a number", "%s: no virtio device", name);
	else if (vd_spec_parse(type, &s, error))
		found(fs, BROKEN, "cfg-virtio", NULL, "%s: %s", name, error);
	else
		check_host(fs, "cfg-virtio", name, &s);
	free(type);
}

/* ---- the whole ---- */

typedef void item_fn(struct cfg *c, const char *spec, bool first);

static void each(struct cfg *c, const char *key, item_fn *fn)
{
	XLU_ConfigList *list;
	int n = 0;

	if (xlu_cfg_get_list(c->xlu, key, &list, &n, 1))
		return;
	for (int i = 0; i < n; i++) {
		const char *item = xlu_cfg_get_listitem(list, i);

		if (item)
			fn(c, item, i == 0);
	}
}

static void check_boot(const struct cfg *c)
{
	const char *v;

	if (!c->boots_virtio)
		return;
	if (c->boot_domain[0] && !xlu_cfg_get_string(c->xlu, "bootloader", &v, 1))
		found(c->fs, BROKEN, "cfg-boot", "give kernel= and ramdisk=",
		      "%s cannot open a disk that is in %s", v, c->boot_domain);
	if (!xlu_cfg_get_string(c->xlu, "type", &v, 1) && !strcmp(v, "hvm") &&
	    xlu_cfg_get_string(c->xlu, "kernel", &v, 1))
		found(c->fs, ADVICE, "cfg-boot", "give kernel= and ramdisk=, or boot from a disk of another kind",
		      "an HVM guest's firmware does not see virtio disks");
}

int xlcfg_virtio(struct findings *fs, const char *name, const char *text, size_t len,
		 unsigned int xen_minor)
{
	struct cfg c = { .fs = fs, .xen_minor = xen_minor };
	char line[512];
	size_t before = fs->n;
	int ret = -ENOMEM;

	c.report = open_memstream(&c.text, &c.len);
	if (c.report)
		c.xlu = xlu_cfg_init(c.report, name);
	if (c.xlu)
		ret = xlread(c.xlu, text, len);
	if (!ret) {
		each(&c, "disk", check_disk);
		each(&c, "virtio", check_device);
		check_boot(&c);
		if (fs->n == before)
			found(fs, ADVICE, "cfg-none", "see xen-virtio-config(5)",
			      "%s: no virtio device in disk= or virtio=", name);
	} else if (c.report) {
		const char *said = report_since(&c, 0, line, sizeof(line));

		found(fs, BROKEN, "cfg-syntax", "see xl.cfg(5)", "%s is not understood by xl%s%s", name,
		      *said ? ": " : "", said);
		ret = -EINVAL;
	}
	if (c.xlu)
		xlu_cfg_destroy(c.xlu);
	if (c.report)
		fclose(c.report);
	free(c.text);
	return ret;
}
