// SPDX-License-Identifier: GPL-2.0-or-later
#include "state_restore.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"
#include "loop.h"
#include "state/words.h"
#include "state_dev.h"
#include "state_fit.h"
#include "state_io.h"
#include "wire.h"
#include "xen/xs_util.h"

#define LOOK_MS 5

/* A look at something every LOOK_MS, for @ms at most, and not beyond libxl's patience. */
static bool wait_more(int64_t since, int64_t ms)
{
	struct timespec ts = { .tv_nsec = LOOK_MS * 1000 * 1000 };

	if (uptime_ms() - since >= ms || uptime_ms() >= INIT_WIRE_DEADLINE_MS)
		return false;
	nanosleep(&ts, NULL);
	return true;
}

static void say_restored(struct xs_handle *xs, const char *word)
{
	int ret = xsu_write(xs, XBT_NULL, word, STATE_DISK_RESTORED);

	if (ret)
		say_info("xenstore " STATE_DISK_RESTORED " cannot be written: %s", strerror(-ret));
}

/* The console has the same bytes. */
static int by_console(struct xs_handle *xs, const char *why)
{
	say_warn("the saved state's disk: %s: the state is taken from the console", why);
	say_restored(xs, "no");
	return -ENODATA;
}

static int refuse(struct xs_handle *xs, const char *why)
{
	say_restored(xs, "no");
	return init_fail(-EBADMSG, "the saved state is refused: %s", why);
}

/* dom0's word.  -ENODATA: it has none.  A malformed one is as good as none. */
static int read_word(struct xs_handle *xs, char **text, struct state_restore *word)
{
	if (xsu_read(xs, XBT_NULL, text, NULL, STATE_DISK_RESTORE))
		return -ENODATA;
	if (!state_restore_parse(*text, word))
		return 0;
	free(*text);
	return -ENODATA;
}

/* Where the state is: the number of its disk, or as state_restore_fd(). */
static int find(struct xs_handle *xs, uint32_t *devid)
{
	int64_t since = uptime_ms();
	struct state_restore word;
	char *text;
	int ret;

	for (;;) {
		ret = read_word(xs, &text, &word);
		if (ret)
			return ret;
		if (word.kind != STATE_RESTORE_WAIT)
			break;
		free(text);
		if (!wait_more(since, STATE_DISK_PREPARE_MS))
			return by_console(xs, "xen-stubdomd in dom0 does not say where it is");
	}
	*devid = word.devid;
	if (word.kind == STATE_RESTORE_REFUSED)
		ret = refuse(xs, word.reason);
	else if (word.kind == STATE_RESTORE_CONSOLE)
		ret = by_console(xs, "dom0 has none");
	free(text);
	return ret;
}

static int open_disk(uint32_t devid, uint64_t *size)
{
	int64_t since = uptime_ms();
	int fd;

	do {
		fd = state_dev_open(devid, O_RDONLY, size);
	} while (fd == -EAGAIN && wait_more(since, STATE_DISK_APPEAR_MS));
	if (fd >= 0 && *size <= STATE_DISK_BLOCK) {
		close(fd);
		return -ENOSPC;
	}
	return fd == -EAGAIN ? -ENODEV : fd;
}

/* The reader's verdict; _BROKEN also when it does not come in time. */
static void wait_verdict(int ctl, struct state_io_msg *m)
{
	struct pollfd p = { .fd = ctl, .events = POLLIN };
	int64_t left;

	do {
		left = INIT_WIRE_DEADLINE_MS - uptime_ms();
		if (left > STATE_DISK_STALL_MS)
			left = STATE_DISK_STALL_MS;
		if (left < 0 || poll(&p, 1, left) < 1 || recv(ctl, m, sizeof(*m), 0) != sizeof(*m)) {
			m->what = STATE_IO_BROKEN;
			strcpy(m->why, "it cannot be read in time");
			return;
		}
	} while (m->what == STATE_IO_MOVED);
	m->why[sizeof(m->why) - 1] = '\0';
}

/* The state is verified, or not: go on, or as state_restore_fd(). */
static int judge(struct xs_handle *xs, int ctl, struct state_io_msg *m, const char *qemu,
		 const char *machine)
{
	char why[320];

	if (m->what == STATE_IO_BAD)
		return refuse(xs, m->why);
	if (m->what != STATE_IO_VERIFIED)
		return by_console(xs, m->why);
	if (state_fit(&m->info, qemu, machine, why, sizeof(why)))
		return refuse(xs, why);
	if (send(ctl, "g", 1, MSG_NOSIGNAL) != 1)
		return by_console(xs, "its reader ended");
	say_info("the saved state is verified: %llu bytes, QEMU %s, machine %s",
		 (unsigned long long)m->info.length, m->info.qemu[0] ? m->info.qemu : "?",
		 m->info.machine[0] ? m->info.machine : "?");
	return 0;
}

/* Takes @disk. */
static int start_reader(struct xs_handle *xs, int disk, uint64_t size, const char *qemu,
			const char *machine, pid_t *feeder)
{
	struct state_io io = { .disk = disk, .limit = size - STATE_DISK_BLOCK };
	struct state_io_msg m;
	int p[2], ctl, ret;

	if (pipe2(p, O_CLOEXEC)) {
		close(disk);
		return by_console(xs, strerror(errno));
	}
	io.stream = p[1];
	*feeder = state_io_start(state_io_restore, &io, &ctl);
	if (*feeder < 0) {
		ret = by_console(xs, strerror(-*feeder));
		*feeder = 0;
		close(p[0]);
		return ret;
	}
	wait_verdict(ctl, &m);
	ret = judge(xs, ctl, &m, qemu, machine);
	close(ctl);
	if (!ret)
		return p[0];
	kill(*feeder, SIGKILL);
	*feeder = 0;
	close(p[0]);
	return ret;
}

int state_restore_fd(struct xs_handle *xs, const char *qemu, const char *machine, pid_t *feeder)
{
	uint64_t size = 0;
	uint32_t devid = 0;
	int fd, ret = find(xs, &devid);

	if (ret)
		return ret;
	fd = open_disk(devid, &size);
	if (fd < 0)
		return by_console(xs, strerror(-fd));
	return start_reader(xs, fd, size, qemu, machine, feeder);
}

void state_restore_ended(struct xs_handle *xs, int status)
{
	say_restored(xs, status ? "no" : "ok");
	if (WIFEXITED(status) && WEXITSTATUS(status) == STATE_IO_EXIT_CHANGED)
		init_fail(-EBADMSG, "the saved state is refused: its disk had another content when it was read again");
	else if (status)
		init_fail(-EIO, "the saved state could not be read again from its disk");
}
