// SPDX-License-Identifier: GPL-2.0-or-later
#include "probing.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* How long one call of probing_ask() takes at most; a test has its own. */
#ifndef PROBING_CALL_MS
#define PROBING_CALL_MS 250
#endif

struct answer {
	int ret;
	struct vd_found found;
	char error[VD_ERROR_MAX];
};

/*
 * The process that looks.  It keeps nothing of its parent open, and ends by itself; one that
 * a disk holds cannot be ended by anybody, and is in nobody's way.
 */
static void look(int fd, const struct vd_spec *s, bool access)
{
	struct answer a;
	sigset_t none;

	memset(&a, 0, sizeof(a));
	sigemptyset(&none);
	signal(SIGALRM, SIG_DFL);
	sigprocmask(SIG_SETMASK, &none, NULL);
	alarm(2 * PROBING_MS / 1000);
	if (dup2(fd, 0) < 0)
		_exit(EXIT_FAILURE);
	for (fd = close_range(1, ~0u, 0) ? sysconf(_SC_OPEN_MAX) : 0; fd > 0; fd--)
		close(fd);
	a.ret = vd_probe(s, access, &a.found, a.error);
	_exit(write(0, &a, sizeof(a)) == sizeof(a) ? EXIT_SUCCESS : EXIT_FAILURE);
}

/* It is nobody's child: nobody has to wait for its end. */
static int begin(struct probing *p, const struct vd_spec *s, bool access, uint64_t now)
{
	int fds[2], ret = 0;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (!pid) {
		pid = fork();
		if (!pid)
			look(fds[1], s, access);
		_exit(pid < 0 ? EXIT_FAILURE : EXIT_SUCCESS);
	}
	if (pid < 0)
		ret = -errno;
	close(fds[1]);
	while (!ret && waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
	if (ret)
		close(fds[0]);
	else
		*p = (struct probing){ .asked = true, .fd = fds[0], .since = now, .spec = *s };
	return ret;
}

void probing_end(struct probing *p)
{
	if (p->asked)
		close(p->fd);
	p->asked = false;
}

/* The answer, if it comes within @ms: 0, or -EINPROGRESS; -EIO: there will be none. */
static int answered(struct probing *p, int ms, struct answer *a)
{
	struct pollfd f = { .fd = p->fd, .events = POLLIN };
	int n;

	do
		n = poll(&f, 1, ms);
	while (n < 0 && errno == EINTR);
	if (!n)
		return -EINPROGRESS;
	n = read(p->fd, a, sizeof(*a)) == sizeof(*a) ? 0 : -EIO;
	probing_end(p);
	return n;
}

/* What has its answer, or has had its time, is no longer asked for. */
static bool is_free(struct probing *p, uint64_t now)
{
	struct answer a;

	if (p->asked && answered(p, 0, &a) == -EINPROGRESS && now >= p->since + PROBING_MS)
		probing_end(p);
	return !p->asked;
}

static int no_answer(const struct vd_spec *s, int err, char *error)
{
	if (err == -ETIMEDOUT)
		snprintf(error, VD_ERROR_MAX, "%.120s: no answer within %d seconds: see to its file system or server, then detach and attach it",
			 s->path, PROBING_MS / 1000);
	else
		snprintf(error, VD_ERROR_MAX, "%.120s: cannot be looked at: %s", s->path, strerror(-err));
	return err;
}

int probing_ask(struct probing *p, const struct vd_spec *s, bool access, uint64_t now,
		struct vd_found *found, char *error)
{
	struct answer a = { .ret = 0 };
	int ret = 0;

	if (!s->path[0])
		return vd_probe(s, access, found, error);
	if (!p->asked || memcmp(&p->spec, s, sizeof(*s))) {
		if (!is_free(p, now))
			return -EINPROGRESS;
		ret = begin(p, s, access, now);
	}
	if (!ret)
		ret = answered(p, PROBING_CALL_MS, &a);
	if (ret == -EINPROGRESS && now >= p->since + PROBING_MS) {
		probing_end(p);
		ret = -ETIMEDOUT;
	}
	if (ret == -EINPROGRESS)
		return ret;
	*found = a.found;
	if (ret)
		return no_answer(s, ret, error);
	memcpy(error, a.error, sizeof(a.error));
	return a.ret;
}
