// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/contract.c src/stubdom/init/text.c src/lib/xen/domain.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>

#include "fake_xenstore.h"
#include "stubdom/init/contract.h"
#include "stubdom/init/failure.h"

struct log_about init_about = { .domid = -1 };

static char said[512];

int init_fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	return err;
}

#define VM "/vm/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define ARGV VM "/image/dm-argv"

static struct contract c;

/* What libxl 4.20 leaves for stubdomain 8 of guest 7. */
static int setup(void **state)
{
	(void)state;
	fake_xs_reset();
	fake_xs_set("domid", "8");
	fake_xs_set("target", "7");
	fake_xs_set("/local/domain/7/vm", VM);
	fake_xs_set("/local/domain/7/name", "web 1");
	fake_xs_set(ARGV "/003", "web 1");
	fake_xs_set(ARGV "/001", "-xen-domid");
	fake_xs_set(ARGV "/002", "7");
	said[0] = '\0';
	init_about.guest = NULL;
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	contract_free(&c);
	return 0;
}

static int read_it(void)
{
	struct xs_handle *xs = xs_open(0);
	int ret = contract_read(xs, &c);

	xs_close(xs);
	return ret;
}

static void a_guest(void **state)
{
	(void)state;
	assert_int_equal(read_it(), 0);
	assert_int_equal(c.self, 8);
	assert_int_equal(c.guest, 7);
	assert_string_equal(c.guest_name, "web 1");
	assert_string_equal(init_about.guest, "web 1");
	assert_int_equal(c.argc, 3);
	assert_string_equal(c.argv[0], "-xen-domid");
	assert_string_equal(c.argv[1], "7");
	assert_string_equal(c.argv[2], "web 1");
	assert_false(c.has_pci);
}

static void name_from_the_arguments(void **state)
{
	(void)state;
	fake_xs_rm("/local/domain/7/name");
	fake_xs_set(ARGV "/004", "-name");
	fake_xs_set(ARGV "/005", "from\nargv");
	assert_int_equal(read_it(), 0);
	assert_string_equal(c.guest_name, "from?argv");
}

static void every_byte_counts(void **state)
{
	(void)state;
	fake_xs_set(ARGV "/004", " a  b\t'\"$x\\\n");
	fake_xs_set(ARGV "/005", "");
	assert_int_equal(read_it(), 0);
	assert_string_equal(c.argv[3], " a  b\t'\"$x\\\n");
	assert_string_equal(c.argv[4], "");
}

/* One error that names the node, whatever is wrong with the names. */
static void odd_names(void **state)
{
	static const char *const odd[] = { "000", "005", "04", "0004", "x", "4" };

	for (unsigned int i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		setup(state);
		fake_xs_setf("v", ARGV "/%s", odd[i]);
		assert_int_equal(read_it(), -EINVAL);
		assert_non_null(strstr(said, ARGV "/"));
		assert_non_null(strstr(said, odd[i]));
		/* it is still known which guest this is about */
		assert_string_equal(c.guest_name, "web 1");
		teardown(state);
	}
}

static void no_arguments(void **state)
{
	(void)state;
	fake_xs_rm(ARGV);
	assert_int_equal(read_it(), -ENOENT);
	assert_non_null(strstr(said, "device_model_version"));
}

static void nul_in_an_argument(void **state)
{
	(void)state;
	fake_xs_set_raw(ARGV "/004", "a\0b", 3);
	assert_int_equal(read_it(), -EILSEQ);
	assert_non_null(strstr(said, "/004"));
	assert_non_null(strstr(said, "NUL"));
}

static void too_many_bytes(void **state)
{
	static char big[4096];

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	for (int i = 4; i < 100; i++)
		fake_xs_setf(big, ARGV "/%03d", i);
	assert_int_equal(read_it(), -E2BIG);
	assert_non_null(strstr(said, "262144"));
}

static void not_a_stubdomain(void **state)
{
	(void)state;
	fake_xs_rm("target");
	assert_int_equal(read_it(), -ENOENT);
	assert_non_null(strstr(said, "target"));
}

static void odd_numbers(void **state)
{
	static const char *const odd[] = { "", "-1", "7x", "99999", "4294967296" };

	for (unsigned int i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		setup(state);
		fake_xs_set("target", odd[i]);
		assert_int_equal(read_it(), -EINVAL);
		teardown(state);
	}
}

static void odd_vm(void **state)
{
	static const char *const odd[] = {
		"/vm/../local/domain/0", "/local/domain/0", "", "/vm/a b", "/vm/%n",
	};

	for (unsigned int i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		setup(state);
		fake_xs_set("/local/domain/7/vm", odd[i]);
		assert_int_equal(read_it(), -EINVAL);
		teardown(state);
	}
}

static void pci_is_seen(void **state)
{
	(void)state;
	fake_xs_set("device/pci/0", "");
	fake_xs_set("device/pci/0/backend", "/local/domain/0/backend/pci/8/0");
	assert_int_equal(read_it(), 0);
	assert_true(c.has_pci);
}

static void devices(void **state)
{
	struct xs_handle *xs = xs_open(0);
	unsigned int *ids, n;

	(void)state;
	assert_int_equal(contract_devices(xs, "vbd", &ids, &n), 0);
	assert_int_equal(n, 0);
	free(ids);
	fake_xs_set("device/vbd/768/state", "4");
	fake_xs_set("device/vbd/51712/state", "4");
	fake_xs_set("device/vbd/junk/state", "4");
	assert_int_equal(contract_devices(xs, "vbd", &ids, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(ids[0] + ids[1], 768 + 51712);
	free(ids);
	xs_close(xs);
}

#define BE "/local/domain/0/backend/vbd/8/768"

static void backend_states(void **state)
{
	struct xs_handle *xs = xs_open(0);
	char text[256];

	(void)state;
	contract_backend(xs, "vbd", 768, text, sizeof(text));
	assert_string_equal(text, "xenstore has no device/vbd/768/backend");
	fake_xs_set("device/vbd/768/backend", BE);
	contract_backend(xs, "vbd", 768, text, sizeof(text));
	assert_string_equal(text, "backend " BE " is gone");
	fake_xs_set(BE "/state", "2");
	contract_backend(xs, "vbd", 768, text, sizeof(text));
	assert_string_equal(text, "backend " BE " is in state 2 (InitWait)");
	fake_xs_set(BE "/hotplug-error", "losetup\n failed");
	contract_backend(xs, "vbd", 768, text, sizeof(text));
	assert_string_equal(text, "backend " BE " is in state 2 (InitWait): losetup? failed");
	contract_backend(xs, "vbd", 768, text, 20);
	assert_int_equal(strlen(text), 19);
	xs_close(xs);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_guest), T(name_from_the_arguments), T(every_byte_counts),
		T(odd_names), T(no_arguments), T(nul_in_an_argument),
		T(too_many_bytes), T(not_a_stubdomain), T(odd_numbers), T(odd_vm),
		T(pci_is_seen), T(devices), T(backend_states),
	};

	log_set_level(LOG_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
