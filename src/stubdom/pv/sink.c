// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "stubdom.h"

enum sink_kind sink_parse(const char *output, unsigned int console, const char **path)
{
	*path = "";
	/* libxl leaves it out when a guest is not restored: nothing is read then. */
	if (!*output || !strcmp(output, "null") || !strcmp(output, "none"))
		return SINK_NULL;
	if (!strcmp(output, "pty"))
		return SINK_PTY;
	if (!strncmp(output, "file:/", 6)) {
		*path = output + 5;
		return console == STUBDOM_CONSOLE_SAVE ? SINK_STATE : SINK_LOG;
	}
	/* Of a serial port it means a FIFO, or two, and both ways. */
	if (console == STUBDOM_CONSOLE_RESTORE && !strncmp(output, "pipe:/", 6)) {
		*path = output + 5;
		return SINK_SOURCE;
	}
	return SINK_OTHER;
}

static int open_pty(struct sink *s, char *tty, size_t size)
{
	struct termios raw;
	int slave, ret;
	char name[64];

	/* Only Linux's "/dev/pts/N". */
	if (openpty(&s->fd, &slave, name, NULL, NULL))
		return -errno;
	ret = tcgetattr(slave, &raw) ? -errno : 0;
	if (!ret) {
		cfmakeraw(&raw);
		ret = tcsetattr(slave, TCSANOW, &raw) ? -errno : 0;
	}
	close(slave);
	if (!ret && strlen(name) >= size)
		ret = -ENAMETOOLONG;
	if (!ret && (fcntl(s->fd, F_SETFL, O_NONBLOCK) || fcntl(s->fd, F_SETFD, FD_CLOEXEC)))
		ret = -errno;
	if (!ret)
		strcpy(tty, name);
	return ret;
}

static int open_file(struct sink *s, const char *path, int flags, mode_t mode)
{
	struct stat st;

	/* O_NONBLOCK: a FIFO in the file's place must not hang. */
	s->fd = open(path, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, mode);
	if (s->fd < 0 || fstat(s->fd, &st))
		return -errno;
	return S_ISREG(st.st_mode) ? 0 : -EINVAL;
}

int sink_open(struct sink *s, enum sink_kind kind, unsigned int console, const char *path, char *tty, size_t size)
{
	int ret = 0;

	*s = (struct sink){ .kind = kind, .fd = -1 };
	*tty = '\0';
	if (kind == SINK_PTY)
		ret = open_pty(s, tty, size);
	else if (kind == SINK_SOURCE)
		ret = open_file(s, path, O_RDONLY, 0);
	else if (kind == SINK_LOG)
		ret = open_file(s, path, O_RDWR | O_CREAT | O_TRUNC, 0644);
	else if (kind == SINK_STATE)
		ret = open_file(s, path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	s->log.fd = s->fd;
	s->log.max = console == STUBDOM_CONSOLE_LOG ? SINK_LOG_MAX : SINK_SERIAL_MAX;
	if (ret)
		sink_close(s);
	return ret;
}

void sink_close(struct sink *s)
{
	if (s->fd >= 0)
		close(s->fd);
	s->fd = s->log.fd = -1;
}

static ssize_t put_state(struct sink *s, const void *data, size_t n)
{
	struct stat st;
	ssize_t w;

	/* xen-stubdomd makes holes where states were that libxl has got. */
	if (fstat(s->fd, &st))
		return -errno;
	s->full |= (uint64_t)st.st_blocks * 512 + n > SINK_STATE_MAX;
	if (s->full)
		return (ssize_t)n;
	do
		w = write(s->fd, data, n);
	while (w < 0 && errno == EINTR);
	return w < 0 ? -errno : w;
}

static bool somebody_listens(int fd)
{
	struct pollfd p = { .fd = fd };

	return poll(&p, 1, 0) <= 0 || !(p.revents & POLLHUP);
}

static ssize_t put_pty(struct sink *s, const void *data, size_t n, uint64_t now)
{
	ssize_t w = -1;

	if (!somebody_listens(s->fd)) {
		s->stalled = 0;
		return (ssize_t)n;
	}
	w = write(s->fd, data, n);
	if (w > 0) {
		s->stalled = 0;
		return w;
	}
	if (!s->stalled)
		s->stalled = now ? now : 1;
	return now - s->stalled >= SINK_STALL_MS ? (ssize_t)n : 0;
}

ssize_t sink_put(struct sink *s, const void *data, size_t n, uint64_t now)
{
	int ret;

	switch (s->kind) {
	case SINK_LOG:
		ret = logfile_put(&s->log, data, n);
		return ret ? ret : (ssize_t)n;
	case SINK_STATE:
		return put_state(s, data, n);
	case SINK_PTY:
		return put_pty(s, data, n, now);
	default:
		return (ssize_t)n;
	}
}

ssize_t sink_get(struct sink *s, void *data, size_t n)
{
	ssize_t got;

	if ((s->kind != SINK_PTY && s->kind != SINK_SOURCE) || s->ended)
		return 0;
	got = read(s->fd, data, n);
	if (!got && s->kind == SINK_SOURCE)
		s->ended = true;
	/* Of a pty: EIO, nobody is there. */
	return got > 0 ? got : 0;
}
