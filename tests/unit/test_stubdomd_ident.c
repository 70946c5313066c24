// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/xen/stubdomain.c src/lib/xen/domain.c src/stubdom/daemon/events.c src/lib/daemon/watches.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_hv.c */
#include "stubdomd_fixture.h"

#include <errno.h>
#include <stdlib.h>

#include "stubdom/daemon/events.h"
#include "xen/domain.h"
#include "xen/stubdomain.h"

static int look(uint32_t domid)
{
	struct stub_id id;

	return stub_ident(xs_open(0), XBT_NULL, domid, &id);
}

static void linux_stubdomain(void **state)
{
	struct stub_id id;

	(void)state;
	fix_domains(5, 4, "web1");
	assert_int_equal(stub_ident(xs_open(0), XBT_NULL, 5, &id), 0);
	assert_int_equal(id.stub, 5);
	assert_int_equal(id.guest, 4);
}

static void not_one(void **state)
{
	(void)state;
	fix_domains(5, 4, "web1");
	assert_int_equal(look(4), -ENOENT);	/* the guest */
	assert_int_equal(look(0), -ENOENT);
	assert_int_equal(look(9), -ENOENT);
}

static void minios_is_left_alone(void **state)
{
	(void)state;
	fix_domains(5, 4, "web1");
	fake_xs_set("/libxl/4/dm-version", "qemu_xen_traditional");
	assert_int_equal(look(5), -ENODEV);
	fake_xs_rm("/libxl/4/dm-version");
	assert_int_equal(look(5), -ENOENT);
}

static void guest_must_point_back(void **state)
{
	(void)state;
	fix_domains(5, 4, "web1");
	fake_xs_set("/local/domain/4/image/device-model-domid", "6");
	assert_int_equal(look(5), -ENOENT);
	fake_xs_rm("/local/domain/4/image/device-model-domid");
	assert_int_equal(look(5), -ENOENT);
}

static void nonsense_targets(void **state)
{
	static const char *const values[] = { "", "0", "5", "-4", "4x", "32752", "99999999999" };

	(void)state;
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		fix_setup(NULL);
		fix_domains(5, 4, "web1");
		fake_xs_setf("5", "/local/domain/0/image/device-model-domid");
		fake_xs_setf("5", "/local/domain/5/image/device-model-domid");
		fake_xs_set("/libxl/5/dm-version", "qemu_xen");
		fake_xs_set("/libxl/0/dm-version", "qemu_xen");
		fake_xs_set("/local/domain/5/target", values[i]);
		assert_int_equal(look(5), -ENOENT);
	}
}

static void broken_store(void **state)
{
	(void)state;
	fix_domains(5, 4, "web1");
	fake_xs_fail(FAKE_XS_READ, NULL, EIO, -1);
	assert_int_equal(look(5), -EIO);
}

static void names(void **state)
{
	struct xs_handle *xs = xs_open(0);
	char name[DOMAIN_NAME_MAX], big[400];

	(void)state;
	fix_domains(5, 4, "web1");
	domain_name(xs, 4, name, sizeof(name));
	assert_string_equal(name, "web1");
	domain_name(xs, 44, name, sizeof(name));
	assert_string_equal(name, "");
	fake_xs_set("/local/domain/4/name", "a\nb\033[2J");
	domain_name(xs, 4, name, sizeof(name));
	assert_string_equal(name, "a?b?[2J");
	memset(big, 'n', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	fake_xs_set("/local/domain/4/name", big);
	domain_name(xs, 4, name, sizeof(name));
	assert_int_equal(strlen(name), DOMAIN_NAME_MAX - 1);
}

/* ---- events ---- */

static void events_mean(void **state)
{
	struct events ev = { 0 };

	(void)state;
	events_note(&ev, EVENTS_CONSOLES, "console");
	assert_true(ev.scan);
	events_note(&ev, EVENTS_CONSOLES "/5/2/state", "console");
	events_note(&ev, EVENTS_CONSOLES "/5/1", "console");
	events_note(&ev, EVENTS_CONSOLES "/700", "console");
	assert_int_equal(ev.marked.count, 2);
	assert_false(ev.sweep);
	events_note(&ev, "@releaseDomain", "release");
	assert_true(ev.sweep);
	assert_int_equal(domid_set_take(&ev.marked, 0), 5);
	assert_int_equal(domid_set_take(&ev.marked, 5), 700);
	assert_int_equal(domid_set_take(&ev.marked, 700), -1);
	assert_int_equal(ev.marked.count, 0);
}

static void events_of_devices(void **state)
{
	static const char *const others[] = {
		"/libxl", "/libxl/4", "/libxl/4/device/vbd/768", "/libxl/4/dm-version",
		"/libxl/x/device/vif/0", "/libxl/32752/device/vif/0", "/libxlx/4/device/vif/0",
		"/libxl//device/vif", "",
	};
	struct events ev = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		events_note(&ev, others[i], "device");
	assert_int_equal(ev.marked.count, 0);
	assert_false(ev.scan || ev.sweep || ev.born);
	events_note(&ev, "/libxl/4/device/vif/0", "device");
	events_note(&ev, "/libxl/4/device/vif", "device");
	events_note(&ev, "/libxl/9/device/vif/1/backend", "device");
	assert_int_equal(ev.marked.count, 2);
	assert_int_equal(domid_set_take(&ev.marked, 0), 4);
	assert_int_equal(domid_set_take(&ev.marked, 4), 9);
}

static void events_nonsense(void **state)
{
	static const char *const paths[] = {
		EVENTS_CONSOLES "x/5", EVENTS_CONSOLES "/", EVENTS_CONSOLES "//5",
		EVENTS_CONSOLES "/-5/0", EVENTS_CONSOLES "/32752/0",
		EVENTS_CONSOLES "/12345678901/0", EVENTS_CONSOLES "/5x", "/", "",
	};
	struct events ev = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		events_note(&ev, paths[i], "console");
	events_note(&ev, EVENTS_CONSOLES "/5", "other");
	assert_int_equal(ev.marked.count, 0);
	assert_false(ev.scan || ev.sweep);
}

static void events_all_domids(void **state)
{
	struct events ev = { 0 };
	char path[64];
	int n = 0;

	(void)state;
	for (unsigned int d = 0; d < DOMID_LIMIT; d++) {
		snprintf(path, sizeof(path), EVENTS_CONSOLES "/%u/0", d);
		events_note(&ev, path, "console");
		events_note(&ev, path, "console");
	}
	assert_int_equal(ev.marked.count, DOMID_LIMIT);
	for (int d = 0; (d = domid_set_take(&ev.marked, d)) >= 0; n++)
		assert_int_equal(d, n);
	assert_int_equal(n, DOMID_LIMIT);
}

/* A flood is taken in rounds, and folded. */
static void events_flood(void **state)
{
	struct xs_handle *xs = xs_open(0);
	struct events ev = { 0 };
	int rounds = 0;

	(void)state;
	assert_int_equal(events_watch(xs), 0);
	assert_int_equal(events_take(xs, &ev), 0);
	assert_true(ev.scan && ev.sweep);
	for (int i = 0; i < 3 * WATCHES_ROUND; i++)
		fake_xs_set(EVENTS_CONSOLES "/5/1/state", i & 1 ? "1" : "2");
	fake_xs_set(EVENTS_CONSOLES "/6/0/state", "1");
	do {
		assert_int_equal(events_take(xs, &ev), 0);
		assert_true(ev.marked.count <= 2);
		rounds++;
	} while (ev.marked.count < 2);
	assert_int_equal(rounds, 4);
}

static void events_lost_connection(void **state)
{
	struct xs_handle *xs = xs_open(0);
	struct events ev = { 0 };

	(void)state;
	assert_int_equal(events_watch(xs), 0);
	fake_xs_disconnect();
	assert_int_equal(events_take(xs, &ev), -EINVAL);
	assert_int_equal(events_watch(xs), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		FIX_TEST(linux_stubdomain), FIX_TEST(not_one),
		FIX_TEST(minios_is_left_alone), FIX_TEST(guest_must_point_back),
		FIX_TEST(nonsense_targets), FIX_TEST(broken_store), FIX_TEST(names),
		FIX_TEST(events_mean), FIX_TEST(events_of_devices), FIX_TEST(events_nonsense),
		FIX_TEST(events_all_domids), FIX_TEST(events_flood),
		FIX_TEST(events_lost_connection),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
