// SPDX-License-Identifier: GPL-2.0-or-later
#include "spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#include "failure.h"
#include "stubdom.h"

#define FD_MAX_PASSED 16

static int drop_rights(uid_t uid)
{
	gid_t groups[] = { STUBDOM_GID_XEN };

	/* The bounding set first: it needs a capability itself. */
	for (int cap = 0; cap < 64; cap++)
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) && errno != EINVAL)
			return -errno;
	if (setgroups(1, groups) || setresgid(uid, uid, uid) ||
	    setresuid(uid, uid, uid))
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	return 0;
}

static void set_limits(void)
{
	const struct rlimit none = { 0, 0 };
	/* A descriptor each for disks, taps, event channels, sockets. */
	const struct rlimit files = { 1024, 1024 };

	setrlimit(RLIMIT_CORE, &none);
	setrlimit(RLIMIT_NOFILE, &files);
}

/* fds[i] to i + 3, whatever order they come in. */
static int place_fds(const struct child_spec *s, int *status)
{
	int tmp[FD_MAX_PASSED + 2], n = s->n_fds;

	/* First out of the way of every target number, then into place. */
	for (int i = 0; i < n; i++) {
		tmp[i] = s->fds[i];
		if (tmp[i] >= 0 && (tmp[i] = fcntl(tmp[i], F_DUPFD_CLOEXEC, 64)) < 0)
			return -errno;
	}
	tmp[n] = fcntl(s->out, F_DUPFD_CLOEXEC, 64);
	tmp[n + 1] = fcntl(*status, F_DUPFD_CLOEXEC, 64);
	if (tmp[n] < 0 || tmp[n + 1] < 0)
		return -errno;
	close(0);
	if (open("/dev/null", O_RDONLY) != 0 || dup2(tmp[n], 1) < 0 ||
	    dup2(tmp[n], 2) < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		close(i + 3);
		if (tmp[i] >= 0 && dup2(tmp[i], i + 3) < 0)
			return -errno;
	}
	/* The one descriptor that exec closes: it tells the parent. */
	if (dup3(tmp[n + 1], n + 3, O_CLOEXEC) < 0)
		return -errno;
	*status = n + 3;
	if (syscall(SYS_close_range, n + 4, ~0U, 0))
		return -errno;
	return 0;
}

static _Noreturn void run_child(const struct child_spec *s, int status)
{
	static char *env[] = {
		"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/", "TMPDIR=/tmp",
		"LC_ALL=C", NULL,
	};
	sigset_t none;
	int ret;

	setsid();
	ret = place_fds(s, &status);
	if (!ret) {
		umask(077);
		set_limits();
		ret = chdir("/") ? -errno : drop_rights(s->uid);
	}
	if (!ret) {
		signal(SIGPIPE, SIG_DFL);
		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		execve(s->path, s->argv, env);
		ret = -errno;
	}
	if (write(status, &ret, sizeof(ret)) < 0)
		_exit(126);
	_exit(127);
}

pid_t child_start(const struct child_spec *s)
{
	int p[2], err = 0;
	ssize_t n;
	pid_t pid;

	if (s->n_fds > FD_MAX_PASSED)
		return -E2BIG;
	if (pipe2(p, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid < 0) {
		err = -errno;
		close(p[0]);
		close(p[1]);
		return err;
	}
	if (!pid)
		run_child(s, p[1]);
	close(p[1]);
	do {
		n = read(p[0], &err, sizeof(err));
	} while (n < 0 && errno == EINTR);
	close(p[0]);
	/* End of file: exec closed the other end, the program runs. */
	return n == sizeof(err) && err < 0 ? err : pid;
}

const char *child_status(int status, char *buf, unsigned int size)
{
	if (WIFEXITED(status)) {
		snprintf(buf, size, "exit status %d", WEXITSTATUS(status));
	} else if (WIFSIGNALED(status)) {
		int sig = WTERMSIG(status);
		const char *abbr = sigabbrev_np(sig);

		snprintf(buf, size, "killed by signal %d (SIG%s)", sig,
			 abbr ? abbr : "?");
	} else {
		snprintf(buf, size, "status 0x%x", status);
	}
	return buf;
}

/* A socket and @path as its address; or -ENAMETOOLONG, or what socket() said. */
static int unix_socket(const char *path, struct sockaddr_un *sa)
{
	int fd;

	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (strlen(path) >= sizeof(sa->sun_path))
		return -ENAMETOOLONG;
	strcpy(sa->sun_path, path);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return fd < 0 ? -errno : fd;
}

/* @fd, or -errno after closing it when the last call @failed. */
static int unless(bool failed, int fd)
{
	int err = -errno;

	if (!failed)
		return fd;
	close(fd);
	return err;
}

int qmp_listen(const char *path, uid_t uid)
{
	struct sockaddr_un sa;
	int fd = unix_socket(path, &sa);

	if (fd < 0)
		return fd;
	unlink(path);
	return unless(bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ||
		      chown(path, uid, uid) || chmod(path, 0600) || listen(fd, 1),
		      fd);
}

int qmp_connect(const char *path)
{
	struct sockaddr_un sa;
	int fd = unix_socket(path, &sa);

	return fd < 0 ? fd : unless(connect(fd, (struct sockaddr *)&sa, sizeof(sa)), fd);
}
