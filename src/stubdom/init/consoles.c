// SPDX-License-Identifier: GPL-2.0-or-later
/* The stubdomain's consoles 1 and up: guest state out and in, serial ports. */
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"
#include "loop.h"
#include "mounts.h"
#include "state_save.h"
#include "stubdom.h"

/*
 * The node is there from boot, but can only be opened (ENODEV until then)
 * when dom0's QEMU has connected the console.
 */
static int open_console(unsigned int n, int flags, int64_t deadline_ms)
{
	struct timespec ts = { .tv_nsec = 20 * 1000 * 1000 };
	char path[32];
	int fd;

	snprintf(path, sizeof(path), "/dev/hvc%u", n);
	for (;;) {
		fd = open(path, flags | O_NOCTTY | O_CLOEXEC);
		if (fd >= 0)
			return fd;
		if ((errno != ENODEV && errno != ENXIO && errno != EIO) ||
		    uptime_ms() >= deadline_ms)
			return -errno;
		nanosleep(&ts, NULL);
	}
}

/* The line discipline must not touch what is not text. */
static int make_raw(int fd)
{
	struct termios t;

	if (tcgetattr(fd, &t))
		return -errno;
	cfmakeraw(&t);
	return tcsetattr(fd, TCSANOW, &t) ? -errno : 0;
}

int wire_serials(struct xs_handle *xs, const struct args_plan *plan)
{
	char path[32], be[512];

	for (unsigned int i = 1; i < 8; i++) {
		int fd;

		if (!(plan->serials & 1u << i))
			continue;
		fd = open_console(i, O_RDWR | O_NONBLOCK, INIT_WIRE_DEADLINE_MS);
		if (fd < 0) {
			contract_backend(xs, "console", i, be, sizeof(be));
			return init_fail(fd, "serial port %u (console %u of the stubdomain): %s; %s: is xen-stubdomd running in dom0?",
					 i - STUBDOM_CONSOLE_SERIAL + 1, i, strerror(-fd), be);
		}
		close(fd);
		snprintf(path, sizeof(path), "/dev/hvc%u", i);
		if (chown(path, STUBDOM_UID_QEMU, 0) || chmod(path, 0600))
			return init_fail(-errno, "%s: %s", path, strerror(errno));
	}
	return 0;
}

/* A file in memory, once to write for QEMU and once to read for the broker. */
static int open_state_file(struct wire_save *s)
{
	static const char path[] = INIT_RUN_DIR "/state";

	s->file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	/* QEMU looks for a descriptor with exactly its own access mode. */
	s->qemu = open(path, O_WRONLY | O_CLOEXEC);
	if (s->file >= 0 && s->qemu >= 0 && !unlink(path))
		return 0;
	return -errno;
}

/*
 * What QEMU writes its state to when it goes by disk: the broker reads, QEMU writes,
 * and neither can do the other's.
 */
static void make_state_pipe(void)
{
	if (mkfifo(STATE_SAVE_PIPE, 0) ||
	    chown(STATE_SAVE_PIPE, STUBDOM_UID_BROKER, STUBDOM_UID_QEMU) ||
	    chmod(STATE_SAVE_PIPE, 0420))
		say_warn(STATE_SAVE_PIPE ": %s: states go by console", strerror(errno));
}

void wire_save(struct wire_save *s)
{
	int ret;

	make_state_pipe();
	s->file = s->qemu = -1;
	/* No waiting: it is for later, and a host may do without it. */
	s->console = open_console(STUBDOM_CONSOLE_SAVE, O_WRONLY | O_NONBLOCK, 0);
	ret = s->console < 0 ? s->console : make_raw(s->console);
	if (!ret)
		ret = open_state_file(s);
	if (!ret)
		return;
	say_notice("console %d: %s: this guest cannot be saved or migrated",
		   STUBDOM_CONSOLE_SAVE, strerror(-ret));
	if (s->console >= 0)
		close(s->console);
	if (s->file >= 0)
		close(s->file);
	if (s->qemu >= 0)
		close(s->qemu);
	s->console = s->file = s->qemu = -1;
}

/*
 * QEMU reads to the end mark of its stream and closes the pipe; only then
 * does this child see that the console, which has no end, is done.
 */
static _Noreturn void feed(int from, int to)
{
	char buf[4096];
	ssize_t n, w;

	signal(SIGPIPE, SIG_IGN);
	for (;;) {
		n = read(from, buf, sizeof(buf));
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			_exit(n < 0);
		for (ssize_t at = 0; at < n; at += w) {
			w = write(to, buf + at, n - at);
			if (w < 0 && errno == EINTR)
				w = 0;
			else if (w < 0)
				_exit(errno != EPIPE);
		}
	}
}

int wire_restore_fd(struct xs_handle *xs, pid_t *feeder)
{
	int fd, ret, p[2];
	char be[512];

	fd = open_console(STUBDOM_CONSOLE_RESTORE, O_RDONLY, INIT_WIRE_DEADLINE_MS);
	ret = fd < 0 ? fd : make_raw(fd);
	if (ret < 0) {
		contract_backend(xs, "console", STUBDOM_CONSOLE_RESTORE, be, sizeof(be));
		return init_fail(ret, "the saved state (console %d of the stubdomain): %s; %s",
				 STUBDOM_CONSOLE_RESTORE, strerror(-ret), be);
	}
	if (pipe2(p, O_CLOEXEC))
		return init_fail(-errno, "pipe: %s", strerror(errno));
	*feeder = fork();
	if (*feeder < 0)
		return init_fail(-errno, "fork: %s", strerror(errno));
	if (!*feeder) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		close(p[0]);
		feed(fd, p[1]);
	}
	close(fd);
	close(p[1]);
	return p[0];
}
