// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/xen/xs_util.c src/lib/xen/version.c src/lib/xen/xenbus.c tests/unit/fake_xenstore.c src/lib/base/log.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fake_xenstore.h"
#include "xen/version.h"
#include "xen/xenbus.h"
#include "xen/xs_util.h"

static struct xs_handle *xs;

static int setup(void **state)
{
	(void)state;
	fake_xs_reset();
	xs = xs_open(0);
	return 0;
}

static int teardown(void **state)
{
	unsigned int open = fake_xs_open_transactions();

	(void)state;
	fake_xs_reset();
	return open ? -1 : 0;
}

static void reads(void **state)
{
	size_t len;
	char *v;

	(void)state;
	fake_xs_set("/a/7/b", "text");
	assert_int_equal(xsu_read(xs, XBT_NULL, &v, &len, "/a/%u/%s", 7u, "b"), 0);
	assert_string_equal(v, "text");
	assert_int_equal(len, 4);
	free(v);
	assert_int_equal(xsu_read(xs, XBT_NULL, &v, NULL, "/a/8"), -ENOENT);
	/* A directory has an empty value. */
	assert_int_equal(xsu_read(xs, XBT_NULL, &v, &len, "/a"), 0);
	assert_int_equal(len, 0);
	free(v);
}

static void refuses_what_is_no_text(void **state)
{
	char big[XSU_VALUE_MAX + 1], *v;

	(void)state;
	fake_xs_set_raw("/nul", "a\0b", 3);
	assert_int_equal(xsu_read(xs, XBT_NULL, &v, NULL, "/nul"), -EILSEQ);
	fake_xs_set_raw("/nul-at-end", "ab\0", 3);
	assert_int_equal(xsu_read(xs, XBT_NULL, &v, NULL, "/nul-at-end"), -EILSEQ);
	memset(big, 'x', sizeof(big));
	fake_xs_set_raw("/big", big, sizeof(big));
	assert_int_equal(xsu_read(xs, XBT_NULL, &v, NULL, "/big"), -E2BIG);
	fake_xs_set_raw("/just", big, XSU_VALUE_MAX);
	assert_int_equal(xsu_read(xs, XBT_NULL, &v, NULL, "/just"), 0);
	free(v);
}

static void long_path(void **state)
{
	char big[XSU_PATH_MAX + 1], *v;

	(void)state;
	memset(big, 'p', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(xsu_read(xs, XBT_NULL, &v, NULL, "/%s", big), -ENAMETOOLONG);
	assert_int_equal(xsu_write(xs, XBT_NULL, "x", "/%s", big), -ENAMETOOLONG);
	assert_int_equal(xsu_rm(xs, XBT_NULL, "/%s", big), -ENAMETOOLONG);
}

static void parses_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int ret;
		uint64_t value;
	} cases[] = {
		{ "0", 10, 0, 0 }, { "10", 10, 0, 10 }, { "007", 10, 0, 7 },
		{ "11", 10, -EINVAL, 0 }, { "", 10, -EINVAL, 0 },
		{ " 1", 10, -EINVAL, 0 }, { "1 ", 10, -EINVAL, 0 },
		{ "-1", 10, -EINVAL, 0 }, { "+1", 10, -EINVAL, 0 },
		{ "0x1", 10, -EINVAL, 0 }, { "1a", 10, -EINVAL, 0 },
		{ "5", 3, -EINVAL, 0 }, { "3", 3, 0, 3 }, { "0", 0, 0, 0 },
		{ "1", 0, -EINVAL, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -EINVAL, 0 },
		{ "99999999999999999999999", UINT64_MAX, -EINVAL, 0 },
		{ "4294967295", UINT32_MAX, 0, UINT32_MAX },
		{ "4294967296", UINT32_MAX, -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t v = 42;
		int ret = xsu_parse_uint(cases[i].text, cases[i].max, &v);

		if (ret != cases[i].ret || v != (ret ? 42 : cases[i].value))
			fail_msg("'%s' at most %ju: %d, %ju", cases[i].text,
				 (uintmax_t)cases[i].max, ret, (uintmax_t)v);
	}
}

static void reads_numbers(void **state)
{
	uint64_t v;

	(void)state;
	fake_xs_set("/n", "17");
	assert_int_equal(xsu_read_uint(xs, XBT_NULL, &v, 100, "/n"), 0);
	assert_int_equal(v, 17);
	assert_int_equal(xsu_read_uint(xs, XBT_NULL, &v, 16, "/n"), -EINVAL);
	assert_int_equal(xsu_read_uint(xs, XBT_NULL, &v, 16, "/m"), -ENOENT);
}

static void writes_and_removes(void **state)
{
	(void)state;
	assert_int_equal(xsu_write(xs, XBT_NULL, "v", "/x/%d/y", 1), 0);
	assert_string_equal(fake_xs_get("/x/1/y"), "v");
	assert_non_null(fake_xs_get("/x/1"));
	assert_true(xsu_exists(xs, XBT_NULL, "/x/%d", 1));
	assert_int_equal(xsu_rm(xs, XBT_NULL, "/x/%d", 1), 0);
	assert_null(fake_xs_get("/x/1/y"));
	assert_false(xsu_exists(xs, XBT_NULL, "/x/1"));
	/* What is not there needs no removing, with or without a parent. */
	assert_int_equal(xsu_rm(xs, XBT_NULL, "/x/1"), 0);
	assert_int_equal(xsu_rm(xs, XBT_NULL, "/nowhere/at/all"), 0);
}

static void lists_sorted(void **state)
{
	char **names;
	unsigned int n;

	(void)state;
	fake_xs_set("/d/002", "");
	fake_xs_set("/d/010", "");
	fake_xs_set("/d/001/deep", "");
	fake_xs_set("/dd/000", "");
	assert_int_equal(xsu_list(xs, XBT_NULL, &names, &n, "/%s", "d"), 0);
	assert_int_equal(n, 3);
	assert_string_equal(names[0], "001");
	assert_string_equal(names[1], "002");
	assert_string_equal(names[2], "010");
	free(names);
	assert_int_equal(xsu_list(xs, XBT_NULL, &names, &n, "/none"), -ENOENT);
}

static void list_is_bounded(void **state)
{
	char **names;
	unsigned int n;

	(void)state;
	for (int i = 0; i < XSU_LIST_MAX; i++)
		fake_xs_setf("", "/d/%d", i);
	assert_int_equal(xsu_list(xs, XBT_NULL, &names, &n, "/d"), 0);
	free(names);
	fake_xs_set("/d/more", "");
	assert_int_equal(xsu_list(xs, XBT_NULL, &names, &n, "/d"), -E2BIG);
}

static void errors_come_through(void **state)
{
	char **names, *v;
	unsigned int n;

	(void)state;
	fake_xs_set("/a", "1");
	fake_xs_fail(FAKE_XS_ANY, NULL, EACCES, -1);
	assert_int_equal(xsu_read(xs, XBT_NULL, &v, NULL, "/a"), -EACCES);
	assert_int_equal(xsu_write(xs, XBT_NULL, "2", "/a"), -EACCES);
	assert_int_equal(xsu_rm(xs, XBT_NULL, "/a"), -EACCES);
	assert_int_equal(xsu_list(xs, XBT_NULL, &names, &n, "/a"), -EACCES);
	/* libxenstore sometimes says nothing in errno. */
	fake_xs_fail(FAKE_XS_ANY, NULL, 0, -1);
	assert_int_equal(xsu_read(xs, XBT_NULL, &v, NULL, "/a"), -EIO);
	assert_int_equal(xsu_write(xs, XBT_NULL, "2", "/a"), -EIO);
	fake_xs_fail(FAKE_XS_ANY, NULL, 0, 0);
	assert_string_equal(fake_xs_get("/a"), "1");
}

static void transaction_sees_its_own_world(void **state)
{
	xs_transaction_t t;
	char *v;

	(void)state;
	fake_xs_set("/a", "old");
	t = xs_transaction_start(xs);
	assert_int_equal(xsu_write(xs, t, "new", "/a"), 0);
	assert_string_equal(fake_xs_get("/a"), "old");
	assert_int_equal(xsu_read(xs, t, &v, NULL, "/a"), 0);
	assert_string_equal(v, "new");
	free(v);
	assert_true(xs_transaction_end(xs, t, false));
	assert_string_equal(fake_xs_get("/a"), "new");
}

/* The fake must be as strict as xenstored, or the other tests prove nothing. */
static void fake_conflicts(void **state)
{
	xs_transaction_t t;

	(void)state;
	fake_xs_set("/a", "1");
	fake_xs_set("/b", "1");
	t = xs_transaction_start(xs);
	assert_true(xsu_exists(xs, t, "/a"));
	fake_xs_set("/b", "2");
	assert_true(xs_transaction_end(xs, t, false));

	t = xs_transaction_start(xs);
	assert_true(xsu_exists(xs, t, "/a"));
	assert_int_equal(xsu_write(xs, t, "x", "/c"), 0);
	fake_xs_rm("/a");
	assert_false(xs_transaction_end(xs, t, false));
	assert_int_equal(errno, EAGAIN);
	assert_null(fake_xs_get("/c"));

	t = xs_transaction_start(xs);
	assert_false(xsu_exists(xs, t, "/new"));
	fake_xs_set("/new", "x");
	assert_false(xs_transaction_end(xs, t, false));
	assert_int_equal(errno, EAGAIN);
}

struct deed {
	unsigned int calls, losses;
	int ret;
};

/* Others write what it reads, @losses times. */
static int write_it(struct xs_handle *h, xs_transaction_t t, void *arg)
{
	struct deed *d = arg;

	d->calls++;
	xsu_exists(h, t, "/t");
	assert_int_equal(xsu_write(h, t, "mine", "/t"), 0);
	if (d->losses) {
		d->losses--;
		fake_xs_set("/t", "theirs");
	}
	return d->ret;
}

static void transacts(void **state)
{
	struct deed d = { .ret = 1, .losses = 3 };

	(void)state;
	assert_int_equal(xsu_transact(xs, write_it, &d), 1);
	assert_int_equal(d.calls, 4);
	assert_string_equal(fake_xs_get("/t"), "mine");
	/* nothing to do, or a failure: not committed, not tried again */
	fake_xs_set("/t", "x");
	for (d.ret = 0; d.ret > -2; d.ret--) {
		d.calls = 0;
		assert_int_equal(xsu_transact(xs, write_it, &d), d.ret);
		assert_int_equal(d.calls, 1);
		assert_string_equal(fake_xs_get("/t"), "x");
	}
	d = (struct deed){ .ret = 1, .losses = ~0u };
	assert_int_equal(xsu_transact(xs, write_it, &d), -EAGAIN);
	assert_true(d.calls > 4 && d.calls < 100);
}

static void put(const char *dir, const char *name, const char *text)
{
	char path[96];
	FILE *f;

	snprintf(path, sizeof(path), "%s/hypervisor/version/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void versions(void **state)
{
	static const char *const dirs[] = { "/hypervisor", "/hypervisor/version" };
	char dir[] = "/tmp/xen-version-XXXXXX", path[96];
	unsigned int major, minor;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(xen_version(dir, &major, &minor), -ENOENT);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s%s", dir, dirs[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	put(dir, "major", "4\n");
	assert_int_equal(xen_version(dir, &major, &minor), -ENOENT);
	put(dir, "minor", "x\n");
	assert_int_equal(xen_version(dir, &major, &minor), -EINVAL);
	put(dir, "minor", "20\n");
	assert_int_equal(xen_version(dir, &major, &minor), 0);
	assert_int_equal(major, 4);
	assert_int_equal(minor, 20);
	for (int i = 0; i < 2; i++) {
		snprintf(path, sizeof(path), "%s/hypervisor/version/%s", dir, i ? "major" : "minor");
		unlink(path);
	}
	for (int i = 1; i >= 0; i--) {
		snprintf(path, sizeof(path), "%s%s", dir, dirs[i]);
		rmdir(path);
	}
	rmdir(dir);
}

static void states(void **state)
{
	(void)state;
	assert_string_equal(xenbus_state_name(XenbusStateUnknown), "-");
	assert_string_equal(xenbus_state_name(XenbusStateConnected), "connected");
	assert_string_equal(xenbus_state_name(XenbusStateReconfigured), "reconfigured");
	assert_string_equal(xenbus_state_name((enum xenbus_state)9), "-");
	assert_string_equal(xenbus_state_name((enum xenbus_state)-1), "-");
}

static void fake_watches(void **state)
{
	char **v;

	(void)state;
	assert_true(xs_watch(xs, "/w", "tok"));
	v = xs_check_watch(xs);
	assert_string_equal(v[XS_WATCH_PATH], "/w");
	free(v);
	fake_xs_set("/w/a/b", "1");
	fake_xs_set("/ww", "1");
	v = xs_check_watch(xs);
	assert_string_equal(v[XS_WATCH_PATH], "/w/a/b");
	assert_string_equal(v[XS_WATCH_TOKEN], "tok");
	free(v);
	assert_null(xs_check_watch(xs));
	assert_int_equal(errno, EAGAIN);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(reads), T(refuses_what_is_no_text), T(long_path),
		T(parses_numbers), T(reads_numbers), T(writes_and_removes),
		T(lists_sorted), T(list_is_bounded), T(errors_come_through),
		T(transaction_sees_its_own_world), T(fake_conflicts), T(fake_watches),
		T(transacts), T(versions), T(states),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
