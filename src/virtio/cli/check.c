// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-virtio check: what is missing, and the command that fixes it. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/findings.h"
#include "cli/packages.h"
#include "cli/unit_state.h"
#include "limits.h"
#include "vcli.h"
#include "xen/version.h"
#include "xlcfg.h"

static const char usage[] =
"usage: xen-virtio check [--json] [CONFIG-FILE]\n"
"Find out why virtio devices would not work here.  Each line says 'ok', 'note' or\n"
"'FAIL', and what to do about it.  Exits with 1 after a FAIL.\n"
"\n"
"  CONFIG-FILE    look at this xl.cfg(5) file too\n"
"  --json         for scripts\n";

#define CONFIG_MAX (1u << 20)

/* The N of Xen 4.N; 0 when it does not run. */
static unsigned int check_xen(struct findings *fs)
{
	unsigned int major, minor;

	if (xen_version("/sys", &major, &minor)) {
		found(fs, BROKEN, "xen", "choose its entry in the boot menu", "this host does not run Xen now");
		return 0;
	}
	if (major != 4 || minor < 17) {
		found(fs, BROKEN, "xen", "upgrade to Debian 12 or later",
		      "Xen %u.%u is too old: virtio disks came with Xen 4.17", major, minor);
		return minor;
	}
	found(fs, FINE, "xen", NULL, "Xen %u.%u runs", major, minor);
	if (minor < 18)
		found(fs, ADVICE, "xen-virtio", "use 'xen-virtio attach', or Xen 4.18 or later",
		      "Xen 4.%u knows virtio disks (specification=virtio), but not virtio= for other devices", minor);
	return minor;
}

static void check_qemu(struct findings *fs)
{
	char *fix;

	if (!access(VD_QEMU, X_OK)) {
		found(fs, FINE, "qemu", NULL, "the backend's QEMU is installed");
		return;
	}
	fix = package_install("qemu-xen-extras");
	found(fs, BROKEN, "qemu", fix, "the backend's QEMU, %s, is missing", VD_QEMU);
	free(fix);
}

static void check_devices(struct findings *fs)
{
	static const struct {
		const char *node, *module;
	} devs[] = {
		{ "/dev/xen/evtchn", "xen-evtchn" },
		{ "/dev/xen/gntdev", "xen-gntdev" },
		{ "/dev/xen/privcmd", "xen-privcmd" },
		{ "/dev/net/tun", "tun" },
	};
	bool all = true;

	for (size_t i = 0; i < sizeof(devs) / sizeof(devs[0]); i++) {
		char fix[64];

		if (!access(devs[i].node, F_OK))
			continue;
		all = false;
		snprintf(fix, sizeof(fix), "run 'modprobe %s'", devs[i].module);
		found(fs, BROKEN, "devices", fix, "%s is missing", devs[i].node);
	}
	if (all)
		found(fs, FINE, "devices", NULL, "grants, event channels and taps are there");
}

static void check_daemon(struct findings *fs)
{
	struct error *err = NULL;

	switch (unit_state("xen-virtiod.service", &err)) {
	case UNIT_ACTIVE:
		found(fs, FINE, "daemon", NULL, "xen-virtiod runs");
		break;
	case UNIT_UNKNOWN:
		found(fs, BROKEN, "daemon", "run 'systemctl status dbus'",
		      "the state of xen-virtiod cannot be queried: %s", err ? err->text : "-");
		break;
	default:
		found(fs, BROKEN, "daemon",
		      "run 'systemctl enable --now xen-virtiod' (why it stopped: 'journalctl -u xen-virtiod')",
		      "xen-virtiod does not run");
	}
	error_free(&err);
}

static void check_bridges(struct findings *fs)
{
	DIR *d = opendir("/sys/class/net");
	struct dirent *e;
	bool any = false;

	while (d && (e = readdir(d))) {
		char path[300];

		snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", e->d_name);
		if (access(path, F_OK))
			continue;
		found(fs, FINE, "bridge", NULL, "bridge %s exists", e->d_name);
		any = true;
	}
	if (d)
		closedir(d);
	if (!any)
		found(fs, ADVICE, "bridge", "create one if guests are to have virtio network cards",
		      "no bridge exists");
}

static void check_guests(struct findings *fs)
{
	struct xs_handle *xs = xs_open(XS_OPEN_READONLY);
	struct vd_store st;
	struct pools pools = { 0 };
	uint32_t *domids = NULL;
	unsigned int n = 0;
	bool readable = true;

	if (!xs || vd_store_init(&st, xs) || vd_nodes_guests(&st, &domids, &n)) {
		found(fs, BROKEN, "xenstore", "run it as root under Xen; see 'systemctl status xenstored'",
		      "xenstore cannot be read");
		n = 0;
		readable = false;
	}
	for (unsigned int i = 0; i < n; i++) {
		char name[DOMAIN_NAME_MAX], dev[VD_ID_MAX], error[VD_ERROR_MAX];
		struct vd_node *list;
		unsigned int count;

		domain_name(st.xs, domids[i], name, DOMAIN_NAME_MAX);
		if (vd_nodes_list(&st, domids[i], &list, &count))
			continue;
		for (unsigned int k = 0; k < count; k++) {
			device_error(&st, domids[i], list[k].id, error);
			if (*error)
				found(fs, BROKEN, "guest", NULL, "guest %s (%u): %s: %s", name, domids[i],
				      vd_id_show(dev, list[k].id), error);
		}
		pools_add(&pools, &st, domids[i], list, count);
		free(list);
	}
	if (readable)
		check_limits(fs, &st, &pools);
	free(domids);
	if (xs)
		xs_close(xs);
}

static void check_config(struct findings *fs, const char *path, unsigned int minor)
{
	char *text;
	size_t len;
	int ret = host_slurp(path, CONFIG_MAX, &text, &len);

	if (ret) {
		found(fs, BROKEN, "cfg-file", "give a readable file", "%s: %s", path, strerror(-ret));
		return;
	}
	xlcfg_virtio(fs, path, text, len, minor);
	free(text);
}

int cmd_check(int argc, char **argv)
{
	struct findings fs = { 0 };
	unsigned int minor;
	struct args a;
	int ret = args_parse(argc, argv, usage, 0, 1, &a);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	minor = check_xen(&fs);
	check_qemu(&fs);
	check_devices(&fs);
	check_daemon(&fs);
	check_bridges(&fs);
	check_guests(&fs);
	if (a.n)
		check_config(&fs, a.words[0], minor);
	findings_print(&fs, a.json);
	ret = findings_worst(&fs) == BROKEN ? EXIT_FAILURE : EXIT_SUCCESS;
	findings_free(&fs);
	return ret;
}
