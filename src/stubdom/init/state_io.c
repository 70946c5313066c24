// SPDX-License-Identifier: GPL-2.0-or-later
#include "state_io.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/sha256_sum.h"

#define BLOCK STATE_DISK_BLOCK

/* O_DIRECT wants whole sectors, and a page's alignment is enough for each disk. */
static _Alignas(4096) uint8_t block[BLOCK];

static int tell(const struct state_io *io, struct state_io_msg *m)
{
	return send(io->ctl, m, sizeof(*m), MSG_NOSIGNAL) == sizeof(*m) ? 0 : -EPIPE;
}

static int tell_what(const struct state_io *io, int what)
{
	struct state_io_msg m = { .what = what };

	return tell(io, &m);
}

static int broken(const struct state_io *io, const char *what, int err)
{
	struct state_io_msg m = { .what = STATE_IO_BROKEN };

	snprintf(m.why, sizeof(m.why), "%s%s%s", what, err ? ": " : "", err ? strerrordesc_np(-err) : "");
	tell(io, &m);
	return 1;
}

static int wait_go(const struct state_io *io)
{
	ssize_t n;
	char c;

	do {
		n = recv(io->ctl, &c, 1, 0);
	} while (n < 0 && errno == EINTR);
	return n == 1 ? 0 : -EPIPE;
}

/* All of @len bytes, or negative errno. */
static int disk_write(int fd, const void *buf, size_t len, uint64_t at)
{
	for (size_t n = 0; n < len;) {
		ssize_t w = pwrite(fd, (const uint8_t *)buf + n, len - n, at + n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w ? -errno : -EIO;
		n += w;
	}
	return 0;
}

static int disk_read(int fd, void *buf, size_t len, uint64_t at)
{
	for (size_t n = 0; n < len;) {
		ssize_t r = pread(fd, (uint8_t *)buf + n, len - n, at + n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r ? -errno : -EIO;
		n += r;
	}
	return 0;
}

/*
 * Fill the block from QEMU's pipe: its length, less than BLOCK when the pipe has ended.
 * A pipe that nobody has opened yet is at its end, too, but poll() waits for it.
 */
static ssize_t fill(const struct state_io *io)
{
	struct pollfd p[] = { { .fd = io->stream, .events = POLLIN }, { .fd = io->ctl, .events = POLLIN } };
	size_t len = 0;

	while (len < BLOCK) {
		ssize_t n;

		if (poll(p, 2, -1) < 0 && errno != EINTR)
			return -errno;
		/* Nothing is said to us now: it is the end. */
		if (p[1].revents)
			return -EPIPE;
		if (!p[0].revents)
			continue;
		n = read(io->stream, block + len, BLOCK - len);
		if (!n)
			break;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		len += n > 0 ? n : 0;
	}
	return len;
}

/* One block to its place, with zeros up to a whole sector. */
static int put_block(const struct state_io *io, size_t len, uint64_t at)
{
	size_t whole = (len + STATE_DISK_SECTOR - 1) / STATE_DISK_SECTOR * STATE_DISK_SECTOR;

	memset(block + len, 0, whole - len);
	return disk_write(io->disk, block, whole, STATE_DISK_BLOCK + at);
}

/* QEMU's stream to the disk.  0 and what the header needs; or an exit code after broken(). */
static int take_stream(const struct state_io *io, struct state_info *info)
{
	struct sha256_sum sum;
	ssize_t len;
	int ret;

	sha256_sum_init(&sum);
	do {
		len = fill(io);
		if (len < 0)
			return broken(io, "QEMU's pipe", len);
		if (!len)
			break;
		if (!info->length && memcmp(block, STATE_DISK_QEVM, strlen(STATE_DISK_QEVM)))
			return broken(io, "QEMU wrote no device state", 0);
		if (info->length + len > io->limit)
			return broken(io, "it is longer than dom0 allows (xen-stubdomd --state-limit)", 0);
		sha256_sum_add(&sum, block, len);
		ret = tell_what(io, STATE_IO_TOOK);
		if (!ret)
			ret = put_block(io, len, info->length);
		if (ret)
			return broken(io, "its disk", ret);
		info->length += len;
		tell_what(io, STATE_IO_MOVED);
	} while (len == BLOCK);
	sha256_sum_end(&sum, info->sha256);
	return info->length ? 0 : broken(io, "QEMU wrote nothing", 0);
}

/* Header last: until it is there, nothing is. */
static int seal(const struct state_io *io, const struct state_info *info)
{
	struct state_disk_header h;
	int ret;

	if (fdatasync(io->disk))
		return -errno;
	state_header_make(info, &h);
	memset(block, 0, STATE_DISK_SECTOR);
	memcpy(block, &h, sizeof(h));
	ret = disk_write(io->disk, block, STATE_DISK_SECTOR, 0);
	if (!ret && fdatasync(io->disk))
		ret = -errno;
	/* dom0 removes the device when it hears of it: close it first. */
	close(io->disk);
	return ret;
}

int state_io_save(const struct state_io *io)
{
	struct state_io_msg m = { .what = STATE_IO_END };
	int ret = take_stream(io, &m.info);

	if (ret)
		return ret;
	snprintf(m.info.qemu, sizeof(m.info.qemu), "%s", io->qemu);
	snprintf(m.info.machine, sizeof(m.info.machine), "%s", io->machine);
	if (tell(io, &m) || wait_go(io))
		return 1;
	ret = seal(io, &m.info);
	if (ret)
		return broken(io, "its disk", ret);
	return tell_what(io, STATE_IO_SEALED) ? 1 : 0;
}

/* One block of the state, @len bytes of it. */
static int get_block(const struct state_io *io, size_t len, uint64_t at)
{
	size_t whole = (len + STATE_DISK_SECTOR - 1) / STATE_DISK_SECTOR * STATE_DISK_SECTOR;

	return disk_read(io->disk, block, whole, STATE_DISK_BLOCK + at);
}

static size_t part(const struct state_info *info, uint64_t at)
{
	return info->length - at < BLOCK ? info->length - at : BLOCK;
}

/* STATE_IO_VERIFIED, _BAD or _BROKEN.  Nothing of it is kept. */
static void verify(const struct state_io *io, struct state_io_msg *m)
{
	struct sha256_sum sum;
	uint8_t got[SHA256_LEN];
	struct state_disk_header h;
	int ret = disk_read(io->disk, block, STATE_DISK_SECTOR, 0);

	sha256_sum_init(&sum);
	memcpy(&h, block, sizeof(h));
	m->what = STATE_IO_BAD;
	if (!ret && state_header_check(&h, io->limit, &m->info, m->why))
		return;
	for (uint64_t at = 0; !ret && at < m->info.length; at += BLOCK) {
		ret = get_block(io, part(&m->info, at), at);
		if (!ret && !at && memcmp(block, STATE_DISK_QEVM, strlen(STATE_DISK_QEVM))) {
			snprintf(m->why, sizeof(m->why), "this is no device state of QEMU");
			return;
		}
		sha256_sum_add(&sum, block, part(&m->info, at));
		tell_what(io, STATE_IO_MOVED);
	}
	if (ret) {
		m->what = STATE_IO_BROKEN;
		snprintf(m->why, sizeof(m->why), "%s", strerrordesc_np(-ret));
		return;
	}
	sha256_sum_end(&sum, got);
	m->what = memcmp(got, m->info.sha256, sizeof(got)) ? STATE_IO_BAD : STATE_IO_VERIFIED;
	if (m->what == STATE_IO_BAD)
		snprintf(m->why, sizeof(m->why), "the state is damaged: its SHA-256 is not that of its header");
}

static int feed(int fd, size_t len)
{
	for (size_t n = 0; n < len;) {
		ssize_t w = write(fd, block + n, len - n);

		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return -errno;
		n += w;
	}
	return 0;
}

/*
 * Again, now for QEMU.  It does not get the last block before all of them were seen to
 * be what was verified: with a stream that was cut off it ends.
 */
static int feed_all(const struct state_io *io, const struct state_info *info)
{
	uint8_t got[SHA256_LEN];
	struct sha256_sum sum;
	int ret;

	sha256_sum_init(&sum);
	for (uint64_t at = 0; at < info->length; at += BLOCK) {
		size_t len = part(info, at);

		if (get_block(io, len, at))
			return 1;
		sha256_sum_add(&sum, block, len);
		if (at + len == info->length) {
			sha256_sum_end(&sum, got);
			if (memcmp(got, info->sha256, sizeof(got)))
				return STATE_IO_EXIT_CHANGED;
		}
		ret = feed(io->stream, len);
		/* QEMU closes its end when it has seen the end mark, or has ended. */
		if (ret)
			return ret == -EPIPE ? STATE_IO_EXIT_OK : 1;
	}
	return STATE_IO_EXIT_OK;
}

int state_io_restore(const struct state_io *io)
{
	struct state_io_msg m = { .what = STATE_IO_BROKEN };

	verify(io, &m);
	if (tell(io, &m) || m.what != STATE_IO_VERIFIED || wait_go(io))
		return 1;
	return feed_all(io, &m.info);
}

/* Init's child has no more rights than the broker's. */
static int drop(void)
{
	if (getuid())
		return 0;
	if (setgroups(0, NULL) || setresgid(STUBDOM_UID_BROKER, STUBDOM_UID_BROKER, STUBDOM_UID_BROKER) ||
	    setresuid(STUBDOM_UID_BROKER, STUBDOM_UID_BROKER, STUBDOM_UID_BROKER))
		return -errno;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -errno : 0;
}

/* The three descriptors alone, as 3, 4 and 5. */
static int keep(struct state_io *io)
{
	int *fds[] = { &io->stream, &io->disk, &io->ctl };

	for (int i = 0; i < 3; i++) {
		*fds[i] = fcntl(*fds[i], F_DUPFD, 64);
		if (*fds[i] < 0)
			return -errno;
	}
	for (int i = 0; i < 3; i++) {
		if (dup2(*fds[i], 3 + i) < 0)
			return -errno;
		*fds[i] = 3 + i;
	}
	return syscall(SYS_close_range, 6, ~0U, 0) ? -errno : 0;
}

pid_t state_io_start(int (*work)(const struct state_io *io), struct state_io *io, int *ctl)
{
	int sp[2] = { -1, -1 }, ret = 0;
	pid_t pid = -1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sp))
		ret = -errno;
	io->ctl = sp[1];
	if (!ret) {
		pid = fork();
		ret = pid < 0 ? -errno : 0;
	}
	if (!pid) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		signal(SIGPIPE, SIG_IGN);
		_exit(keep(io) || drop() ? 1 : work(io));
	}
	close(io->stream);
	close(io->disk);
	if (sp[1] >= 0)
		close(sp[1]);
	if (ret && sp[0] >= 0)
		close(sp[0]);
	*ctl = ret ? -1 : sp[0];
	return ret ? ret : pid;
}
