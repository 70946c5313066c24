/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What xl writes for virtio devices, and a log to look into. */
#ifndef VIRTIOD_FIXTURE_H
#define VIRTIOD_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_xenstore.h"
#include "base/log.h"

/* ---- the log ---- */

static char fix_log[32768];

__attribute__((unused))
static void fix_sink(int level, const struct log_about *about, const char *line)
{
	size_t n = strlen(fix_log);

	(void)about;
	snprintf(fix_log + n, sizeof(fix_log) - n, "<%d>%s\n", level, line);
}

#define assert_logged(text) do {					\
	if (!strstr(fix_log, text))					\
		fail_msg("not logged: %s\nthe log is:\n%s", text, fix_log); \
} while (0)
#define assert_not_logged(text) do {					\
	if (strstr(fix_log, text))					\
		fail_msg("logged: %s\nthe log is:\n%s", text, fix_log);	\
} while (0)

/* ---- guests ---- */

#define DISK(domid, devid) "/local/domain/0/backend/virtio_disk/" #domid "/" #devid
#define VIRTIO(domid, devid) "/local/domain/0/backend/virtio/" #domid "/" #devid

__attribute__((unused))
static void fix_node(const char *dir, const char *name, const char *value)
{
	fake_xs_setf(value, "%s/%s", dir, name);
}

__attribute__((unused))
static void fix_guest(unsigned int domid, const char *name)
{
	fake_xs_setf(name, "/local/domain/%u/name", domid);
	fake_xs_introduce(domid, true);
}

/* libxl__device_generic_add(): all at once, state among the last. */
__attribute__((unused))
static void fix_disk(const char *dir, const char *params)
{
	fix_node(dir, "online", "1");
	fix_node(dir, "params", params);
	fix_node(dir, "type", "standalone");
	fix_node(dir, "dev", "xvda");
	fix_node(dir, "mode", "w");
	fix_node(dir, "device-type", "disk");
	fix_node(dir, "removable", "0");
	fix_node(dir, "discard-enable", "1");
	fix_node(dir, "specification", "virtio");
	fix_node(dir, "transport", "mmio");
	fix_node(dir, "state", "1");
}

__attribute__((unused))
static void fix_virtio(const char *dir, const char *type)
{
	fix_node(dir, "online", "1");
	fix_node(dir, "type", type);
	fix_node(dir, "transport", "mmio");
	fix_node(dir, "state", "1");
}

/* What xl does when it takes a device away. */
__attribute__((unused))
static void fix_unplug(const char *dir)
{
	fix_node(dir, "online", "0");
	fix_node(dir, "state", "5");
}

__attribute__((unused))
static const char *fix_get(const char *dir, const char *name)
{
	char path[256];
	const char *v;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	v = fake_xs_get(path);
	return v ? v : "";
}

/* ---- a directory of the test's own, with systemd's place for drop-ins ---- */

static char fix_dir[64];

__attribute__((unused))
static void fix_dir_enter(void)
{
	strcpy(fix_dir, "/tmp/virtiod-test-XXXXXX");
	assert_non_null(mkdtemp(fix_dir));
	assert_int_equal(chdir(fix_dir), 0);
	assert_int_equal(mkdir("systemd", 0700), 0);
	assert_int_equal(mkdir("systemd/system", 0700), 0);
}

__attribute__((unused))
static void fix_dir_leave(void)
{
	char command[96];

	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r %s", fix_dir);
	assert_int_equal(system(command), 0);
}

/* The text of a file; "" when it is not there.  One at a time. */
__attribute__((unused))
static const char *fix_file(const char *path)
{
	static char text[4096];
	FILE *f = fopen(path, "r");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;

	if (f)
		fclose(f);
	text[n] = '\0';
	return text;
}

#define assert_node(dir, name, value) assert_string_equal(fix_get(dir, name), value)

__attribute__((unused))
static int fix_setup(void **state)
{
	(void)state;
	fake_xs_reset();
	fix_log[0] = '\0';
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
