// SPDX-License-Identifier: GPL-2.0-or-later
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"

static void child(const char *const *argv, int out)
{
	int nil = open("/dev/null", O_RDWR);

	if (nil < 0 || dup2(nil, STDIN_FILENO) < 0 || dup2(nil, STDERR_FILENO) < 0 ||
	    dup2(out < 0 ? nil : out, STDOUT_FILENO) < 0)
		_exit(126);
	/* What is parsed must not be translated. */
	setenv("LC_ALL", "C", 1);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static int read_all(int fd, size_t max, char **out)
{
	size_t n = 0;
	char *buf = xcalloc(1, max + 1);
	ssize_t got;

	while (n < max && (got = read(fd, buf + n, max - n))) {
		if (got < 0 && errno != EINTR) {
			int ret = -errno;

			free(buf);
			return ret;
		}
		n += got > 0 ? (size_t)got : 0;
	}
	if (n == max) {
		free(buf);
		return -EFBIG;
	}
	*out = buf;
	return 0;
}

int command_run(const char *const *argv, size_t max, char **out)
{
	int p[2] = { -1, -1 }, ret = 0, status;
	pid_t pid;

	if (out)
		*out = NULL;
	if (out && pipe2(p, O_CLOEXEC))
		return -errno;
	fflush(NULL);
	pid = fork();
	if (!pid)
		child(argv, p[1]);
	if (pid < 0)
		ret = -errno;
	if (out) {
		close(p[1]);
		if (!ret)
			ret = read_all(p[0], max, out);
		/* Closed before it has ended: it gets SIGPIPE. */
		close(p[0]);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	if (!ret && !WIFEXITED(status))
		ret = -ECHILD;
	if (!ret)
		ret = WEXITSTATUS(status) == 127 ? -ENOENT : WEXITSTATUS(status);
	if (ret < 0 && out) {
		free(*out);
		*out = NULL;
	}
	return ret;
}
