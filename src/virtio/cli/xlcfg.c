// SPDX-License-Identifier: GPL-2.0-or-later
#include "xlcfg.h"

#include <errno.h>
#include <libxlutil.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/host.h"
#include "edit.h"
#include "virtio/probe.h"
#include "virtio/spec.h"

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

static bool old_xen(struct findings *fs, const char *id, unsigned int minor, unsigned int since,
		    const char *what)
{
	if (!minor || minor >= since)
		return false;
	found(fs, BROKEN, id, "upgrade to Debian 13, or use what this Xen has",
	      "%s needs Xen 4.%u, this is Xen 4.%u", what, since, minor);
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
		      "%s: there is no bridge %s", name, s->bridge);
		return;
	}
	found(fs, FINE, id, NULL, "%s: %s %s", name, vd_type_name(s->type),
	      vd_spec_what(s, what, sizeof(what)));
}

void xlcfg_disk(struct findings *fs, const char *spec, unsigned int xen_minor)
{
	char *vdev, *target, name[96];
	const char *last = strstr(spec, "target=");
	struct vd_disk_nodes n = { .mode = "w" };
	char error[VD_ERROR_MAX];
	struct vd_spec s;

	if (!value_is(spec, "specification", "virtio"))
		return;
	vdev = value_of(spec, "vdev");
	snprintf(name, sizeof(name), "disk %.60s", vdev ? vdev : "without vdev=");
	free(vdev);
	if (old_xen(fs, "cfg-disk-xen", xen_minor, 17, "specification=virtio"))
		return;
	if (!value_is(spec, "backendtype", "standalone")) {
		found(fs, BROKEN, "cfg-disk-backend", "add backendtype=standalone before target=",
		      "%s: virtio over XenBus has its own backend", name);
		return;
	}
	if (!last) {
		found(fs, BROKEN, "cfg-disk-target", "add target=/dev/... at its end", "%s: no target", name);
		return;
	}
	/* libxlu_disk_l.l: target= takes the rest of the line. */
	target = strdup(last + strlen("target="));
	n.params = target;
	if (target && strchr(target, ',') && strstr(strchr(target, ','), "="))
		found(fs, ADVICE, "cfg-disk-order", "make target= the last of the line",
		      "%s: xl takes all behind target= for the name of the disk", name);
	if (vd_spec_disk(&n, &s, error))
		found(fs, BROKEN, "cfg-disk", NULL, "%s: %s", name, error);
	else
		check_host(fs, "cfg-disk", name, &s);
	free(target);
	if (value_is(spec, "format", "qcow2"))
		found(fs, BROKEN, "cfg-disk-format", "virtio = [ \"type=virtio,device2;path=...;format=qcow2,transport=mmio\" ]",
		      "%s: xl does not tell the format of a standalone disk: it is raw", name);
}

void xlcfg_device(struct findings *fs, const char *spec, unsigned int xen_minor)
{
	char error[VD_ERROR_MAX], name[80], *type;
	const char *at = strstr(spec, "type=");
	struct vd_spec s;

	snprintf(name, sizeof(name), "'%.60s'", spec);
	if (old_xen(fs, "cfg-virtio-xen", xen_minor, 18, "virtio="))
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
	type = edit_type(at);
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

typedef void item_fn(struct findings *fs, const char *spec, unsigned int xen_minor);

static void each(struct findings *fs, XLU_Config *cfg, const char *key, item_fn *fn,
		 unsigned int xen_minor)
{
	XLU_ConfigList *list;
	int n = 0;

	if (xlu_cfg_get_list(cfg, key, &list, &n, 1))
		return;
	for (int i = 0; i < n; i++) {
		const char *item = xlu_cfg_get_listitem(list, i);

		if (item)
			fn(fs, item, xen_minor);
	}
}

static void check_boot(struct findings *fs, XLU_Config *cfg)
{
	XLU_ConfigList *list;
	const char *v, *first;
	char *backend;
	int n = 0;

	if (xlu_cfg_get_list(cfg, "disk", &list, &n, 1) || !n)
		return;
	first = xlu_cfg_get_listitem(list, 0);
	if (!first || !value_is(first, "specification", "virtio"))
		return;
	backend = value_of(first, "backend");
	if (backend && !xlu_cfg_get_string(cfg, "bootloader", &v, 1))
		found(fs, BROKEN, "cfg-boot", "give kernel= and ramdisk=",
		      "%s cannot open a disk that is in %s", v, backend);
	free(backend);
	if (!xlu_cfg_get_string(cfg, "type", &v, 1) && !strcmp(v, "hvm") &&
	    xlu_cfg_get_string(cfg, "kernel", &v, 1))
		found(fs, ADVICE, "cfg-boot", "give kernel= and ramdisk=, or boot from a disk of another kind",
		      "an HVM guest's firmware does not see virtio disks");
}

int xlcfg_virtio(struct findings *fs, const char *name, const char *text, size_t len,
		 unsigned int xen_minor)
{
	char *report = NULL, line[512];
	size_t report_len, before = fs->n;
	FILE *f = open_memstream(&report, &report_len);
	XLU_Config *cfg = f ? xlu_cfg_init(f, name) : NULL;
	int ret = -ENOMEM;

	if (cfg)
		ret = len > 1 << 20 ? -EFBIG : -xlu_cfg_readdata(cfg, text, (int)len);
	if (!ret) {
		each(fs, cfg, "disk", xlcfg_disk, xen_minor);
		each(fs, cfg, "virtio", xlcfg_device, xen_minor);
		check_boot(fs, cfg);
		if (fs->n == before)
			found(fs, ADVICE, "cfg-none", "see xen-virtio-config(5)",
			      "%s: no virtio device in disk= or virtio=", name);
	}
	if (f)
		fclose(f);
	if (ret) {
		if (report)
			report[strcspn(report, "\n")] = '\0';
		found(fs, BROKEN, "cfg-syntax", "see xl.cfg(5)", "%s is not understood by xl%s%s", name,
		      report && *report ? ": " : "",
		      report && *report ? clean(line, sizeof(line), report) : "");
		ret = -EINVAL;
	}
	if (cfg)
		xlu_cfg_destroy(cfg);
	free(report);
	return ret;
}
