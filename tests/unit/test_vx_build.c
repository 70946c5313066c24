// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: */
/* trust-11: kernels that the driver must not be built for. */
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

/* Does the preprocessor say that of vx.h?  It says more, as there are no headers of a kernel. */
static bool refused(const char *flags, const char *text)
{
	char command[256], line[1024];
	bool said = false;
	FILE *f;

	snprintf(command, sizeof(command), "cc -E %s dkms/virtio_xenbus/vx.h 2>&1 >/dev/null", flags);
	f = popen(command, "r");
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		said = said || (strstr(line, "#error") && strstr(line, text));
	pclose(f);
	return said;
}

static void high_memory(void **state)
{
	(void)state;
	assert_true(refused("-DCONFIG_HIGHMEM", "CONFIG_HIGHMEM"));
	assert_false(refused("", "CONFIG_HIGHMEM"));
}

static void probes_that_did_not_work(void **state)
{
	(void)state;
	assert_true(refused("", "probes"));
	assert_false(refused("-DVX_PROBES_WORK", "probes"));
}

/* dkms skips such a kernel, and the kernel is installed. */
static void dkms_knows(void **state)
{
	FILE *f = fopen("dkms/virtio_xenbus/dkms.conf", "r");
	bool said = false;
	char line[512];

	(void)state;
	assert_non_null(f);
	while (fgets(line, sizeof(line), f))
		said = said || (!strncmp(line, "BUILD_EXCLUSIVE_CONFIG=", 23) && strstr(line, "!CONFIG_HIGHMEM"));
	fclose(f);
	assert_true(said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(high_memory),
		cmocka_unit_test(probes_that_did_not_work),
		cmocka_unit_test(dkms_knows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
