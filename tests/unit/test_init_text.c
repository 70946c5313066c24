// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/text.c src/lib/base/text.c src/stubdom/init/vbd.c src/stubdom/init/lines.c src/lib/base/log.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "stubdom/init/lines.h"
#include "base/text.h"
#include "stubdom/init/text.h"
#include "stubdom/init/vbd.h"

static void info_lines(void **state)
{
	static const char text[] =
		"xen 4.20\nqemu  10.0.13 \r\nkey\tabc def\nxenx no\nempty\nlast end";
	char v[16];

	(void)state;
	assert_int_equal(text_value(text, "xen", v, sizeof(v)), 0);
	assert_string_equal(v, "4.20");
	assert_int_equal(text_value(text, "qemu", v, sizeof(v)), 0);
	assert_string_equal(v, "10.0.13");
	assert_int_equal(text_value(text, "key", v, sizeof(v)), 0);
	assert_string_equal(v, "abc def");
	assert_int_equal(text_value(text, "last", v, sizeof(v)), 0);
	assert_string_equal(v, "end");
	assert_int_equal(text_value(text, "empty", v, sizeof(v)), -ENOENT);
	assert_int_equal(text_value(text, "no", v, sizeof(v)), -ENOENT);
	assert_int_equal(text_value(text, "key", v, 7), -E2BIG);
	assert_int_equal(text_value("", "xen", v, sizeof(v)), -ENOENT);
}

static void meminfo(void **state)
{
	static const char text[] =
		"MemTotal:         147456 kB\nMemFree:  1 kB\nMemAvailable:   99999 kB\nBad: x\n"
		"Big: 99999999999999999999999 kB\n";
	uint64_t n;

	(void)state;
	assert_int_equal(meminfo_get(text, "MemTotal", &n), 0);
	assert_int_equal(n, 147456);
	assert_int_equal(meminfo_get(text, "MemAvailable", &n), 0);
	assert_int_equal(n, 99999);
	assert_int_equal(meminfo_get(text, "Mem", &n), -ENOENT);
	assert_int_equal(meminfo_get(text, "Bad", &n), -EINVAL);
	assert_int_equal(meminfo_get(text, "Big", &n), -EINVAL);
	assert_int_equal(meminfo_get("", "MemTotal", &n), -ENOENT);
}

static void cmdline(void **state)
{
	static const char text[] =
		"console=hvc0 quiet debugger xen_stubdom.log=info xen_stubdom.log=debug\n";
	char v[8];

	(void)state;
	assert_true(cmdline_get(text, "quiet", NULL, 0));
	assert_false(cmdline_get(text, "debug", NULL, 0));
	assert_true(cmdline_get("a debug", "debug", v, sizeof(v)));
	assert_string_equal(v, "");
	assert_true(cmdline_get(text, "xen_stubdom.log", v, sizeof(v)));
	assert_string_equal(v, "debug");
	assert_true(cmdline_get("k=0123456789", "k", v, sizeof(v)));
	assert_string_equal(v, "0123456");
}

static void series(void **state)
{
	char v[16];

	(void)state;
	assert_int_equal(version_series("4.20.3+127", v, sizeof(v)), 0);
	assert_string_equal(v, "4.20");
	assert_int_equal(version_series("4.17", v, sizeof(v)), 0);
	assert_string_equal(v, "4.17");
	assert_int_equal(version_series("4", v, sizeof(v)), -EINVAL);
	assert_int_equal(version_series("4.", v, sizeof(v)), -EINVAL);
	assert_int_equal(version_series("x4.17", v, sizeof(v)), -EINVAL);
	assert_int_equal(version_series("4.17", v, 4), -EINVAL);
}

static void dmargv_names(void **state)
{
	char *good[] = { "001", "002", "003" };
	char *gap[] = { "001", "003" };
	char *from0[] = { "000", "001" };
	char *more[] = { "001", "0010", "002" };
	char *four[] = { "0001" };
	char *word[] = { "001", "002", "x" };
	static char buf[1000][16];
	char *many[1000];

	(void)state;
	assert_int_equal(dmargv_check(good, 3), 0);
	assert_int_equal(dmargv_check(good, 0), 0);
	assert_int_equal(dmargv_check(gap, 2), 2);
	assert_int_equal(dmargv_check(from0, 2), 1);
	assert_int_equal(dmargv_check(more, 3), 2);
	assert_int_equal(dmargv_check(four, 1), 1);
	assert_int_equal(dmargv_check(word, 3), 3);
	for (int i = 0; i < 1000; i++) {
		snprintf(buf[i], sizeof(buf[i]), "%03d", i + 1);
		many[i] = buf[i];
	}
	assert_int_equal(dmargv_check(many, 999), 0);
	assert_int_equal(dmargv_check(many, 1000), 1000);
}

static void vbd_numbers(void **state)
{
	static const struct {
		unsigned int devid, disk, part;
		const char *vdev;
	} t[] = {
		{ 768, 0, 0, "hda" }, { 832, 1, 0, "hdb" }, { 5632, 2, 0, "hdc" },
		{ 5696, 3, 0, "hdd" }, { 769, 0, 1, "hda1" },
		{ 2048, 0, 0, "sda" }, { 2064, 1, 0, "sdb" },
		{ 51712, 0, 0, "xvda" }, { 51713, 0, 1, "xvda1" },
		{ 51744, 2, 0, "xvdc" }, { 51952, 15, 0, "xvdp" },
		{ 1u << 28 | 16 << 8, 16, 0, "xvdq" },
		{ 1u << 28 | 26 << 8, 26, 0, "xvdaa" },
		{ 1u << 28 | 701 << 8, 701, 0, "xvdzz" },
	};
	unsigned int disk, part;
	char v[16];

	(void)state;
	for (unsigned int i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		assert_int_equal(vbd_decode(t[i].devid, &disk, &part), 0);
		assert_int_equal(disk, t[i].disk);
		assert_int_equal(part, t[i].part);
		vbd_vdev(t[i].devid, v, sizeof(v));
		assert_string_equal(v, t[i].vdev);
	}
	assert_int_equal(vbd_decode(0, &disk, &part), -EINVAL);
	assert_int_equal(vbd_decode(3 << 8 | 128, &disk, &part), -EINVAL);
	assert_int_equal(vbd_decode(1u << 29 | 1u << 28, &disk, &part), -EINVAL);
	vbd_vdev(0, v, sizeof(v));
	assert_string_equal(v, "vbd 0");
}

#define UEVENT(s) vbd_uevent(s, sizeof(s), &ev)

static void uevents(void **state)
{
	struct vbd_event ev;

	(void)state;
	assert_int_equal(UEVENT("add@/devices/vbd-5632/block/xvdc\0ACTION=add\0"
				"DEVPATH=/devices/vbd-5632/block/xvdc\0SUBSYSTEM=block\0"
				"MAJOR=202\0DEVNAME=xvdc\0DEVTYPE=disk\0SEQNUM=7"), 1);
	assert_int_equal(ev.devid, 5632);
	assert_string_equal(ev.dev, "xvdc");
	assert_int_equal(UEVENT("x\0ACTION=remove\0DEVPATH=/devices/vbd-768/block/xvda\0"
				"SUBSYSTEM=block\0DEVTYPE=disk"), -1);
	/* a partition, another subsystem, another action, no vbd, traps */
	assert_int_equal(UEVENT("ACTION=add\0DEVPATH=/devices/vbd-768/block/xvda/xvda1\0"
				"SUBSYSTEM=block\0DEVTYPE=partition"), 0);
	assert_int_equal(UEVENT("ACTION=add\0DEVPATH=/devices/vif-0/net/eth0\0SUBSYSTEM=net"), 0);
	assert_int_equal(UEVENT("ACTION=change\0DEVPATH=/devices/vbd-768/block/xvda\0"
				"SUBSYSTEM=block\0DEVTYPE=disk"), 0);
	assert_int_equal(UEVENT("ACTION=add\0DEVPATH=/devices/virtual/block/ram0\0"
				"SUBSYSTEM=block\0DEVTYPE=disk"), 0);
	assert_int_equal(UEVENT("ACTION=add\0DEVPATH=/devices/vbd-99999999999999/block/xvda\0"
				"SUBSYSTEM=block\0DEVTYPE=disk"), 0);
	assert_int_equal(UEVENT("ACTION=add\0DEVPATH=/devices/vbd-768/block/averylongname0123\0"
				"SUBSYSTEM=block\0DEVTYPE=disk"), 0);
	assert_int_equal(vbd_uevent("ACTION=add", 10, &ev), 0);	/* not terminated */
	assert_int_equal(vbd_uevent("", 0, &ev), 0);
}

/* lines.c */

static char got[64][LINES_MAX];
static unsigned int n_got;
static uint64_t n_dropped;

static void emit(void *arg, const char *line)
{
	(void)arg;
	if (n_got < 64)
		snprintf(got[n_got], LINES_MAX, "%s", line);
	n_got++;
}

static void emit_dropped(void *arg, uint64_t n)
{
	(void)arg;
	n_dropped += n;
}

static struct lines *lines_new(unsigned int burst, unsigned int per_s)
{
	static struct lines l;

	memset(&l, 0, sizeof(l));
	l.emit = emit;
	l.emit_dropped = emit_dropped;
	bucket_init(&l.bucket, burst, per_s, 0);
	n_got = 0;
	n_dropped = 0;
	return &l;
}

static void lines_are_cut(void **state)
{
	struct lines *l = lines_new(10, 1);
	static char longline[3 * LINES_MAX];

	(void)state;
	lines_feed(l, "one\r\n\ntw", 8, 0);
	lines_feed(l, "o\x1b[31m\nthr", 10, 0);
	assert_int_equal(n_got, 2);
	assert_string_equal(got[0], "one");
	assert_string_equal(got[1], "two?[31m");
	lines_flush(l, 0);
	assert_string_equal(got[2], "thr");
	memset(longline, 'x', sizeof(longline));
	longline[sizeof(longline) - 1] = '\n';
	lines_feed(l, longline, sizeof(longline), 0);
	lines_feed(l, "next\n", 5, 0);
	assert_int_equal(n_got, 5);
	assert_int_equal(strlen(got[3]), LINES_MAX - 1);
	assert_string_equal(got[4], "next");
	assert_string_equal(l->last, "next");
}

static void a_flood_is_bounded(void **state)
{
	struct lines *l = lines_new(10, 5);

	(void)state;
	for (int i = 0; i < 1000; i++)
		lines_feed(l, "flood\n", 6, 0);
	assert_int_equal(n_got, 10);
	assert_int_equal(n_dropped, 0);
	/* a second later five more, and the report before them */
	for (int i = 0; i < 1000; i++)
		lines_feed(l, "again\n", 6, 1000);
	assert_int_equal(n_got, 15);
	assert_int_equal(n_dropped, 990);
	lines_flush(l, 1000);
	assert_int_equal(n_dropped, 990 + 995);
	/* also dropped lines are remembered: the last words matter */
	assert_string_equal(l->last, "again");
}

static void bucket_never_overflows(void **state)
{
	struct token_bucket b;

	(void)state;
	bucket_init(&b, 3, 1000000, 0);
	assert_int_equal(bucket_take(&b, INT64_MAX / 2), 1);
	assert_int_equal(bucket_take(&b, INT64_MAX / 2), 1);
	assert_int_equal(bucket_take(&b, INT64_MAX / 2), 1);
	assert_int_equal(bucket_take(&b, INT64_MAX / 2), 0);
	/* a clock that goes back gives nothing */
	assert_int_equal(bucket_take(&b, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info_lines), cmocka_unit_test(meminfo),
		cmocka_unit_test(cmdline), cmocka_unit_test(series),
		cmocka_unit_test(dmargv_names), cmocka_unit_test(vbd_numbers),
		cmocka_unit_test(uevents), cmocka_unit_test(lines_are_cut),
		cmocka_unit_test(a_flood_is_bounded),
		cmocka_unit_test(bucket_never_overflows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
