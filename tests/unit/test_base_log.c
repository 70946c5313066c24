// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/base/log.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <string.h>

#include "base/log.h"

static char got[2048];
static int got_level;
static const struct log_about *got_about;

static void sink(int level, const struct log_about *about, const char *line)
{
	got_level = level;
	got_about = about;
	strncpy(got, line, sizeof(got) - 1);
}

static int setup(void **state)
{
	(void)state;
	got[0] = '\0';
	got_about = NULL;
	log_open("prog", sink, LOG_INFO);
	return 0;
}

static void names_the_guest(void **state)
{
	struct log_about about = { .guest = "web1", .domid = 4, .stubdom = 5 };

	(void)state;
	log_err(&about, "broken: %d", 7);
	assert_string_equal(got, "guest web1: broken: 7");
	assert_int_equal(got_level, LOG_ERR);
	assert_ptr_equal(got_about, &about);
}

static void names_the_domain_without_a_name(void **state)
{
	struct log_about about = { .guest = NULL, .domid = 4, .stubdom = -1 };

	(void)state;
	log_info(&about, "here");
	assert_string_equal(got, "domain 4: here");
}

static void nothing_known(void **state)
{
	struct log_about about = { .guest = NULL, .domid = -1, .stubdom = -1 };

	(void)state;
	log_info(&about, "here");
	assert_string_equal(got, "here");
	log_info(NULL, "there");
	assert_string_equal(got, "there");
}

static void level_drops(void **state)
{
	(void)state;
	log_debug(NULL, "no");
	assert_string_equal(got, "");
	log_set_level(LOG_DEBUG);
	log_debug(NULL, "yes");
	assert_string_equal(got, "yes");
	log_set_level(LOG_ERR);
	log_warn(NULL, "no");
	assert_string_equal(got, "yes");
}

static void line_is_bounded(void **state)
{
	char big[5000], name[1000];
	struct log_about about = { .guest = name, .domid = 1, .stubdom = 2 };

	(void)state;
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	log_err(&about, "%s", big);
	assert_int_equal(strlen(got), 1023);
	assert_non_null(strstr(got, "nnn: xxx"));
}

static void errno_survives(void **state)
{
	(void)state;
	errno = ENOTDIR;
	log_err(NULL, "x");
	assert_int_equal(errno, ENOTDIR);
}

static void levels_by_name(void **state)
{
	(void)state;
	assert_int_equal(log_level_parse("err"), LOG_ERR);
	assert_int_equal(log_level_parse("warning"), LOG_WARNING);
	assert_int_equal(log_level_parse("notice"), LOG_NOTICE);
	assert_int_equal(log_level_parse("info"), LOG_INFO);
	assert_int_equal(log_level_parse("debug"), LOG_DEBUG);
	assert_int_equal(log_level_parse("0"), 0);
	assert_int_equal(log_level_parse("7"), 7);
	assert_int_equal(log_level_parse("8"), -EINVAL);
	assert_int_equal(log_level_parse("77"), -EINVAL);
	assert_int_equal(log_level_parse(""), -EINVAL);
	assert_int_equal(log_level_parse("Debug"), -EINVAL);
}

static void cleans_text(void **state)
{
	char buf[8];

	(void)state;
	assert_string_equal(log_clean(buf, sizeof(buf), "a\nb\033[", 5), "a?b?[");
	assert_string_equal(log_clean(buf, sizeof(buf), "\xc3\xa4\x7f", 3), "???");
	assert_string_equal(log_clean(buf, sizeof(buf), "0123456789", 10), "0123456");
	assert_string_equal(log_clean(buf, sizeof(buf), "", 0), "");
	assert_string_equal(log_clean(buf, 1, "abc", 3), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(names_the_guest, setup),
		cmocka_unit_test_setup(names_the_domain_without_a_name, setup),
		cmocka_unit_test_setup(nothing_known, setup),
		cmocka_unit_test_setup(level_drops, setup),
		cmocka_unit_test_setup(line_is_bounded, setup),
		cmocka_unit_test_setup(errno_survives, setup),
		cmocka_unit_test_setup(levels_by_name, setup),
		cmocka_unit_test_setup(cleans_text, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
