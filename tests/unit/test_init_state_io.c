// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/state_io.c src/stubdom/init/state_fit.c src/stubdom/init/state_dev.c src/stubdom/init/text.c src/lib/state/header.c src/lib/base/sha256_sum.c src/lib/base/log.c */
/*
 * The children that move a state to its disk and back, with a file in memory for the
 * disk and this test for QEMU; and what decides whether QEMU can read it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sha256_sum.h"
#include "stubdom/init/failure.h"
#include "stubdom/init/state_dev.h"
#include "stubdom/init/state_fit.h"
#include "stubdom/init/state_io.h"

#define LIMIT (1024 * 1024)

struct log_about init_about = { .domid = -1 };

static char fifo[64];
static uint8_t bytes[LIMIT + STATE_DISK_BLOCK];
static int disk, ctl;
static pid_t child;

static int setup(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = i * 7 + i / 251;
	memcpy(bytes, "QEVM", 4);
	snprintf(fifo, sizeof(fifo), "/tmp/test-state-io.%d", getpid());
	unlink(fifo);
	if (mkfifo(fifo, 0600))
		return -1;
	ctl = -1;
	disk = memfd_create("disk", 0);
	return disk < 0 || ftruncate(disk, STATE_DISK_BLOCK + LIMIT);
}

static int teardown(void **state)
{
	(void)state;
	if (ctl >= 0)
		close(ctl);
	close(disk);
	unlink(fifo);
	return 0;
}

/* The next word that is no progress; -1: the child has ended. */
static int word(struct state_io_msg *m)
{
	struct pollfd p = { .fd = ctl, .events = POLLIN };
	ssize_t n;

	do {
		assert_int_equal(poll(&p, 1, 10000), 1);
		n = recv(ctl, m, sizeof(*m), 0);
	} while (n == sizeof(*m) && (m->what == STATE_IO_TOOK || m->what == STATE_IO_MOVED));
	return n == sizeof(*m) ? (int)m->what : -1;
}

static void go(void)
{
	assert_int_equal(send(ctl, "g", 1, 0), 1);
}

static int child_exit(void)
{
	int status;

	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void start_save(uint64_t limit)
{
	struct state_io io = {
		.stream = open(fifo, O_RDONLY | O_NONBLOCK), .disk = dup(disk),
		.limit = limit, .qemu = "10.0.13", .machine = "xenfv",
	};

	child = state_io_start(state_io_save, &io, &ctl);
	assert_true(child > 0);
}

/* As QEMU: open(2) with all its flags, write, close. */
static void write_state(size_t len, size_t piece)
{
	int fd = open(fifo, O_WRONLY | O_CREAT | O_TRUNC, 0660);

	assert_true(fd >= 0);
	for (size_t at = 0; at < len;) {
		ssize_t n = write(fd, bytes + at, len - at < piece ? len - at : piece);

		if (n < 0)
			break;		/* the reader gave up */
		at += n;
	}
	close(fd);
}

static void check_disk(size_t len)
{
	static uint8_t got[LIMIT];
	char why[STATE_DISK_REASON_MAX + 1];
	struct state_disk_header h;
	struct state_info info;

	assert_int_equal(pread(disk, &h, sizeof(h), 0), sizeof(h));
	assert_int_equal(state_header_check(&h, LIMIT, &info, why), 0);
	assert_int_equal(info.length, len);
	assert_string_equal(info.qemu, "10.0.13");
	assert_string_equal(info.machine, "xenfv");
	assert_int_equal(pread(disk, got, len, STATE_DISK_BLOCK), len);
	assert_int_equal(state_check(&info, got, why), 0);
	assert_memory_equal(got, bytes, len);
}

static bool header_is_zero(void)
{
	static const uint8_t zero[STATE_DISK_SECTOR];
	uint8_t got[STATE_DISK_SECTOR];

	assert_int_equal(pread(disk, got, sizeof(got), 0), sizeof(got));
	return !memcmp(got, zero, sizeof(zero));
}

static void a_state_of_each_length(void **state)
{
	static const size_t lens[] = {
		4, 511, 512, 513, STATE_DISK_BLOCK - 1, STATE_DISK_BLOCK, STATE_DISK_BLOCK + 1,
		3 * STATE_DISK_BLOCK, 300001, LIMIT,
	};
	struct state_io_msg m;

	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		start_save(LIMIT);
		write_state(lens[i], i % 2 ? 32768 : 1000);
		assert_int_equal(word(&m), STATE_IO_END);
		assert_int_equal(m.info.length, lens[i]);
		/* nothing is a state before we say so */
		assert_true(header_is_zero());
		go();
		assert_int_equal(word(&m), STATE_IO_SEALED);
		assert_int_equal(word(&m), -1);
		assert_int_equal(child_exit(), 0);
		check_disk(lens[i]);
		teardown(state);
		assert_int_equal(setup(state), 0);
	}
}

static void no_header_without_our_word(void **state)
{
	struct state_io_msg m;

	(void)state;
	start_save(LIMIT);
	write_state(100000, 4096);
	assert_int_equal(word(&m), STATE_IO_END);
	close(ctl);
	ctl = -1;
	assert_int_equal(child_exit(), 1);
	assert_true(header_is_zero());
}

/* It ends with us also while QEMU has not begun, or is in the middle. */
static void it_ends_with_its_parent(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		int fd = -1;

		start_save(LIMIT);
		if (i) {
			fd = open(fifo, O_WRONLY);
			assert_int_equal(write(fd, bytes, 1000), 1000);
		}
		close(ctl);
		ctl = -1;
		assert_int_equal(child_exit(), 1);
		assert_true(header_is_zero());
		if (fd >= 0)
			close(fd);
	}
}

static void what_is_no_state(void **state)
{
	static const struct {
		size_t len;
		uint64_t limit;
		char first;
		const char *why;
	} bad[] = {
		{ 0, LIMIT, 'Q', "QEMU wrote nothing" },
		{ 3, LIMIT, 'Q', "QEMU wrote no device state" },
		{ 100000, LIMIT, 'X', "QEMU wrote no device state" },
		{ 100000, 99999, 'Q', "it is longer than dom0 allows (xen-stubdomd --state-limit)" },
		{ LIMIT + 1, LIMIT, 'Q', "it is longer than dom0 allows (xen-stubdomd --state-limit)" },
	};
	struct state_io_msg m;

	signal(SIGPIPE, SIG_IGN);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		memset(bytes, 0, 4);
		memcpy(bytes, "QEVM", bad[i].len < 4 ? bad[i].len : 4);
		bytes[0] = bad[i].first;
		start_save(bad[i].limit);
		write_state(bad[i].len, 32768);
		assert_int_equal(word(&m), STATE_IO_BROKEN);
		assert_string_equal(m.why, bad[i].why);
		assert_int_equal(child_exit(), 1);
		assert_true(header_is_zero());
		teardown(state);
		assert_int_equal(setup(state), 0);
	}
}

static void a_disk_that_fails(void **state)
{
	struct state_io_msg m;

	(void)state;
	/* it cannot be written */
	close(disk);
	disk = open("/dev/full", O_RDWR);
	signal(SIGPIPE, SIG_IGN);
	start_save(LIMIT);
	write_state(100000, 32768);
	assert_int_equal(word(&m), STATE_IO_BROKEN);
	assert_string_equal(m.why, "its disk: No space left on device");
	assert_int_equal(child_exit(), 1);
}

/* ---- restore ---- */

static void put_disk(size_t len)
{
	struct state_info info = { .length = len, .qemu = "10.0.13", .machine = "xenfv" };
	struct state_disk_header h;

	sha256_sum_of(bytes, len, info.sha256);
	state_header_make(&info, &h);
	assert_int_equal(pwrite(disk, &h, sizeof(h), 0), sizeof(h));
	assert_int_equal(pwrite(disk, bytes, len, STATE_DISK_BLOCK), len);
}

static int start_restore(void)
{
	struct state_io io = { .disk = dup(disk), .limit = LIMIT };
	int p[2];

	assert_int_equal(pipe2(p, O_CLOEXEC), 0);
	io.stream = p[1];
	child = state_io_start(state_io_restore, &io, &ctl);
	assert_true(child > 0);
	return p[0];
}

/* What QEMU gets, to the end. */
static size_t read_all(int fd, uint8_t *buf, size_t size)
{
	size_t n = 0;
	ssize_t r;

	while (n < size && (r = read(fd, buf + n, size - n)) > 0)
		n += r;
	return n;
}

static void a_state_comes_back(void **state)
{
	static const size_t lens[] = { 4, 1000, STATE_DISK_BLOCK, STATE_DISK_BLOCK + 1, 400000, LIMIT };
	static uint8_t got[LIMIT + 1];
	struct state_io_msg m;

	(void)state;
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		struct pollfd p = { .events = POLLIN };

		put_disk(lens[i]);
		p.fd = start_restore();
		assert_int_equal(word(&m), STATE_IO_VERIFIED);
		assert_int_equal(m.info.length, lens[i]);
		assert_string_equal(m.info.qemu, "10.0.13");
		/* not a byte before we say so */
		assert_int_equal(poll(&p, 1, 50), 0);
		go();
		assert_int_equal(read_all(p.fd, got, sizeof(got)), lens[i]);
		assert_memory_equal(got, bytes, lens[i]);
		assert_int_equal(child_exit(), STATE_IO_EXIT_OK);
		close(p.fd);
		close(ctl);
		ctl = -1;
	}
}

/* Every region of the disk, one bit. */
static void a_damaged_disk_is_refused(void **state)
{
	static const off_t at[] = {
		0, 15, 16, 20, 24, 32, 64, 96, 128, 207, 208, 240, 255,
		STATE_DISK_BLOCK, STATE_DISK_BLOCK + 3, STATE_DISK_BLOCK + 4, 2 * STATE_DISK_BLOCK,
		STATE_DISK_BLOCK + 199999,
	};
	struct state_io_msg m;
	uint8_t c;

	(void)state;
	for (size_t i = 0; i < sizeof(at) / sizeof(at[0]); i++) {
		int fd;

		put_disk(200000);
		assert_int_equal(pread(disk, &c, 1, at[i]), 1);
		c ^= 0x10;
		assert_int_equal(pwrite(disk, &c, 1, at[i]), 1);
		fd = start_restore();
		assert_int_equal(word(&m), STATE_IO_BAD);
		assert_true(m.why[0]);
		assert_int_equal(child_exit(), 1);
		assert_int_equal(read(fd, &c, 1), 0);
		close(fd);
		close(ctl);
		ctl = -1;
	}
}

static void a_short_disk_cannot_be_read(void **state)
{
	struct state_io_msg m;
	int fd;

	(void)state;
	put_disk(200000);
	assert_int_equal(ftruncate(disk, STATE_DISK_BLOCK + 100000), 0);
	fd = start_restore();
	assert_int_equal(word(&m), STATE_IO_BROKEN);
	assert_string_equal(m.why, "Input/output error");
	child_exit();
	close(fd);
}

/* It changes after it was verified: QEMU does not get the last block. */
static void a_disk_that_changes(void **state)
{
	static uint8_t got[LIMIT];
	struct state_io_msg m;
	int fd;

	(void)state;
	for (int i = 0; i < 2; i++) {
		size_t len = i ? 1000 : 300000;

		put_disk(len);
		fd = start_restore();
		assert_int_equal(word(&m), STATE_IO_VERIFIED);
		assert_int_equal(pwrite(disk, "!", 1, STATE_DISK_BLOCK + 500), 1);
		go();
		assert_int_equal(read_all(fd, got, sizeof(got)), (len - 1) / STATE_DISK_BLOCK * STATE_DISK_BLOCK);
		assert_int_equal(child_exit(), STATE_IO_EXIT_CHANGED);
		close(fd);
		close(ctl);
		ctl = -1;
	}
}

/* QEMU closes its end at the end mark, and may end at any time. */
static void qemu_closes_early(void **state)
{
	struct state_io_msg m;
	int fd;

	(void)state;
	put_disk(400000);
	fd = start_restore();
	assert_int_equal(word(&m), STATE_IO_VERIFIED);
	close(fd);
	go();
	assert_int_equal(child_exit(), STATE_IO_EXIT_OK);
}

/* ---- pure, and nearly ---- */

static void which_qemu_reads_which(void **state)
{
	static const struct {
		const char *theirs, *their_machine, *ours, *our_machine;
		int ret;
	} fit[] = {
		{ "10.0.13", "xenfv", "10.0.13", "xenfv", 0 },
		{ "10.0.2", "pc", "10.0.13", "pc", 0 },
		{ "7.2.22", "xenfv", "10.0.13", "xenfv", -ENOEXEC },
		{ "10.0.13", "xenfv", "7.2.22", "xenfv", -ENOEXEC },
		{ "10.1.0", "xenfv", "10.0.13", "xenfv", -ENOEXEC },
		{ "10.0.13", "pc", "10.0.13", "xenfv", -ENOEXEC },
		{ "?", "xenfv", "10.0.13", "xenfv", -ENOEXEC },
		{ "", "", "10.0.13", "xenfv", 0 },	/* saved by console */
		{ "10.0.13", "", "10.0.13", "xenfv", 0 },
		{ "7.2.22", "xenfv", "", "xenfv", 0 },
		{ "10.0.13", "xenfv", "10.0.13", "", 0 },
	};
	char why[320];

	(void)state;
	for (size_t i = 0; i < sizeof(fit) / sizeof(fit[0]); i++) {
		struct state_info info = { .length = 1 };

		strcpy(info.qemu, fit[i].theirs);
		strcpy(info.machine, fit[i].their_machine);
		assert_int_equal(state_fit(&info, fit[i].ours, fit[i].our_machine, why, sizeof(why)), fit[i].ret);
		/* both of what does not fit */
		if (fit[i].ret && strcmp(fit[i].theirs, fit[i].ours))
			assert_true(strstr(why, fit[i].theirs) && strstr(why, fit[i].ours));
		else if (fit[i].ret)
			assert_true(strstr(why, fit[i].their_machine) && strstr(why, fit[i].our_machine));
	}
}

static void a_device_is_found_by_its_number(void **state)
{
	char sys[] = "/tmp/test-sys-XXXXXX", cmd[256], name[32];

	(void)state;
	assert_non_null(mkdtemp(sys));
	assert_int_equal(state_dev_name(sys, 268442112, name, sizeof(name)), -ENOENT);
	snprintf(cmd, sizeof(cmd), "mkdir -p %s/devices/vbd-268442112", sys);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(state_dev_name(sys, 268442112, name, sizeof(name)), -ENOENT);
	snprintf(cmd, sizeof(cmd), "mkdir -p %s/devices/vbd-268442112/block/xvdaa %s/devices/vbd-5632/block/xvdc", sys, sys);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(state_dev_name(sys, 268442112, name, sizeof(name)), 0);
	assert_string_equal(name, "xvdaa");
	assert_int_equal(state_dev_name(sys, 268442112, name, 4), -ENOENT);
	snprintf(cmd, sizeof(cmd), "rm -r %s", sys);
	assert_int_equal(system(cmd), 0);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_state_of_each_length), T(no_header_without_our_word), T(it_ends_with_its_parent),
		T(what_is_no_state), T(a_disk_that_fails),
		T(a_state_comes_back), T(a_damaged_disk_is_refused), T(a_short_disk_cannot_be_read),
		T(a_disk_that_changes), T(qemu_closes_early),
		cmocka_unit_test(which_qemu_reads_which), cmocka_unit_test(a_device_is_found_by_its_number),
	};

	log_set_level(LOG_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
