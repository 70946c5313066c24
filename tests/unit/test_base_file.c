// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/base/file.c */
/* Whole buffers, whatever write() takes at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

/* More than a pipe holds: the reader gets all of it, in order. */
static void in_pieces(void **state)
{
	static unsigned char all[1 << 20], got[sizeof(all)];
	size_t n = 0;
	int fd[2], status;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < sizeof(all); i++)
		all[i] = (unsigned char)(i * 7 + (i >> 8));
	assert_int_equal(pipe(fd), 0);
	pid = fork();
	if (!pid) {
		close(fd[0]);
		_exit(write_all(fd[1], all, sizeof(all)) != 0);
	}
	close(fd[1]);
	for (ssize_t r; n < sizeof(got) && (r = read(fd[0], got + n, sizeof(got) - n)) > 0; n += (size_t)r)
		;
	close(fd[0]);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	assert_int_equal(n, sizeof(all));
	assert_memory_equal(got, all, sizeof(all));
}

static void errors(void **state)
{
	int fd[2];

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(pipe(fd), 0);
	close(fd[0]);
	assert_int_equal(write_all(fd[1], "x", 1), -EPIPE);
	assert_int_equal(write_all(fd[1], "", 0), 0);
	close(fd[1]);
	assert_int_equal(write_all(-1, "x", 1), -EBADF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(in_pieces), cmocka_unit_test(errors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
