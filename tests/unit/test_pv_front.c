// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/pv/front.c src/stubdom/pv/plan.c src/stubdom/pv/sink.c src/stubdom/pv/logfile.c src/lib/xen/xs_util.c src/lib/xen/stubdomain.c src/lib/xen/domain.c src/lib/base/log.c tests/unit/fake_xenstore.c */
/* What is to be served, and the states of both ends. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "fake_xenstore.h"
#include "stubdom/pv/front.h"

#define STUB 7

static struct xs_handle *xs;
static struct plan p;
static struct front f;
static struct link_msg told[8];
static unsigned int n_told;
static const struct log_about about = { .guest = "web", .domid = 4 };

static void tell(void *arg, const struct link_msg *m)
{
	(void)arg;
	assert_true(n_told < 8);
	told[n_told++] = *m;
}

static void console(unsigned int n, const char *output)
{
	const char *dir = n ? "device/console/" : "console";
	char num[12] = "";

	if (n)
		snprintf(num, sizeof(num), "%u", n);
	fake_xs_setf("ioemu", "/local/domain/7/%s%s/type", dir, num);
	fake_xs_setf("", "/local/domain/7/%s%s/tty", dir, num);
	if (output)
		fake_xs_setf(output, "/local/domain/7/%s%s/output", dir, num);
	if (n)
		fake_xs_setf("1", "/local/domain/7/%s%s/state", dir, num);
	fake_xs_setf("1", "/local/domain/0/backend/console/7/%u/state", n);
	fake_xs_setf("7", "/local/domain/0/backend/console/7/%u/frontend-id", n);
}

/* As libxl leaves it before it starts dom0's QEMU. */
static int setup(void **state)
{
	(void)state;
	fake_xs_reset();
	xs = xs_open(0);
	fake_xs_set("/local/domain/7/target", "4");
	fake_xs_set("/local/domain/4/name", "web");
	fake_xs_set("/local/domain/4/image/device-model-domid", "7");
	fake_xs_set("/libxl/4/dm-version", "qemu_xen");
	console(0, "file:/var/log/xen/qemu-dm-web.log");
	fake_xs_set("/local/domain/7/console/port", "2");
	fake_xs_set("/local/domain/7/console/ring-ref", "1234567");
	console(1, "file:/var/lib/xen/qemu-save.4");
	console(2, NULL);
	console(3, "pty");
	n_told = 0;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	assert_int_equal(fake_xs_open_transactions(), 0);
	xs_close(xs);
	return 0;
}

static void begin_with(bool display)
{
	const char *tty[CONSOLES_MAX] = { "", "", "", "/dev/pts/5", "", "", "", "", "", "" };

	assert_int_equal(plan_read(xs, STUB, &p), 0);
	assert_string_equal(p.qemu, "");
	f = (struct front){ .xs = xs, .stub = STUB, .about = &about, .tell = tell };
	assert_int_equal(front_init(&f, &p, tty, display), 0);
}

static void begin(void)
{
	begin_with(false);
}

static const char *back(unsigned int n)
{
	char path[64];

	snprintf(path, sizeof(path), "/local/domain/0/backend/console/7/%u/state", n);
	return fake_xs_get(path);
}

static void what_there_is(void **state)
{
	static const enum sink_kind kinds[CONSOLES_MAX] = { SINK_LOG, SINK_STATE, SINK_NULL, SINK_PTY };

	(void)state;
	begin();
	assert_int_equal(p.id.guest, 4);
	assert_string_equal(p.id.name, "web");
	assert_int_equal(p.port, 2);
	for (int n = 0; n < CONSOLES_MAX; n++)
		assert_int_equal(p.console[n].kind, kinds[n]);
	assert_string_equal(p.console[1].path, "/var/lib/xen/qemu-save.4");
	assert_false(p.display);
	for (unsigned int n = 0; n < 4; n++)
		assert_string_equal(back(n), "2");
	assert_string_equal(fake_xs_get("/local/domain/7/device/console/3/tty"), "/dev/pts/5");
}

static void a_guest_that_is_restored(void **state)
{
	(void)state;
	console(2, "pipe:/var/lib/xen/qemu-resume.4");
	begin();
	assert_int_equal(p.console[2].kind, SINK_SOURCE);
}

static void xenconsoled_has_one(void **state)
{
	(void)state;
	fake_xs_set("/local/domain/7/console/type", "xenconsoled");
	begin();
	assert_int_equal(p.console[0].kind, SINK_NONE);
	assert_string_equal(back(0), "1");
}

static void what_only_qemu_can(void **state)
{
	(void)state;
	fake_xs_set("/local/domain/0/backend/qdisk/7/51712/params", "qcow2:/img/a.qcow2");
	assert_int_equal(plan_read(xs, STUB, &p), 0);
	assert_string_equal(p.qemu, "disk 51712 is one that only QEMU serves (qcow2:/img/a.qcow2)");
	/* A drive without a medium is none. */
	fake_xs_set("/local/domain/0/backend/qdisk/7/51712/params", "aio:");
	assert_int_equal(plan_read(xs, STUB, &p), 0);
	assert_string_equal(p.qemu, "");
	console(4, "tcp:127.0.0.1:4000\n,server");
	assert_int_equal(plan_read(xs, STUB, &p), 0);
	assert_string_equal(p.qemu, "console 4 goes to 'tcp:127.0.0.1:4000?,server'");
	fake_xs_rm("/local/domain/7/target");
	assert_int_equal(plan_read(xs, STUB, &p), 0);
	assert_string_equal(p.qemu, "domain 7 is no Linux stubdomain");
	assert_false(plan_qdisk_counts("") || plan_qdisk_counts("aio:") || plan_qdisk_counts("x"));
	assert_true(plan_qdisk_counts("vhd:/x"));
}

static void the_primary(void **state)
{
	const struct link_msg yes = { .what = LINK_CONNECTED, .n = 0 };

	(void)state;
	begin();
	assert_int_equal(front_answer(&f, &yes), -EPROTO);
	front_primary(&f, &p);
	assert_int_equal(n_told, 1);
	assert_int_equal(told[0].what, LINK_CONNECT);
	assert_int_equal(told[0].a, 0);
	assert_int_equal(told[0].b, 2);
	assert_int_equal(front_answer(&f, &yes), 0);
	assert_string_equal(back(0), "4");
	assert_int_equal(front_answer(&f, &yes), -EPROTO);
}

static void front_end_state(unsigned int n, const char *state)
{
	fake_xs_setf(state, "/local/domain/7/device/console/%u/state", n);
	assert_int_equal(front_look(&f), 0);
}

static void a_console_comes_and_goes(void **state)
{
	const struct link_msg yes = { .what = LINK_CONNECTED, .n = 3 }, no = { .what = LINK_REFUSED, .n = 3 };

	(void)state;
	begin();
	front_end_state(3, "3");	/* its nodes are missing yet */
	assert_int_equal(n_told, 0);
	fake_xs_set("/local/domain/7/device/console/3/ring-ref", "junk");
	fake_xs_set("/local/domain/7/device/console/3/port", "9");
	assert_int_equal(front_look(&f), 0);
	assert_int_equal(n_told, 0);
	fake_xs_set("/local/domain/7/device/console/3/ring-ref", "8");
	assert_int_equal(front_look(&f), 0);
	assert_int_equal(n_told, 1);
	assert_int_equal(told[0].n, 3);
	assert_int_equal(told[0].a, 8);
	assert_int_equal(told[0].b, 9);
	assert_int_equal(front_look(&f), 0);	/* the answer is waited for */
	assert_int_equal(n_told, 1);
	assert_int_equal(front_answer(&f, &yes), 0);
	assert_string_equal(back(3), "4");
	front_end_state(3, "4");
	assert_int_equal(n_told, 1);
	front_end_state(3, "5");
	assert_int_equal(n_told, 2);
	assert_int_equal(told[1].what, LINK_DISCONNECT);
	assert_string_equal(back(3), "6");
	front_end_state(3, "1");
	assert_string_equal(back(3), "2");
	front_end_state(3, "3");
	assert_int_equal(n_told, 3);
	/* Malformed: for good. */
	assert_int_equal(front_answer(&f, &no), 0);
	assert_string_equal(back(3), "6");
	front_end_state(3, "1");
	front_end_state(3, "3");
	assert_int_equal(n_told, 3);
	assert_string_equal(back(3), "6");
}

static void display(void)
{
	fake_xs_set("/local/domain/0/backend/vfb/7/0/state", "1");
	fake_xs_set("/local/domain/0/backend/vfb/7/0/frontend-id", "7");
	fake_xs_set("/local/domain/0/backend/vkbd/7/0/state", "1");
	fake_xs_set("/local/domain/0/backend/vkbd/7/0/frontend-id", "7");
}

static void a_display_that_nobody_serves(void **state)
{
	(void)state;
	display();
	begin();
	assert_true(p.display);
	assert_string_equal(fake_xs_get("/local/domain/0/backend/vfb/7/0/state"), "6");
	assert_string_equal(fake_xs_get("/local/domain/0/backend/vkbd/7/0/state"), "6");
}

static void a_display(void **state)
{
	const struct link_msg yes = { .what = LINK_CONNECTED, .n = LINK_VFB };

	(void)state;
	display();
	begin_with(true);
	assert_string_equal(fake_xs_get("/local/domain/0/backend/vfb/7/0/feature-resize"), "1");
	assert_string_equal(fake_xs_get("/local/domain/0/backend/vkbd/7/0/feature-abs-pointer"), "1");
	assert_string_equal(fake_xs_get("/local/domain/0/backend/vkbd/7/0/state"), "2");
	fake_xs_set("/local/domain/7/device/vfb/0/page-ref", "5000000000");
	fake_xs_set("/local/domain/7/device/vfb/0/event-channel", "11");
	fake_xs_set("/local/domain/7/device/vfb/0/state", "3");
	fake_xs_set("/local/domain/7/device/vkbd/0/page-gref", "12");
	fake_xs_set("/local/domain/7/device/vkbd/0/event-channel", "13");
	fake_xs_set("/local/domain/7/device/vkbd/0/request-abs-pointer", "1");
	fake_xs_set("/local/domain/7/device/vkbd/0/state", "4");
	assert_int_equal(front_look(&f), 0);
	assert_int_equal(n_told, 2);
	assert_int_equal(told[0].n, LINK_VFB);
	assert_true(told[0].a == UINT64_C(5000000000));
	assert_int_equal(told[0].b, 11);
	assert_int_equal(told[1].n, LINK_VKBD);
	assert_int_equal(told[1].a, 12);
	assert_int_equal(told[1].c, 1);
	assert_int_equal(front_answer(&f, &yes), 0);
	assert_string_equal(fake_xs_get("/local/domain/0/backend/vfb/7/0/state"), "4");
	assert_int_equal(front_close_display(&f), 0);
	assert_string_equal(fake_xs_get("/local/domain/0/backend/vfb/7/0/state"), "6");
	assert_int_equal(front_look(&f), 0);
	assert_int_equal(n_told, 2);
}

static void a_password_is_not_for_the_stubdomain(void **state)
{
	static const char *const paths[] = {
		"/local/domain/0/backend/vfb/7/0/vncpasswd", "/local/domain/7/console/vnc-pass", "/vm/1234/vncpasswd",
	};
	const struct xs_permissions *perms;
	unsigned int n;

	(void)state;
	display();
	fake_xs_set(paths[0], "geheim");
	fake_xs_set("/local/domain/7/vm", "/vm/1234");
	fake_xs_set(paths[2], "geheim");
	fake_xs_own(paths[2], 0, 7, XS_PERM_READ);
	fake_xs_own("/local/domain/0/backend/vfb/7/0/vncpasswd", 0, 7, XS_PERM_READ);
	fake_xs_own("/local/domain/7/console", 0, 7, XS_PERM_READ);
	begin_with(true);
	assert_int_equal(front_hide_password(&f), 0);
	for (int i = 0; i < 3; i++) {
		perms = fake_xs_perms(paths[i], &n);
		assert_int_equal(n, 1);
		assert_int_equal(perms[0].id, 0);
		assert_int_equal(perms[0].perms, XS_PERM_NONE);
	}
	assert_string_equal(fake_xs_get(paths[0]), "geheim");
}

static void nodes_that_are_gone_stay_gone(void **state)
{
	unsigned int nodes;

	(void)state;
	begin();
	fake_xs_rm("/local/domain/0/backend/console/7");
	fake_xs_rm("/local/domain/7");
	nodes = fake_xs_nodes();
	assert_int_equal(front_look(&f), 0);
	front_end(&f);
	assert_int_equal(fake_xs_nodes(), nodes);
}

static void the_end(void **state)
{
	(void)state;
	begin();
	front_end(&f);
	for (unsigned int n = 0; n < 4; n++)
		assert_string_equal(back(n), "6");
}

static void every_state(void **state)
{
	struct front_dev c = { .there = true };

	(void)state;
	for (int b = 1; b <= 6; b++)
		for (int s = 0; s <= 8; s++) {
			enum front_do what;

			c.back = (enum xenbus_state)b;
			what = front_decide(&c, (enum xenbus_state)s);
			assert_true(what != FRONT_CONNECT || (b == 2 && (s == 3 || s == 4)));
			assert_true(what != FRONT_CLOSE || (b == 4 && (s == 0 || s > 4)));
			assert_true(what != FRONT_WAIT || (b == 6 && (s == 1 || s == 2)));
		}
	c.refused = true;
	c.back = XenbusStateInitWait;
	assert_int_equal(front_decide(&c, XenbusStateInitialised), FRONT_NOTHING);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(what_there_is), TEST(a_guest_that_is_restored), TEST(xenconsoled_has_one), TEST(what_only_qemu_can),
		TEST(the_primary), TEST(a_console_comes_and_goes), TEST(a_display_that_nobody_serves), TEST(a_display), TEST(a_password_is_not_for_the_stubdomain), TEST(nodes_that_are_gone_stay_gone), TEST(the_end),
		TEST(every_state),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
