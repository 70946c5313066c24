// SPDX-License-Identifier: GPL-2.0-or-later
/* Is this host ready to start guests with a Linux stubdomain? */
#include "hostcheck.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "cli/packages.h"
#include "cli/unit_state.h"
#include "imagecheck.h"
#include "xendirs.h"

static bool there(const char *path, int how)
{
	char *host = host_path("%s", path);
	bool is = !access(host, how);

	free(host);
	return is;
}

static bool file_has(const char *path, const char *word)
{
	char *host = host_path("%s", path), *text = NULL;
	bool has = !host_slurp(host, 4096, &text, NULL) && strstr(text, word);

	free(text);
	free(host);
	return has;
}

/* Xen */

/* As found(), BROKEN, with the package that is missing as the fix. */
static void lacks(struct findings *fs, const char *id, const char *package,
		  const char *text)
{
	char *fix = package_install(package);

	found(fs, BROKEN, id, fix, "%s", text);
	free(fix);
}

static void check_dom0(struct findings *fs, const char *running)
{
	if (!running)
		found(fs, BROKEN, "dom0", "choose its entry in the boot menu",
		      "this host does not run Xen now");
	else if (!file_has("/proc/xen/capabilities", "control_d"))
		found(fs, BROKEN, "dom0", "run it in dom0 (there: 'mount -t xenfs xenfs /proc/xen' when that is not mounted)",
		      "this is not dom0");
	else
		found(fs, FINE, "dom0", NULL, "this is dom0 of Xen %s", running);
	if (!running || !there("/sys/hypervisor/properties/capabilities", R_OK))
		return;
	if (!file_has("/sys/hypervisor/properties/capabilities", "xen-3.0-x86_64"))
		found(fs, BROKEN, "pv", "run a Xen that is built with CONFIG_PV",
		      "this Xen cannot run PV domains, and stubdomains are PV");
	if (!file_has("/sys/hypervisor/properties/capabilities", "hvm-3.0"))
		found(fs, BROKEN, "hvm", "switch VT-x or AMD-V on in the firmware",
		      "this host cannot run HVM guests");
}

static void check_tools(struct findings *fs)
{
	static const char *const qemu[] = STUBDOM_DOM0_QEMUS;
	bool have = false;

	if (there("/usr/bin/vchan-socket-proxy", X_OK))
		found(fs, FINE, "vchan-proxy", NULL, "vchan-socket-proxy is there");
	else
		lacks(fs, "vchan-proxy", "xen-utils-common", "vchan-socket-proxy, by which xl talks to the device model, is missing");
	/* Debian's xl runs the first and nothing else. */
	for (size_t i = 0; i < (there("/etc/debian_version", F_OK) ? 1 : 3); i++)
		have |= there(qemu[i], X_OK);
	if (have)
		found(fs, FINE, "dom0-qemu", NULL, "dom0 has a QEMU for consoles");
	else
		lacks(fs, "dom0-qemu", "qemu-system-xen", "the QEMU that serves a stubdomain's consoles in dom0 is missing");
}

static void check_modules(struct findings *fs)
{
	static const struct {
		const char *node, *module;
	} devs[] = {
		{ "/dev/xen/gntdev", "xen-gntdev" },
		{ "/dev/xen/evtchn", "xen-evtchn" },
		{ "/dev/xen/gntalloc", "xen-gntalloc" },
	};
	bool all = true;

	for (size_t i = 0; i < 3; i++) {
		char fix[64];

		if (there(devs[i].node, F_OK))
			continue;
		all = false;
		snprintf(fix, sizeof(fix), "run 'modprobe %s'", devs[i].module);
		found(fs, BROKEN, devs[i].module, fix, "%s is missing",
		      devs[i].node);
	}
	if (all)
		found(fs, FINE, "modules", NULL,
		      "the kernel's grant and event channel devices are there");
}

static void check_daemon(struct findings *fs)
{
	struct error *err = NULL;

	switch (unit_state("xen-stubdomd.service", &err)) {
	case UNIT_ACTIVE:
		found(fs, FINE, "daemon", NULL, "xen-stubdomd runs");
		break;
	case UNIT_UNKNOWN:
		found(fs, ADVICE, "daemon", "see that xen-stubdomd is started",
		      "the state of xen-stubdomd cannot be queried: %s", err ? err->text : "-");
		break;
	default:
		found(fs, BROKEN, "daemon", "run 'systemctl enable --now xen-stubdomd' (why it stopped: 'journalctl -u xen-stubdomd')", "xen-stubdomd does not run");
	}
	error_free(&err);
}

/* What is wrong with the image is said by itself; this is where to read why. */
static void check_register(struct findings *fs)
{
	if (unit_state("xen-stubdom-register.service", NULL) == UNIT_FAILED)
		found(fs, ADVICE, "register-unit", "see 'journalctl -u xen-stubdom-register'; then run 'systemctl restart xen-stubdom-register'",
		      "the last attempt to build or register an image failed");
}

void hostcheck(struct findings *fs, struct xlcfg_host *host)
{
	char *running = xen_running();

	memset(host, 0, sizeof(*host));
	if (running)
		host->xen_minor = (unsigned int)atoi(strchr(running, '.') + 1);
	host->usbback = there("/sys/bus/usb/drivers/usbback", F_OK);
	check_dom0(fs, running);
	imagecheck(fs, running, host);
	check_tools(fs);
	check_modules(fs);
	check_daemon(fs);
	check_register(fs);
	free(running);
}
