// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/pv/args.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c */
/* The command lines of stock libxl, and what belongs to QEMU. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "stubdom/pv/args.h"

#define WORDS 64

static struct args a;

/* "A B C" -> argv of "prog A B C" */
static int parse(const char *line)
{
	static char copy[2048];
	char *argv[WORDS + 1] = { "xen-stubdom-pv" };
	int argc = 1;

	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok(copy, " "); w && argc < WORDS; w = strtok(NULL, " "))
		argv[argc++] = w;
	return args_parse(argc, argv, &a);
}

#define MONITORS "-chardev socket,id=libxl-cmd,path=/run/xen/qmp-libxl-5,server=on,wait=off -mon chardev=libxl-cmd,mode=control " \
	"-chardev socket,id=libxenstat-cmd,path=/run/xen/qmp-libxenstat-5,server=on,wait=off -mon chardev=libxenstat-cmd,mode=control "
#define START "-xen-domid 5 -no-shutdown " MONITORS "-nodefaults -no-user-config -xen-attach -name web-dm "
#define END "-machine xenpv -m 136"

static void the_probe(void **state)
{
	(void)state;
	assert_int_equal(parse("-S -no-user-config -nodefaults -nographic -machine none,accel=xen "
			       "-chardev socket,id=libxl-cmd,fd=20,server=on,wait=off -mon chardev=libxl-cmd,mode=control"), 0);
	assert_true(a.probe);
	assert_int_equal(a.n_monitors, 1);
	assert_int_equal(a.monitor[0].fd, 20);
}

static void without_and_with_vnc(void **state)
{
	(void)state;
	assert_int_equal(parse(START "-vnc none -display none -nographic " END), 0);
	assert_false(a.probe);
	assert_int_equal(a.domid, 5);
	assert_string_equal(a.name, "web-dm");
	assert_false(a.vnc.wanted);
	assert_int_equal(a.n_monitors, 2);
	assert_int_equal(a.monitor[1].fd, -1);
	assert_string_equal(a.monitor[1].path, "/run/xen/qmp-libxenstat-5");
	assert_int_equal(parse(START "-vnc 127.0.0.1:0,to=99 -display none -k de " END), 0);
	assert_true(a.vnc.wanted && !a.vnc.password);
	assert_string_equal(a.vnc.host, "127.0.0.1");
	assert_int_equal(a.vnc.first, 5900);
	assert_int_equal(a.vnc.last, 5999);
	assert_string_equal(a.keymap, "de");
}

static void where_vnc_is(void **state)
{
	(void)state;
	assert_int_equal(parse(START "-vnc ::1:7,password=on -display none " END), 0);
	assert_string_equal(a.vnc.host, "::1");
	assert_true(a.vnc.password);
	assert_int_equal(a.vnc.first, 5907);
	assert_int_equal(a.vnc.last, 5907);
	assert_int_equal(parse(START "-vnc :120,to=99 " END), 0);
	assert_string_equal(a.vnc.host, "");
	assert_int_equal(a.vnc.last, 6020);
	assert_int_equal(parse(START "-vnc 127.0.0.1:1 -vnc none " END), 0);
	assert_false(a.vnc.wanted);
}

static void what_is_for_qemu(void **state)
{
	static const struct { const char *line, *word; } cases[] = {
		{ START "-vnc none -display sdl " END, "-display" },
		{ START "-display none -spice port=1 " END, "-spice" },
		{ START "-display none -machine xenfv,accel=xen -m 64", "-machine" },
		{ START "-display none -machine xenpv,graphics=off -m 64", "-machine" },
		{ START "-chardev pty,id=libxl-channel0 " END, "-chardev" },
		{ START "-S " END, "-S" },
		{ START "-vnc unix:/tmp/x " END, "-vnc" }, { START "-vnc 127.0.0.1:0,websocket=on " END, "-vnc" },
		{ START "-vnc 127.0.0.1:60000 " END, "-vnc" }, { START "-vnc 127.0.0.1 " END, "-vnc" },
		{ START "-trace enable=xen_* " END, "-trace" },
		{ "-xen-domid 5 -chardev socket,id=c,path=/a,server=on,wait=off,tls-creds=x -mon chardev=c,mode=control " END, "-chardev" },
		{ "-xen-domid 5 -chardev socket,id=c,path=a,server=on -mon chardev=c,mode=control " END, "-chardev" },
		{ "-xen-domid 5 -chardev socket,id=c,fd=2,server=on -mon chardev=c,mode=control " END, "-chardev" },
		{ "-xen-domid 5 -chardev socket,id=c,path=/a,server=on -mon chardev=c,mode=readline " END, "-mon" },
		{ MONITORS MONITORS END, "-chardev" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(parse(cases[i].line), -ENOTSUP);
		assert_string_equal(a.unknown, cases[i].word);
	}
}

static void what_is_nothing(void **state)
{
	static const char *const lines[] = {
		"", "-xen-domid 5", START, MONITORS END, "-xen-domid 0 " MONITORS END, "-xen-domid 5x " MONITORS END,
		"-xen-domid 32752 " MONITORS END, START "-machine", START END " -name", START "-machine xenpv -m x",
		"-xen-domid 5 -mon chardev=c,mode=control " END,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		assert_int_equal(parse(lines[i]), -EINVAL);
}

static void lists(void **state)
{
	const char *list = "socket,path=/a,,b=c,x=,,,last";
	char key[16], value[16];

	(void)state;
	assert_int_equal(args_next(&list, key, value, sizeof(key)), 1);
	assert_string_equal(key, "socket");
	assert_string_equal(value, "");
	assert_int_equal(args_next(&list, key, value, sizeof(key)), 1);
	assert_string_equal(key, "path");
	assert_string_equal(value, "/a,b=c");
	assert_int_equal(args_next(&list, key, value, sizeof(key)), 1);
	assert_string_equal(value, ",");
	assert_int_equal(args_next(&list, key, value, sizeof(key)), 1);
	assert_string_equal(key, "last");
	assert_int_equal(args_next(&list, key, value, sizeof(key)), 0);
	list = "a=0123456789abcdef";
	assert_int_equal(args_next(&list, key, value, sizeof(key)), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_probe), cmocka_unit_test(without_and_with_vnc), cmocka_unit_test(where_vnc_is), cmocka_unit_test(what_is_for_qemu),
		cmocka_unit_test(what_is_nothing), cmocka_unit_test(lists),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
