// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/daemon/confine.c src/lib/base/log.c */
/* test-pkgs: libseccomp */
/* What a confined process can do, and what not: with the calls of xen-state-disk.  Needs root, as it does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon/confine.h"

#define NOBODY 65534u

/* In a child: it ends with the number of what was not as it should be. */
typedef int child_fn(int sock, int file);

static int in_child(child_fn *fn)
{
	int status, fds[2], file = memfd_create("file", MFD_ALLOW_SEALING);
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	pid = fork();
	if (!pid) {
		const int calls[] = { SCMP_SYS(pread64) }, sealing[] = { F_ADD_SEALS };
		const struct confine_limit limits[] = { { RLIMIT_FSIZE, 4096 } };
		const struct confine c = {
			.uid = NOBODY, .gid = NOBODY, .calls = calls, .n_calls = 1,
			.ioctls = "GE", .fcntls = sealing, .n_fcntls = 1,
			.limits = limits, .n_limits = 1,
		};
		const char *what = "";
		int ret = confine(&c, &what);

		if (ret)
			fprintf(stderr, "%s: %d\n", what, ret);
		_exit(ret ? 99 : fn(fds[1], file));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	close(fds[0]);
	close(fds[1]);
	close(file);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int what_it_needs(int sock, int file)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	char buf[16];

	if (send(sock, "x", 1, MSG_NOSIGNAL) != 1)
		return 1;
	if (recv(sock, buf, 1, MSG_DONTWAIT) != -1 || errno != EAGAIN)
		return 2;
	if (poll(&p, 1, 0))
		return 3;
	if (write(file, "abc", 3) != 3 || pread(file, buf, 3, 0) != 3)
		return 4;
	if (mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		return 5;
	if (fcntl(file, F_ADD_SEALS, F_SEAL_SHRINK))
		return 6;
	/* Those of gntdev and evtchn come as far as to a file that has none. */
	if (!ioctl(file, _IO('G', 0), buf) || errno != ENOTTY || !ioctl(file, _IO('E', 0), buf) || errno != ENOTTY)
		return 7;
	free(malloc(1 << 20));
	return 0;
}

static int what_it_may_not(int sock, int file)
{
	int on = 1, parent = getppid();

	(void)file;
	if (open("/etc/passwd", O_RDONLY) >= 0 || errno != EPERM)
		return 1;
	if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EPERM)
		return 2;
	if (fork() >= 0)
		return 3;
	if (!kill(getppid(), 0))
		return 4;
	if (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED)
		return 5;
	if (syscall(SYS_execve, "/bin/true", NULL, NULL) >= 0 || errno != EPERM)
		return 6;
	if (!setresuid(0, 0, 0))
		return 7;
	/* to have a signal sent */
	if (!fcntl(sock, F_SETOWN, parent) || errno != EPERM || !ioctl(sock, FIOSETOWN, &parent) || errno != EPERM ||
	    !ioctl(sock, FIOASYNC, &on) || errno != EPERM)
		return 8;
	return 0;
}

static int a_file_that_grows(int sock, int file)
{
	char page[4096] = "";

	(void)sock;
	if (write(file, page, sizeof(page)) != sizeof(page))
		return 1;
	return write(file, page, 1) == 1 ? 2 : 3;	/* SIGXFSZ comes first */
}

static void confined(void **state)
{
	(void)state;
	if (getuid())
		skip();
	assert_int_equal(in_child(what_it_needs), 0);
	assert_int_equal(in_child(what_it_may_not), 0);
	assert_int_equal(in_child(a_file_that_grows), 1000 + SIGXFSZ);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(confined) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
