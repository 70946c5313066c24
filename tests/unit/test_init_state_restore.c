// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/state_restore.c src/stubdom/init/state_io.c src/stubdom/init/state_fit.c src/stubdom/init/text.c src/lib/state/header.c src/lib/state/words.c src/lib/base/sha256_sum.c src/lib/base/log.c src/lib/xen/xs_util.c tests/unit/fake_xenstore.c */
/* What init makes of dom0's word about the saved state, with a file for the disk and a clock of this test's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sha256_sum.h"
#include "fake_xenstore.h"
#include "state/header.h"
#include "stubdom/init/failure.h"
#include "stubdom/init/loop.h"
#include "stubdom/init/state_dev.h"
#include "stubdom/init/state_io.h"
#include "stubdom/init/state_restore.h"

#define LEN 200000
#define DISK "268442368"

struct log_about init_about = { .domid = -1 };
static char reason[512];
static int64_t uptime;
static int disk, looks, open_error;
static struct xs_handle *xs;

int init_fail(int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	return err;
}

/* Each look at it is some ms later. */
int64_t uptime_ms(void)
{
	return uptime += 100;
}

int state_dev_open(uint32_t devid, int flags, uint64_t *size)
{
	assert_int_equal(devid, 268442368);
	assert_int_equal(flags, O_RDONLY);
	if (open_error && (open_error != -EAGAIN || ++looks < 5))
		return open_error;
	*size = lseek(disk, 0, SEEK_END);
	return dup(disk);
}

static void put_disk(const char *qemu, const char *machine)
{
	static uint8_t bytes[LEN] = "QEVM";
	struct state_disk_header h;
	struct state_info info = { .length = LEN };

	snprintf(info.qemu, sizeof(info.qemu), "%s", qemu);
	snprintf(info.machine, sizeof(info.machine), "%s", machine);
	sha256_sum_of(bytes, LEN, info.sha256);
	state_header_make(&info, &h);
	assert_int_equal(pwrite(disk, &h, sizeof(h), 0), sizeof(h));
	assert_int_equal(pwrite(disk, bytes, LEN, STATE_DISK_BLOCK), LEN);
	assert_int_equal(ftruncate(disk, STATE_DISK_BLOCK + 1048576), 0);
}

static int setup(void **state)
{
	(void)state;
	fake_xs_reset();
	reason[0] = '\0';
	uptime = looks = open_error = 0;
	disk = memfd_create("disk", 0);
	put_disk("10.0.13", "xenfv");
	xs = xs_open(0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	close(disk);
	xs_close(xs);
	return 0;
}

static int restore(pid_t *feeder)
{
	*feeder = 0;
	return state_restore_fd(xs, "10.0.13", "xenfv", feeder);
}

static void expect_console(void)
{
	pid_t feeder;

	assert_int_equal(restore(&feeder), -ENODATA);
	assert_int_equal(feeder, 0);
	assert_string_equal(reason, "");
}

static void expect_refused(const char *why)
{
	pid_t feeder;

	assert_true(restore(&feeder) < 0);
	assert_int_equal(feeder, 0);
	assert_non_null(strstr(reason, why));
	assert_string_equal(fake_xs_get(STATE_DISK_RESTORED), "no");
}

static size_t read_all(int fd)
{
	static uint8_t buf[65536];
	size_t sum = 0;
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) > 0)
		sum += n;
	close(fd);
	return sum;
}

static void a_verified_state_is_fed(void **state)
{
	pid_t feeder;
	int fd, status;

	(void)state;
	fake_xs_set(STATE_DISK_RESTORE, DISK);
	open_error = -EAGAIN;
	fd = restore(&feeder);
	assert_true(fd >= 0);
	assert_null(fake_xs_get(STATE_DISK_RESTORED));
	assert_int_equal(read_all(fd), LEN);
	assert_int_equal(waitpid(feeder, &status, 0), feeder);
	state_restore_ended(xs, status);
	assert_string_equal(fake_xs_get(STATE_DISK_RESTORED), "ok");
	assert_string_equal(reason, "");
}

/* dom0 looks at the state first. */
static void wait_hook(enum fake_xs_op op, const char *path)
{
	if (op == FAKE_XS_READ && !strcmp(path, STATE_DISK_RESTORE) && ++looks == 4)
		fake_xs_set(STATE_DISK_RESTORE, DISK);
}

static void dom0s_word_is_waited_for(void **state)
{
	pid_t feeder;
	int fd;

	(void)state;
	fake_xs_set(STATE_DISK_RESTORE, "wait");
	fake_xs_hook(wait_hook);
	fd = restore(&feeder);
	assert_true(fd >= 0);
	assert_int_equal(read_all(fd), LEN);
	waitpid(feeder, NULL, 0);
}

static void what_makes_it_the_console(void **state)
{
	(void)state;
	/* no daemon: nothing is said to it either */
	expect_console();
	assert_null(fake_xs_get(STATE_DISK_RESTORED));
	fake_xs_set(STATE_DISK_RESTORE, "console");
	expect_console();
	assert_string_equal(fake_xs_get(STATE_DISK_RESTORED), "no");
	/* for ever: until our time is up */
	fake_xs_set(STATE_DISK_RESTORE, "wait");
	expect_console();
	assert_true(uptime >= STATE_DISK_PREPARE_MS && uptime < 12000);
	/* no such disk of ours */
	fake_xs_set(STATE_DISK_RESTORE, "5632");
	expect_console();
	fake_xs_set(STATE_DISK_RESTORE, DISK);
	open_error = -EIO;
	expect_console();
	/* it cannot be read to its end */
	open_error = 0;
	assert_int_equal(ftruncate(disk, STATE_DISK_BLOCK + LEN - 1000), 0);
	put_disk("10.0.13", "xenfv");
	assert_int_equal(ftruncate(disk, STATE_DISK_BLOCK), 0);
	expect_console();
}

static void a_device_that_never_comes(void **state)
{
	(void)state;
	fake_xs_set(STATE_DISK_RESTORE, DISK);
	open_error = -EAGAIN;
	looks = -1000;
	expect_console();
	assert_true(uptime >= STATE_DISK_APPEAR_MS && uptime < 14000);
}

static void what_is_refused(void **state)
{
	(void)state;
	fake_xs_set(STATE_DISK_RESTORE, "refused the state is damaged");
	expect_refused("the saved state is refused: the state is damaged");
	fake_xs_set(STATE_DISK_RESTORE, DISK);
	put_disk("7.2.22", "xenfv");
	expect_refused("QEMU 7.2.22, and this stubdomain has QEMU 10.0.13");
	put_disk("10.0.13", "pc");
	expect_refused("of type pc, and this guest has xenfv");
	put_disk("10.0.13", "xenfv");
	assert_int_equal(pwrite(disk, "X", 1, STATE_DISK_BLOCK + LEN - 1), 1);
	expect_refused("the state is damaged");
	assert_int_equal(ftruncate(disk, 0), 0);
	assert_int_equal(ftruncate(disk, STATE_DISK_BLOCK + 1048576), 0);
	expect_refused("there is no header");
}

/* QEMU did not get the end of it: this is why, in one line. */
static void a_disk_that_changes_between_both(void **state)
{
	pid_t feeder;
	int fd, status;

	(void)state;
	state_restore_ended(xs, STATE_IO_EXIT_CHANGED << 8);
	assert_non_null(strstr(reason, "another content when it was read again"));
	assert_string_equal(fake_xs_get(STATE_DISK_RESTORED), "no");
	reason[0] = '\0';
	fake_xs_set(STATE_DISK_RESTORE, DISK);
	fd = restore(&feeder);
	assert_true(fd >= 0);
	read_all(fd);
	waitpid(feeder, &status, 0);
	state_restore_ended(xs, 1 << 8);
	assert_non_null(strstr(reason, "could not be read again"));
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_verified_state_is_fed), T(dom0s_word_is_waited_for), T(what_makes_it_the_console),
		T(a_device_that_never_comes), T(what_is_refused), T(a_disk_that_changes_between_both),
	};

	log_set_level(LOG_CRIT);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
