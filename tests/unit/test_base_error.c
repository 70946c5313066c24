// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/base/error.c src/lib/base/log.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/log.h"

static char got[256];

static void sink(int level, const struct log_about *about, const char *line)
{
	size_t n = strlen(got);

	(void)about;
	snprintf(got + n, sizeof(got) - n, "%d %s\n", level, line);
}

static void errors_in_a_row(void **state)
{
	struct error *e = NULL;

	(void)state;
	log_open("prog", sink, LOG_INFO);
	assert_int_equal(error_add(&e, -ENOENT, "run 'make it'", "%s is missing", "a"), -ENOENT);
	assert_int_equal(error_add(&e, -EIO, NULL, "b is broken"), -EIO);
	assert_int_equal(e->code, -ENOENT);
	assert_string_equal(e->text, "a is missing");
	assert_string_equal(e->fix, "run 'make it'");
	assert_int_equal(e->next->code, -EIO);
	assert_null(e->next->fix);
	assert_null(e->next->next);
	error_log(LOG_WARNING, e);
	assert_string_equal(got, "4 a is missing: run 'make it'\n4 b is broken\n");
	error_free(&e);
	assert_null(e);
	error_free(&e);
}

static void not_wanted(void **state)
{
	(void)state;
	got[0] = '\0';
	assert_int_equal(error_add(NULL, -EPERM, "x", "y"), -EPERM);
	error_log(LOG_ERR, NULL);
	assert_string_equal(got, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(errors_in_a_row), cmocka_unit_test(not_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
