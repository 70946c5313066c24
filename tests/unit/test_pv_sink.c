// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/pv/sink.c src/stubdom/pv/logfile.c */
/* Where consoles go: bounded logs, states, ptys, the file to restore from. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pv/pace.h"
#include "stubdom/pv/sink.h"

static char path[] = "/tmp/test_pv_sink-XXXXXX", tty[64];
static struct sink s;

static int setup(void **state)
{
	(void)state;
	strcpy(path + strlen(path) - 6, "XXXXXX");
	close(mkstemp(path));
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sink_close(&s);
	unlink(path);
	return 0;
}

static off_t size(void)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_size;
}

static char *content(void)
{
	static char buf[256 * 1024];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	assert_true(n >= 0);
	buf[n] = '\0';
	close(fd);
	return buf;
}

static void what_libxl_says(void **state)
{
	static const struct { const char *output; unsigned int console; enum sink_kind kind; const char *path; } cases[] = {
		{ "file:/var/log/xen/qemu-dm-a.log", 0, SINK_LOG, "/var/log/xen/qemu-dm-a.log" },
		{ "file:/var/lib/xen/qemu-save.4", 1, SINK_STATE, "/var/lib/xen/qemu-save.4" },
		{ "pipe:/var/lib/xen/qemu-resume.4", 2, SINK_SOURCE, "/var/lib/xen/qemu-resume.4" },
		{ "", 2, SINK_NULL, "" }, { "null", 2, SINK_NULL, "" }, { "none", 3, SINK_NULL, "" },
		{ "pty", 3, SINK_PTY, "" }, { "file:/tmp/x", 3, SINK_LOG, "/tmp/x" },
		{ "pipe:/tmp/x", 3, SINK_OTHER, "" }, { "file:x", 3, SINK_OTHER, "" }, { "stdio", 3, SINK_OTHER, "" },
		{ "tcp:127.0.0.1:4,server", 4, SINK_OTHER, "" }, { "/dev/ttyS0", 3, SINK_OTHER, "" },
	};
	const char *p;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		assert_int_equal(sink_parse(cases[i].output, cases[i].console, &p), cases[i].kind);
		assert_string_equal(p, cases[i].path);
	}
}

static void what_goes_of_a_log(void **state)
{
	uint64_t head = 1, tail = 1;

	(void)state;
	assert_int_equal(logfile_trim(0, 1000, 1000, &head, &tail), 0);
	assert_int_equal(logfile_trim(990, 1000, 11, &head, &tail), 1);
	assert_int_equal(head, 125);
	assert_int_equal(tail, 490);
	/* One write that is larger than it all. */
	assert_int_equal(logfile_trim(10, 1000, 1000, &head, &tail), 1);
	assert_int_equal(head, 0);
	assert_int_equal(tail, 10);
}

static void a_log_stays_bounded(void **state)
{
	struct logfile l = { .fd = open(path, O_RDWR), .max = 64 * 1024 };
	char line[32], *text, *at;
	int n = 0;

	(void)state;
	for (int i = 0; i < 20000; i++) {
		n = snprintf(line, sizeof(line), "line %d\n", i);
		assert_int_equal(logfile_put(&l, line, (size_t)n), 0);
		assert_true(size() <= 64 * 1024);
	}
	text = content();
	assert_memory_equal(text, "line 0\nline 1\n", 14);
	assert_string_equal(text + strlen(text) - (size_t)n, "line 19999\n");
	at = strstr(text, "\n[... ");
	assert_non_null(at);
	assert_null(strstr(at + 1, "\n[... "));	/* one such line, however often it happened */
	assert_int_equal(strtoull(at + 6, NULL, 10), l.left_out);
	assert_memory_equal(strchr(at + 1, '\n') + 1, "line ", 5);
	/* Somebody empties it: it goes on at its beginning. */
	assert_int_equal(truncate(path, 0), 0);
	assert_int_equal(logfile_put(&l, "new\n", 4), 0);
	assert_string_equal(content(), "new\n");
	close(l.fd);
}

static void a_log_without_lines(void **state)
{
	struct logfile l = { .fd = open(path, O_RDWR), .max = 8192 };
	char junk[1000];

	(void)state;
	memset(junk, 'x', sizeof(junk));
	for (int i = 0; i < 100; i++) {
		assert_int_equal(logfile_put(&l, junk, sizeof(junk)), 0);
		assert_true(size() <= 8192);
	}
	assert_non_null(strstr(content(), "bytes left out"));
	close(l.fd);
}

static void a_state_is_kept_whole_up_to_its_limit(void **state)
{
	static char mib[1024 * 1024];
	int n = 0;

	(void)state;
	assert_int_equal(sink_open(&s, SINK_STATE, 1, path, tty, sizeof(tty)), 0);
	memset(mib, 1, sizeof(mib));
	while (!s.full && n++ < 100)
		assert_int_equal(sink_put(&s, mib, sizeof(mib), 0), sizeof(mib));
	assert_true(s.full);
	assert_true(size() <= SINK_STATE_MAX && size() > SINK_STATE_MAX - 2 * (off_t)sizeof(mib));
	/* xen-stubdomd makes a hole of what libxl has got. */
	s.full = false;
	assert_int_equal(fallocate(s.fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, size()), 0);
	assert_int_equal(sink_put(&s, mib, sizeof(mib), 0), sizeof(mib));
	assert_false(s.full);
}

/* A pty hands bytes on in its own time. */
static ssize_t wait_read(int fd, char *buf, size_t size)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 10000), 1);
	return read(fd, buf, size);
}

static void a_pty(void **state)
{
	struct pollfd typed = { .events = POLLIN };
	char buf[8192], big[100];
	int slave, full = 0;

	(void)state;
	assert_int_equal(sink_open(&s, SINK_PTY, 3, "", tty, sizeof(tty)), 0);
	assert_memory_equal(tty, "/dev/pts/", 9);
	/* Nobody is there: dropped, and nothing to read. */
	assert_int_equal(sink_put(&s, "lost", 4, 1000), 4);
	assert_int_equal(sink_get(&s, buf, sizeof(buf)), 0);
	slave = open(tty, O_RDWR | O_NOCTTY | O_NONBLOCK);
	assert_true(slave >= 0);
	assert_int_equal(sink_put(&s, "hello\n", 6, 1000), 6);
	assert_int_equal(wait_read(slave, buf, sizeof(buf)), 6);
	assert_memory_equal(buf, "hello\n", 6);		/* raw: no carriage return */
	assert_int_equal(write(slave, "\x03typed\n", 7), 7);
	typed.fd = s.fd;
	assert_int_equal(poll(&typed, 1, 10000), 1);
	assert_int_equal(sink_get(&s, buf, sizeof(buf)), 7);
	/* A reader that stops: at first the stubdomain waits, then it is not held up. */
	memset(big, 'x', sizeof(big));
	/* The kernel moves what is in a pty from one buffer to another meanwhile. */
	for (int i = 0; i < 100000 && full < 5; i++) {
		full = sink_put(&s, big, sizeof(big), 2000) ? 0 : full + 1;
		poll(NULL, 0, full ? 20 : 0);
	}
	assert_int_equal(full, 5);
	assert_int_equal(sink_put(&s, big, 100, 2000 + SINK_STALL_MS - 1), 0);
	assert_int_equal(sink_put(&s, big, 100, 2000 + SINK_STALL_MS), 100);
	/* It reads again: nothing is dropped any more. */
	for (int quiet = 0; quiet < 5; poll(NULL, 0, 20))
		quiet = read(slave, buf, sizeof(buf)) > 0 ? 0 : quiet + 1;
	assert_int_equal(sink_put(&s, "again", 5, 9000), 5);
	assert_int_equal(wait_read(slave, buf, sizeof(buf)), 5);
	close(slave);
}

static void a_file_to_restore_from(void **state)
{
	char buf[16];
	int fd = open(path, O_WRONLY);

	(void)state;
	assert_int_equal(write(fd, "QEVM", 4), 4);
	close(fd);
	assert_int_equal(sink_open(&s, SINK_SOURCE, 2, path, tty, sizeof(tty)), 0);
	assert_int_equal(sink_get(&s, buf, 3), 3);
	assert_int_equal(sink_get(&s, buf, 3), 1);
	assert_int_equal(sink_get(&s, buf, 3), 0);
	assert_true(s.ended);
	assert_int_equal(sink_put(&s, "x", 1, 0), 1);
	assert_int_equal(size(), 4);
}

static void what_is_no_file(void **state)
{
	(void)state;
	assert_int_equal(sink_open(&s, SINK_LOG, 0, "/dev/null", tty, sizeof(tty)), -EINVAL);
	assert_int_equal(sink_open(&s, SINK_SOURCE, 2, "/nowhere/at/all", tty, sizeof(tty)), -ENOENT);
}

static void a_burst_then_a_rate(void **state)
{
	struct pace p;
	uint64_t now = 5000, bytes = 0;

	(void)state;
	pace_init(&p, 1000000, now);
	assert_int_equal(pace_take(&p, now, 1000000), 0);
	assert_int_equal(pace_take(&p, now, 1), PACE_WAIT_MS);
	/* As much as a ring has, each time it is allowed to: no more than the rate, in ten seconds. */
	for (int i = 0; i < 1000; i++) {
		now += PACE_WAIT_MS;
		pace_take(&p, now, 2048 + PACE_EVENT);
		bytes += 2048;
	}
	assert_true(bytes <= 10 * PACE_RATE + 1000);
	/* A rest gives all of it back. */
	now += 60000;
	assert_int_equal(pace_take(&p, now, 900000), 0);
	/* Neither does a clock that jumps. */
	assert_int_equal(pace_take(&p, UINT64_MAX, 1), 0);
	assert_int_equal(pace_take(&p, 0, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_libxl_says), cmocka_unit_test(what_goes_of_a_log),
		cmocka_unit_test_setup_teardown(a_log_stays_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(a_log_without_lines, setup, teardown),
		cmocka_unit_test_setup_teardown(a_state_is_kept_whole_up_to_its_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(a_pty, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_to_restore_from, setup, teardown),
		cmocka_unit_test_setup_teardown(what_is_no_file, setup, teardown),
		cmocka_unit_test(a_burst_then_a_rate),
	};

	s.fd = -1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
