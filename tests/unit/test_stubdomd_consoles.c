// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/daemon/consoles.c src/lib/xen/domain.c src/lib/xen/stubdomain.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_hv.c */
#include "stubdomd_fixture.h"

#include <errno.h>

#include "stubdom/daemon/consoles.h"

static const struct stub_id id = { .stub = 5, .guest = 4, .name = "web1" };

#define P0 "/local/domain/5/console/state"
#define OUT2 "/local/domain/5/device/console/2/output"
#define BACK(n) "/local/domain/0/backend/console/5/" #n "/state"
#define FRONT(n) "/local/domain/5/device/console/" #n "/state"

static struct xs_handle *start(void)
{
	fix_domains(5, 4, "web1");
	fix_consoles(5);
	return xs_open(0);
}

/* ---- the decision ---- */

static struct consoles as_made(void)
{
	struct consoles c = { .display = STATE_NONE, .keyboard = STATE_NONE };

	for (int n = 0; n < CONSOLES_MAX; n++)
		c.c[n] = (struct console){ .front = STATE_NONE, .back = STATE_NONE };
	for (int n = 0; n < 3; n++)
		c.c[n] = (struct console){ .there = true, .output = n < 2,
					   .front = n ? 1 : STATE_NONE, .back = 1 };
	return c;
}

static void plan_fresh(void **state)
{
	struct consoles c = as_made();
	struct console_plan p;

	(void)state;
	assert_true(consoles_plan(&c, &p));
	assert_true(p.connect_primary);
	assert_true(p.null_restore);
	assert_int_equal(p.close_mask, 0);
}

static void plan_restore_is_left_alone(void **state)
{
	struct consoles c = as_made();
	struct console_plan p;

	(void)state;
	c.c[2].output = true;
	consoles_plan(&c, &p);
	assert_false(p.null_restore);
	assert_int_equal(p.close_mask, 0);
}

static void plan_nothing(void **state)
{
	struct consoles c = as_made();
	struct console_plan p;

	(void)state;
	c.c[0].front = 4;
	c.c[2].output = true;
	assert_false(consoles_plan(&c, &p));
	memset(&c, 0, sizeof(c));
	assert_false(consoles_plan(&c, &p));
}

static void plan_primary_states(void **state)
{
	(void)state;
	for (int s = STATE_NONE; s <= 8; s++) {
		struct consoles c = as_made();
		struct console_plan p;

		c.c[0].front = s;
		consoles_plan(&c, &p);
		assert_int_equal(p.connect_primary, s < 4);
	}
}

/* QEMU 7.2 takes a console without output: InitWait, and nothing is to be fixed. */
static void plan_old_qemu(void **state)
{
	struct consoles c = as_made();
	struct console_plan p;

	(void)state;
	c.c[0].back = 4;	/* in the middle of its first pass */
	c.c[1].back = 2;
	consoles_plan(&c, &p);
	assert_int_equal(p.close_mask, 0);
	assert_true(p.null_restore);
	c.c[2].back = 2;
	consoles_plan(&c, &p);
	assert_false(p.null_restore);
	c.c[1].back = c.c[1].front = 4;
	c.c[2].back = c.c[2].front = 4;
	consoles_plan(&c, &p);
	assert_int_equal(p.close_mask, 0);
}

static void plan_late(void **state)
{
	struct consoles c = as_made();
	struct console_plan p;

	(void)state;
	c.c[0].front = c.c[0].back = 4;
	c.c[1].back = 2;	/* made, kernel not there yet */
	consoles_plan(&c, &p);
	assert_int_equal(p.close_mask, 0);
	c.c[1].back = c.c[1].front = 4;
	assert_true(consoles_plan(&c, &p));
	assert_int_equal(p.close_mask, 1 << 2);
	assert_false(p.null_restore);
	/* Refused in spite of an output: a restore that cannot be, or a serial. */
	c.c[2].output = true;
	c.c[3] = (struct console){ .there = true, .output = true, .front = 3, .back = 1 };
	consoles_plan(&c, &p);
	assert_int_equal(p.close_mask, 1 << 2 | 1 << 3);
	c.c[2].back = 6;
	c.c[3].back = 6;
	assert_false(consoles_plan(&c, &p));
}

/* A display that QEMU passed over; one it serves, or has not come to yet, stays. */
static void plan_display(void **state)
{
	struct consoles c = as_made();
	struct console_plan p;

	(void)state;
	c.c[0].front = 4;
	c.c[2].output = true;
	c.display = 1;
	assert_false(consoles_plan(&c, &p));
	c.c[1].back = c.c[1].front = c.c[2].back = 4;
	assert_true(consoles_plan(&c, &p));
	assert_true(p.close_display);
	assert_int_equal(p.close_mask, 0);
	for (c.display = STATE_NONE; c.display <= 8; c.display++)
		if (c.display != 1)
			assert_false(consoles_plan(&c, &p));
}

/* ---- reading and writing ---- */

static void fixes_a_new_one(void **state)
{
	struct xs_handle *xs = start();
	struct console_plan did;
	unsigned int n, before = fake_xs_nodes();
	const struct xs_permissions *perms;

	(void)state;
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	assert_true(did.null_restore && did.connect_primary && !did.close_mask);
	assert_string_equal(fake_xs_get(OUT2), "null");
	assert_string_equal(fake_xs_get(P0), "4");
	assert_int_equal(fake_xs_nodes(), before + 2);
	/* The stubdomain must not be able to say which file dom0's QEMU opens. */
	perms = fake_xs_perms(OUT2, &n);
	assert_int_equal(n, 2);
	assert_int_equal(perms[0].id, 0);
	assert_int_equal(perms[0].perms, XS_PERM_NONE);
	assert_int_equal(perms[1].id, 5);
	assert_int_equal(perms[1].perms, XS_PERM_READ);
	perms = fake_xs_perms(P0, &n);
	assert_int_equal(perms[0].id, 0);
	assert_int_equal(perms[1].perms, XS_PERM_READ);
}

static void is_idempotent(void **state)
{
	struct xs_handle *xs = start();
	struct console_plan did;
	unsigned int n;

	(void)state;
	consoles_fix(xs, &id, &did);
	n = fake_xs_changes();
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	assert_false(did.null_restore || did.connect_primary || did.close_mask);
	assert_int_equal(fake_xs_changes(), n);
}

static void consoles_come_one_by_one(void **state)
{
	struct xs_handle *xs;
	struct console_plan did;

	(void)state;
	fix_domains(5, 4, "web1");
	xs = xs_open(0);
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	fix_console(5, 0, "file:x");
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	assert_true(did.connect_primary && !did.null_restore);
	fix_console(5, 1, "file:y");
	fix_console(5, 2, NULL);
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	assert_true(did.null_restore && !did.connect_primary);
}

static void restoring(void **state)
{
	struct xs_handle *xs = start();
	struct console_plan did;

	(void)state;
	fake_xs_set(OUT2, "pipe:/var/lib/xen/qemu-resume.4");
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	assert_false(did.null_restore);
	assert_string_equal(fake_xs_get(OUT2), "pipe:/var/lib/xen/qemu-resume.4");
}

static void late_fix(void **state)
{
	struct xs_handle *xs = start();
	struct console_plan did;

	(void)state;
	fake_xs_set(BACK(0), "2");
	fake_xs_set(BACK(1), "4");
	fake_xs_set(FRONT(1), "4");
	fake_xs_set(BACK(3), "4");
	fake_xs_set(FRONT(2), "3");
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	assert_int_equal(did.close_mask, 1 << 2);
	assert_string_equal(fake_xs_get(BACK(2)), "6");
	assert_string_equal(fake_xs_get(BACK(1)), "4");
	assert_string_equal(fake_xs_get(P0), "4");
	assert_null(fake_xs_get(OUT2));
}

static void closes_the_display(void **state)
{
	struct console_plan did;
	struct xs_handle *xs = start();

	(void)state;
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	fake_xs_set("/local/domain/0/backend/console/5/1/state", "4");
	fake_xs_set("/local/domain/0/backend/console/5/2/state", "4");
	fake_xs_set("/local/domain/0/backend/vfb/5/0/state", "1");
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	assert_true(did.close_display);
	assert_string_equal(fake_xs_get("/local/domain/0/backend/vfb/5/0/state"), "6");
}

/* libxl's, which nothing serves; not one of another program, nor another guest's. */
static void closes_the_keyboard(void **state)
{
	static const char kbd[] = "/local/domain/0/backend/vkbd/4/0/state";
	struct console_plan did;
	struct xs_handle *xs = start();

	(void)state;
	assert_int_equal(id.guest, 4);
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	assert_false(did.close_keyboard);
	assert_null(fake_xs_get(kbd));
	fake_xs_set("/local/domain/0/backend/vkbd/7/0/state", "1");
	fake_xs_set("/local/domain/0/backend/vkbd/4/0/backend-type", "linux");
	fake_xs_set(kbd, "1");
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	assert_false(did.close_keyboard);
	xs_rm(xs, XBT_NULL, "/local/domain/0/backend/vkbd/4/0/backend-type");
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	assert_true(did.close_keyboard);
	assert_string_equal(fake_xs_get(kbd), "6");
	assert_string_equal(fake_xs_get("/local/domain/0/backend/vkbd/7/0/state"), "1");
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	assert_false(did.close_keyboard);
	fake_xs_set(kbd, "4");
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	assert_string_equal(fake_xs_get(kbd), "4");
}

static void hostile_states(void **state)
{
	static const char *const values[] = {
		"", "-1", "99", "4294967297", "abc", "3 ", "\x01",
	};
	struct console_plan did;

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		struct xs_handle *xs;

		fix_setup(NULL);
		xs = start();
		fake_xs_set(FRONT(2), values[i]);
		fake_xs_set(FRONT(1), values[i]);
		assert_int_equal(consoles_fix(xs, &id, &did), 0);
		assert_true(did.null_restore);
	}
	fake_xs_set_raw(FRONT(1), "4\0004", 3);
	assert_int_equal(consoles_fix(xs_open(0), &id, &did), 0);
}

/* ---- races ---- */

static int step, at_step;
static fake_xs_hook_fn *deed;

static void at(enum fake_xs_op op, const char *path)
{
	if (++step == at_step)
		deed(op, path);
}

static void guest_goes(enum fake_xs_op op, const char *path)
{
	(void)op;
	(void)path;
	fake_xs_rm("/local/domain/0/backend/console/5");
	fake_xs_rm("/local/domain/5");
	fake_xs_rm("/local/domain/4");
	fake_xs_rm("/libxl/4");
}

/* The number is in use again, for another guest's stubdomain. */
static void number_is_reused(enum fake_xs_op op, const char *path)
{
	guest_goes(op, path);
	fake_xs_set("/local/domain/7/image/device-model-domid", "5");
	fake_xs_set("/libxl/7/dm-version", "qemu_xen");
	fake_xs_set("/local/domain/5/target", "7");
	fix_console(5, 0, "file:z");
}

static void stub_talks(enum fake_xs_op op, const char *path)
{
	(void)op;
	(void)path;
	fake_xs_set(FRONT(1), "3");
}

/* Whatever the moment, nothing is left where a domain was. */
static void never_leaves_strays(void **state)
{
	struct console_plan did;
	int steps = 1000;

	(void)state;
	for (int s = 1; s <= steps; s++) {
		struct xs_handle *xs;
		int ret;

		fix_setup(NULL);
		xs = start();
		step = 0;
		at_step = s;
		deed = guest_goes;
		fake_xs_hook(at);
		ret = consoles_fix(xs, &id, &did);
		fake_xs_hook(NULL);
		if (step < s) {		/* done before its turn came */
			steps = s;
			continue;
		}
		assert_true(ret == 0 || ret == -ENOENT);
		if (fake_xs_get("/local/domain/5") || fake_xs_get("/local/domain/0/backend/console/5"))
			fail_msg("stray nodes after the domain went at step %d", s);
	}
	assert_true(steps > 20);
}

static void never_touches_the_next_owner(void **state)
{
	struct console_plan did;
	int steps = 1000;

	(void)state;
	for (int s = 1; s <= steps; s++) {
		struct xs_handle *xs;

		fix_setup(NULL);
		xs = start();
		step = 0;
		at_step = s;
		deed = number_is_reused;
		fake_xs_hook(at);
		consoles_fix(xs, &id, &did);
		fake_xs_hook(NULL);
		if (step < s) {
			steps = s;
			continue;
		}
		if (fake_xs_get(P0) || fake_xs_get("/local/domain/5/device"))
			fail_msg("wrote to another guest's stubdomain at step %d", s);
	}
}

static void conflict_is_retried(void **state)
{
	struct console_plan did;
	int steps = 1000;

	(void)state;
	for (int s = 1; s <= steps; s++) {
		struct xs_handle *xs;

		fix_setup(NULL);
		xs = start();
		step = 0;
		at_step = s;
		deed = stub_talks;
		fake_xs_hook(at);
		assert_int_equal(consoles_fix(xs, &id, &did), 0);
		fake_xs_hook(NULL);
		if (step < s)
			steps = s;
		assert_true(did.null_restore);
		assert_string_equal(fake_xs_get(OUT2), "null");
	}
}

static void gives_up_after_many_conflicts(void **state)
{
	struct xs_handle *xs = start();
	struct console_plan did;

	(void)state;
	fake_xs_fail(FAKE_XS_END, NULL, EAGAIN, -1);
	assert_int_equal(consoles_fix(xs, &id, &did), -EAGAIN);
	assert_false(did.null_restore);
	assert_null(fake_xs_get(OUT2));
	fake_xs_fail(FAKE_XS_END, NULL, EAGAIN, 5);
	assert_int_equal(consoles_fix(xs, &id, &did), 0);
	assert_string_equal(fake_xs_get(OUT2), "null");
}

static void failures_write_nothing(void **state)
{
	static const enum fake_xs_op ops[] = {
		FAKE_XS_START, FAKE_XS_WRITE, FAKE_XS_PERMS, FAKE_XS_END, FAKE_XS_READ,
	};
	struct console_plan did;

	(void)state;
	for (size_t i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		struct xs_handle *xs;

		fix_setup(NULL);
		xs = start();
		fake_xs_fail(ops[i], NULL, EIO, -1);
		assert_int_equal(consoles_fix(xs, &id, &did), -EIO);
		assert_false(did.null_restore || did.connect_primary);
		assert_int_equal(fake_xs_changes(), 0);
		assert_int_equal(fake_xs_open_transactions(), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIX_TEST(plan_fresh), FIX_TEST(plan_restore_is_left_alone),
		FIX_TEST(plan_nothing), FIX_TEST(plan_primary_states),
		FIX_TEST(plan_old_qemu), FIX_TEST(plan_late),
		FIX_TEST(fixes_a_new_one), FIX_TEST(is_idempotent),
		FIX_TEST(consoles_come_one_by_one), FIX_TEST(restoring),
		FIX_TEST(late_fix), FIX_TEST(plan_display), FIX_TEST(closes_the_display),
		FIX_TEST(closes_the_keyboard), FIX_TEST(hostile_states),
		FIX_TEST(never_leaves_strays), FIX_TEST(never_touches_the_next_owner),
		FIX_TEST(conflict_is_retried), FIX_TEST(gives_up_after_many_conflicts),
		FIX_TEST(failures_write_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
