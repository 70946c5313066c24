// SPDX-License-Identifier: GPL-2.0-or-later
#include "helper.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/confine.h"
#include "state_disk.h"

#define FD_SOCKET 3
#define FD_FILE 4

/* A descriptor, not a number, says whom we mean. */
void helper_reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* Descriptors 3 and 4 and those of the standard are all that it gets. */
static int spawn(pid_t *pid, char **argv, int sock, int file)
{
	posix_spawn_file_actions_t acts;
	static char *const env[] = { NULL };
	posix_spawnattr_t attr;
	sigset_t none;
	int ret;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&acts);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	ret = posix_spawn_file_actions_adddup2(&acts, sock, FD_SOCKET);
	if (!ret)
		ret = posix_spawn_file_actions_adddup2(&acts, file, FD_FILE);
	if (!ret)
		ret = posix_spawn(pid, argv[0], &acts, &attr, argv, env);
	posix_spawn_file_actions_destroy(&acts);
	posix_spawnattr_destroy(&attr);
	return -ret;
}

static int run(struct helper *h, char **argv, int sock, int file)
{
	/* Above those that they are to become, so that neither overwrites the other. */
	int s = fcntl(sock, F_DUPFD_CLOEXEC, FD_FILE + 1), f = fcntl(file, F_DUPFD_CLOEXEC, FD_FILE + 1);
	pid_t pid;
	int ret = s < 0 || f < 0 ? -errno : spawn(&pid, argv, s, f);

	if (s >= 0)
		close(s);
	if (f >= 0)
		close(f);
	if (ret)
		return ret;
	/* Nobody but helper_reap() can have waited for it: the number is still its own. */
	h->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (h->pidfd >= 0)
		return 0;
	ret = -errno;
	kill(pid, SIGKILL);
	return ret;
}

/* It does @what: the process's first argument. */
static int start(struct helper *h, const char *what, uint32_t stub, uint64_t sectors, int file)
{
	char number[4][24], *argv[] = {
		(char *)STUBDOM_STATE_HELPER, (char *)what, number[0], number[1], number[2], number[3], NULL,
	};
	int ret, fds[2];
	uid_t uid;
	gid_t gid;

	ret = confine_user(STUBDOM_STATE_USER, &uid, &gid);
	if (ret)
		return ret;
	snprintf(number[0], sizeof(number[0]), "%u", stub);
	snprintf(number[1], sizeof(number[1]), "%llu", (unsigned long long)sectors);
	snprintf(number[2], sizeof(number[2]), "%u", uid);
	snprintf(number[3], sizeof(number[3]), "%u", gid);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	ret = run(h, argv, fds[1], file);
	close(fds[1]);
	if (ret)
		close(fds[0]);
	else
		h->sock = fds[0];
	return ret;
}

int helper_start(struct helper *h, bool restore, uint32_t stub, uint64_t sectors, int file)
{
	return start(h, restore ? "restore" : "save", stub, sectors, file);
}

int helper_refuse(struct helper *h, uint32_t stub, uint32_t ref, uint32_t port)
{
	int ret, file = open("/dev/null", O_RDWR | O_CLOEXEC);
	char line[48];

	if (file < 0)
		return -errno;
	ret = start(h, "refuse", stub, STATE_DISK_SECTORS(1), file);
	close(file);
	snprintf(line, sizeof(line), "ring %u %u", ref, port);
	return ret ? ret : helper_say(h, line);
}

void helper_end(struct helper *h)
{
	if (h->sock >= 0)
		close(h->sock);
	if (h->pidfd >= 0) {
		if (syscall(SYS_pidfd_send_signal, h->pidfd, SIGKILL, NULL, 0) && errno != ESRCH)
			log_err(NULL, "xen-state-disk cannot be killed: %s", strerror(errno));
		close(h->pidfd);
	}
	h->sock = h->pidfd = -1;
}

int helper_say(const struct helper *h, const char *line)
{
	return send(h->sock, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int helper_hear(const struct helper *h, char line[HELPER_LINE_MAX + 1])
{
	char raw[HELPER_LINE_MAX];
	ssize_t n = recv(h->sock, raw, sizeof(raw), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? -EAGAIN : 0;
	log_clean(line, HELPER_LINE_MAX + 1, raw, (size_t)n);
	return (int)n;
}
