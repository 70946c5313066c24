/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libxl writes for a guest with a Linux stubdomain, and a log to look into. */
#ifndef STUBDOMD_FIXTURE_H
#define STUBDOMD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "fake_hv.h"
#include "fake_xenstore.h"
#include "base/log.h"

/* ---- the log ---- */

static char fix_log[16384];
static unsigned int fix_lines;

__attribute__((unused))
static void fix_sink(int level, const struct log_about *about, const char *line)
{
	size_t n = strlen(fix_log);

	(void)about;
	snprintf(fix_log + n, sizeof(fix_log) - n, "<%d>%s\n", level, line);
	fix_lines++;
}

__attribute__((unused))
static void fix_log_clear(void)
{
	fix_log[0] = '\0';
	fix_lines = 0;
}

#define assert_logged(text) do {					\
	if (!strstr(fix_log, text))					\
		fail_msg("not logged: %s\nthe log is:\n%s", text, fix_log); \
} while (0)
#define assert_not_logged(text) do {					\
	if (strstr(fix_log, text))					\
		fail_msg("logged: %s\nthe log is:\n%s", text, fix_log);	\
} while (0)

/* ---- the domains ---- */

/* libxl__device_console_add() */
__attribute__((unused))
static void fix_console(unsigned int stub, int n, const char *output)
{
	char front[96], back[96], path[160];

	snprintf(front, sizeof(front), n ? "/local/domain/%u/device/console/%d" :
		 "/local/domain/%u/console", stub, n);
	snprintf(back, sizeof(back), "/local/domain/0/backend/console/%u/%d", stub, n);
	if (n)
		fake_xs_own(front, stub, 0, XS_PERM_READ);
	else
		fake_xs_own(front, 0, stub, XS_PERM_READ);
	snprintf(path, sizeof(path), "%s/backend", front);
	fake_xs_set(path, back);
	if (n) {
		snprintf(path, sizeof(path), "%s/state", front);
		fake_xs_set(path, "1");
	}
	snprintf(path, sizeof(path), "%s/type", front);
	fake_xs_set(path, "ioemu");
	if (output) {
		snprintf(path, sizeof(path), "%s/output", front);
		fake_xs_set(path, output);
	}
	snprintf(path, sizeof(path), "%s/online", back);
	fake_xs_set(path, "1");
	snprintf(path, sizeof(path), "%s/state", back);
	fake_xs_set(path, "1");
}

__attribute__((unused))
static void fix_consoles(unsigned int stub)
{
	fix_console(stub, 0, "file:/var/log/xen/qemu-dm-web1.log");
	fix_console(stub, 1, "file:/var/lib/xen/qemu-save.4");
	fix_console(stub, 2, NULL);
	fix_console(stub, 3, "pty");
}

/* libxl__spawn_stub_dm(), as far as the consoles; guest paused, stubdomain too. */
__attribute__((unused))
static void fix_domains(unsigned int stub, unsigned int guest, const char *name)
{
	char text[64];

	fake_hv_add(guest, true, 1)->paused = true;
	fake_hv_add(stub, false, 1)->paused = true;
	fake_xs_setf(name, "/local/domain/%u/name", guest);
	fake_xs_setf("/vm/guest", "/local/domain/%u/vm", guest);
	snprintf(text, sizeof(text), "%s-dm", name);
	fake_xs_setf(text, "/local/domain/%u/name", stub);
	snprintf(text, sizeof(text), "/vm/stub%u", stub);
	fake_xs_setf(text, "/local/domain/%u/vm", stub);
	fake_xs_setf("qemu_xen", "/libxl/%u/dm-version", guest);
	snprintf(text, sizeof(text), "%u", stub);
	fake_xs_setf(text, "/local/domain/%u/image/device-model-domid", guest);
	snprintf(text, sizeof(text), "%u", guest);
	fake_xs_setf(text, "/local/domain/%u/target", stub);
	snprintf(text, sizeof(text), "%u", (144u << 10));
	fake_xs_setf(text, "/local/domain/%u/memory/static-max", stub);
	fake_xs_setf("16384", "/local/domain/%u/memory/videoram", guest);
}

/* libxl__device_add_async() for a network card of @dom, stubdomain or guest. */
__attribute__((unused))
static void fix_vif(unsigned int dom, unsigned int devid, unsigned int backend,
		    const char *mac, const char *bridge)
{
	char rec[64], back[96], front[64], path[160];

	snprintf(rec, sizeof(rec), "/libxl/%u/device/vif/%u", dom, devid);
	snprintf(back, sizeof(back), "/local/domain/%u/backend/vif/%u/%u", backend, dom, devid);
	snprintf(front, sizeof(front), "/local/domain/%u/device/vif/%u", dom, devid);
	fake_xs_own(front, dom, backend, XS_PERM_READ);
	fake_xs_setf(back, "%s/backend", front);
	fake_xs_setf("4", "%s/state", front);
	fake_xs_setf(front, "%s/frontend", rec);
	fake_xs_setf(back, "%s/backend", rec);
	fake_xs_setf("1", "%s/online", back);
	fake_xs_setf("4", "%s/state", back);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/mac", i ? rec : back);
		fake_xs_set(path, mac);
		snprintf(path, sizeof(path), "%s/bridge", i ? rec : back);
		fake_xs_set(path, bridge);
	}
}

/* device_disk_add() for a CD of stubdomain @stub that QEMU in dom0 is to serve. */
__attribute__((unused))
static void fix_cd(unsigned int stub, unsigned int devid, const char *params)
{
	char rec[64], back[96], front[64];

	snprintf(rec, sizeof(rec), "/libxl/%u/device/vbd/%u", stub, devid);
	snprintf(back, sizeof(back), "/local/domain/0/backend/qdisk/%u/%u", stub, devid);
	snprintf(front, sizeof(front), "/local/domain/%u/device/vbd/%u", stub, devid);
	fake_xs_own(front, stub, 0, XS_PERM_READ);
	fake_xs_setf(back, "%s/backend", front);
	fake_xs_setf("1", "%s/state", front);
	fake_xs_setf("cdrom", "%s/device-type", front);
	fake_xs_setf("1", "%s/online", back);
	fake_xs_setf("1", "%s/state", back);
	fake_xs_setf(params, "%s/params", back);
	fake_xs_setf(front, "%s/frontend", rec);
	fake_xs_setf(back, "%s/backend", rec);
	fake_xs_setf("qdisk", "%s/type", rec);
	fake_xs_setf(params, "%s/params", rec);
	fake_xs_setf("hdc", "%s/dev", rec);
	fake_xs_setf("cdrom", "%s/device-type", rec);
}

/* The stubdomain runs, and its QEMU is ready; libxl starts the guest. */
__attribute__((unused))
static void fix_running(unsigned int stub, unsigned int guest)
{
	fake_hv_dom(stub)->paused = false;
	fake_hv_dom(stub)->cpu_ns = 1000000;
	fake_xs_setf("running", "/local/domain/%u/device-model/%u/state", stub, guest);
	fake_hv_dom(guest)->paused = false;
	fake_hv_dom(guest)->cpu_ns = 1000;
}

__attribute__((unused))
static int fix_setup(void **state)
{
	(void)state;
	fake_xs_reset();
	fake_hv_reset();
	fix_log_clear();
	log_open("test", fix_sink, LOG_DEBUG);
	return 0;
}

__attribute__((unused))
static int fix_teardown(void **state)
{
	unsigned int open = fake_xs_open_transactions();

	(void)state;
	fake_xs_reset();
	return open ? -1 : 0;
}

#define FIX_TEST(fn) cmocka_unit_test_setup_teardown(fn, fix_setup, fix_teardown)

#endif
