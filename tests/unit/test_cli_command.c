// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/cli/command.c src/lib/cli/options.c src/lib/cli/host.c src/lib/base/file.c src/lib/base/log.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/command.h"
#include "cli/host.h"
#include "cli/options.h"

static char logged[512], printed[4096];
static bool flag;
static const char *value;
static int n_words;

static void sink(int level, const struct log_about *about, const char *line)
{
	(void)level;
	(void)about;
	snprintf(logged, sizeof(logged), "%s", line);
}

/* PROGRAM run [--flag] [--value V] WORD [WORD] */
static int cmd_run(int argc, char **argv)
{
	const struct opt options[] = {
		{ "flag", 'f', &flag, NULL }, { "value", 'V', NULL, &value },
		{ NULL, 0, NULL, NULL }
	};
	const struct opts o = { "usage: prog run\n", options, 1, 2, false };
	char **words;
	int ret = opts_parse(&o, argc, argv, &words);

	for (n_words = 0; !ret && words[n_words]; n_words++)
		;
	return ret < 0 ? EXIT_SUCCESS : ret;
}

static const struct command commands[] = {
	{ "run", cmd_run, "do it" }, { NULL, NULL, NULL }
};

/* The exit code; what is printed to @fd goes to printed. */
static int run(bool root, int fd, const char *line)
{
	const struct program p = { "prog", commands, root };
	static char copy[256];
	char *argv[16], path[] = "/tmp/test-command-XXXXXX", *save = NULL, *text;
	int argc = 0, ret, file = mkstemp(path), old = dup(fd);

	flag = false;
	value = NULL;
	n_words = -1;
	*logged = '\0';
	snprintf(copy, sizeof(copy), "%s", line);
	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		argv[argc++] = w;
	argv[argc] = NULL;
	fflush(NULL);
	dup2(file, fd);
	ret = program_run(&p, argc, argv);
	fflush(NULL);
	dup2(old, fd);
	close(old);
	close(file);
	assert_int_equal(host_slurp(path, sizeof(printed) - 1, &text, NULL), 0);
	strcpy(printed, text);
	free(text);
	unlink(path);
	return ret;
}

static int setup(void **state)
{
	(void)state;
	log_open("prog", sink, LOG_INFO);
	return 0;
}

static void commands_run(void **state)
{
	(void)state;
	assert_int_equal(run(false, 1, "prog run a"), 0);
	assert_int_equal(n_words, 1);
	assert_false(flag);
	assert_null(value);
	/* options may stand behind words, in either form; the last value counts */
	assert_int_equal(run(false, 1, "prog --verbose run a -f --value 1 b -V2"), 0);
	assert_int_equal(n_words, 2);
	assert_true(flag);
	assert_string_equal(value, "2");
	/* what a command's are is not the program's */
	assert_int_equal(run(false, 1, "prog run -- -f"), 0);
	assert_int_equal(n_words, 1);
	assert_false(flag);
}

static void help_and_version(void **state)
{
	(void)state;
	assert_int_equal(run(false, 1, "prog --help"), 0);
	assert_string_equal(printed,
		"usage: prog [--verbose|--quiet] COMMAND [ARGUMENT]...\n\n"
		"  run         do it\n\n"
		"'prog COMMAND --help' has more; see prog(8).\n");
	assert_int_equal(run(true, 1, "prog -h run"), 0);
	assert_non_null(strstr(printed, "[--root DIR] COMMAND"));
	assert_int_equal(run(false, 1, "prog --version"), 0);
	assert_string_equal(printed, "prog " XE_VERSION "\n");
	assert_int_equal(run(false, 1, "prog run --version"), 0);
	assert_string_equal(printed, "prog " XE_VERSION "\n");
	assert_int_equal(run(false, 1, "prog run a b c --help"), 0);
	assert_string_equal(printed, "usage: prog run\n");
}

static void wrong_usage(void **state)
{
	(void)state;
	assert_int_equal(run(false, 2, "prog"), EXIT_USAGE);
	assert_int_equal(strncmp(printed, "usage: prog ", 12), 0);
	assert_int_equal(run(false, 2, "prog walk"), EXIT_USAGE);
	assert_string_equal(logged, "'walk' is not a command: see 'prog --help'");
	assert_int_equal(run(false, 2, "prog --nothing run a"), EXIT_USAGE);
	assert_int_equal(run(false, 2, "prog run a --nothing"), EXIT_USAGE);
	assert_int_equal(run(false, 2, "prog run a --value"), EXIT_USAGE);
	assert_int_equal(run(false, 2, "prog run"), EXIT_USAGE);
	assert_string_equal(printed, "usage: prog run\n");
	assert_int_equal(run(false, 2, "prog run a b c"), EXIT_USAGE);
	assert_int_equal(n_words, 0);
}

static void root(void **state)
{
	(void)state;
	assert_int_equal(run(false, 2, "prog --root /tmp run a"), EXIT_USAGE);
	assert_int_equal(run(true, 2, "prog --root tmp run a"), EXIT_USAGE);
	assert_string_equal(logged, "--root tmp: not an absolute path");
	assert_int_equal(run(true, 2, "prog --root /tmp/ run a"), 0);
	assert_string_equal(host_root(), "/tmp");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(commands_run), T(help_and_version), T(wrong_usage), T(root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
