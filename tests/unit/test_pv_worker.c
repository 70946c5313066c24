// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/pv/worker.c src/stubdom/pv/conring.c src/stubdom/pv/sink.c src/stubdom/pv/logfile.c src/lib/base/log.c tests/unit/fake_foreign.c */
/* Rings on one side, files on the other: the test is the stubdomain and the process that has xenstore. */
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
#include <sys/socket.h>
#include <unistd.h>

#include "fake_foreign.h"
#include "stubdom/pv/worker.h"

static struct worker w;
static struct log_about about = { .guest = "web", .domid = 4 };
static char path[64], tty[64];
static int sock;
static char said[512];
static unsigned int lines;

static void sink(int level, const struct log_about *a, const char *line)
{
	(void)level;
	(void)a;
	snprintf(said, sizeof(said), "%s", line);
	lines++;
}

/* Console 0 to a file, 2 from a file, 3 a pty. */
static int setup(void **state)
{
	char none[64];
	int fds[2], fd;

	(void)state;
	log_open("test", sink, LOG_INFO);
	lines = 0;
	w = (struct worker){ .about = &about, .foreign = foreign_open(7) };
	strcpy(path, "/tmp/test_pv_worker-XXXXXX");
	fd = mkstemp(path);
	assert_int_equal(write(fd, "QEVM and more", 13), 13);
	close(fd);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	sock = fds[0];
	w.sock = fds[1];
	assert_int_equal(sink_open(&w.con[2].sink, SINK_SOURCE, 2, path, none, sizeof(none)), 0);
	assert_int_equal(sink_open(&w.con[3].sink, SINK_PTY, 3, "", tty, sizeof(tty)), 0);
	assert_int_equal(sink_open(&w.con[1].sink, SINK_NULL, 1, "", none, sizeof(none)), 0);
	strcat(path, ".log");
	assert_int_equal(sink_open(&w.con[0].sink, SINK_LOG, 0, path, none, sizeof(none)), 0);
	assert_int_equal(worker_init(&w), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		sink_close(&w.con[i].sink);
	unlink(path);
	path[strlen(path) - 4] = '\0';
	unlink(path);
	foreign_close(w.foreign);
	close(w.sock);
	close(w.epoll);
	if (sock >= 0)
		close(sock);
	return 0;
}

static struct xencons_interface *ring(unsigned int ref)
{
	return (struct xencons_interface *)fake_page[ref];
}

/* Rounds until nothing is due at once. */
static void rounds(int n)
{
	while (n--)
		assert_int_equal(worker_round(&w, 0), 0);
}

/* A pty hands bytes on in its own time. */
static void rounds_until(const volatile uint32_t *index, uint32_t value)
{
	for (int i = 0; i < 1000 && *index != value; i++)
		assert_int_equal(worker_round(&w, 10), 0);
	assert_int_equal(*index, value);
}

static ssize_t read_slave(int slave, char *buf, size_t size)
{
	struct pollfd p = { .fd = slave, .events = POLLIN };

	assert_int_equal(poll(&p, 1, 10000), 1);
	return read(slave, buf, size);
}

static struct link_msg answer(void)
{
	struct link_msg m = { .what = 99 };

	recv(sock, &m, sizeof(m), MSG_DONTWAIT);
	return m;
}

static void tell(uint32_t what, uint32_t n, uint32_t a, uint32_t b)
{
	const struct link_msg m = { .what = what, .n = n, .a = a, .b = b };

	assert_int_equal(send(sock, &m, sizeof(m), 0), sizeof(m));
	rounds(2);
}

static void connect_console(uint32_t n, uint32_t ref, uint32_t port)
{
	struct link_msg m;

	tell(LINK_CONNECT, n, ref, port);
	m = answer();
	assert_int_equal(m.what, LINK_CONNECTED);
	assert_int_equal(m.n, n);
}

static void print(unsigned int ref, const char *text)
{
	for (; *text; text++)
		ring(ref)->out[ring(ref)->out_prod++ % sizeof(ring(ref)->out)] = *text;
}

static const char *content(void)
{
	static char buf[16384];
	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, buf, sizeof(buf) - 1);

	close(fd);
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static void a_log(void **state)
{
	(void)state;
	print(0, "before\n");
	connect_console(0, 0, 1);
	assert_string_equal(content(), "before\n");
	print(0, "after\n");
	fake_foreign_event(1);
	rounds(2);
	assert_string_equal(content(), "before\nafter\n");
	assert_int_equal(ring(0)->out_cons, 13);
	assert_int_equal(fake_notified[1], 2);
	assert_false(fake_masked[1]);
	/* It is closed: what is left comes first. */
	print(0, "last\n");
	tell(LINK_DISCONNECT, 0, 0, 0);
	assert_string_equal(content(), "before\nafter\nlast\n");
	assert_int_equal(fake_mapped, 0);
	assert_int_equal(answer().what, 99);
	/* And again. */
	memset(fake_page[5], 0, 4096);
	print(5, "anew\n");
	connect_console(0, 5, 2);
	assert_string_equal(content(), "before\nafter\nlast\nanew\n");
}

static void a_state_to_restore(void **state)
{
	(void)state;
	connect_console(2, 2, 2);
	assert_int_equal(ring(2)->in_prod, 13);
	assert_memory_equal(ring(2)->in, "QEVM and more", 13);
	assert_int_equal(fake_notified[2], 1);
}

static void a_pty_both_ways(void **state)
{
	char buf[64];
	int slave;

	(void)state;
	connect_console(3, 3, 3);
	print(3, "nobody reads this\n");
	fake_foreign_event(3);
	rounds(2);
	slave = open(tty, O_RDWR | O_NOCTTY | O_NONBLOCK);
	print(3, "login: ");
	fake_foreign_event(3);
	rounds(2);
	assert_int_equal(read_slave(slave, buf, sizeof(buf)), 7);
	assert_int_equal(write(slave, "root\n", 5), 5);
	rounds_until(&ring(3)->in_prod, 5);
	assert_memory_equal(ring(3)->in, "root\n", 5);
	/* More than the ring has room for: the rest waits in the pty. */
	memset(buf, 'x', sizeof(buf));
	for (int i = 0; i < 20; i++)
		assert_int_equal(write(slave, buf, sizeof(buf)), sizeof(buf));
	rounds_until(&ring(3)->in_prod, 1024);
	ring(3)->in_cons = 1024;
	fake_foreign_event(3);
	rounds_until(&ring(3)->in_prod, 5 + 20 * sizeof(buf));
	close(slave);
}

static void indices_that_cannot_be(void **state)
{
	struct link_msg m;

	(void)state;
	for (int out = 0; out < 2; out++) {
		connect_console(3, 3, 3);
		*(out ? &ring(3)->out_prod : &ring(3)->in_cons) = 1u << 31;
		fake_foreign_event(3);
		rounds(2);
		m = answer();
		assert_int_equal(m.what, LINK_REFUSED);
		assert_int_equal(m.n, 3);
		assert_int_equal(m.a, 0);
		assert_int_equal(fake_mapped, 0);
		memset(fake_page[3], 0, 4096);
	}
	assert_string_equal(said, "guest web: the ring of console 3 of its stubdomain is malformed: the console is closed");
	/* One line each, and not for ever. */
	for (int i = 0; i < 100; i++) {
		connect_console(3, 3, 3);
		ring(3)->out_prod = 1u << 31;
		fake_foreign_event(3);
		rounds(2);
		assert_int_equal(answer().what, LINK_REFUSED);
		memset(fake_page[3], 0, 4096);
	}
	assert_int_equal(lines, WORKER_LINES_PER_HOUR);
	tell(LINK_CONNECT, 3, 77, 3);
	m = answer();
	assert_int_equal(m.what, LINK_REFUSED);
	assert_int_equal(m.a, EINVAL);
}

static void its_own_indices_are_not_believed(void **state)
{
	(void)state;
	connect_console(0, 0, 1);
	ring(0)->out_cons = 12345;
	print(0, "x\n");
	fake_foreign_event(1);
	rounds(2);
	assert_string_equal(content(), "x\n");
	assert_int_equal(ring(0)->out_cons, 2);
}

static void a_flood(void **state)
{
	unsigned int n = 0;

	(void)state;
	connect_console(1, 1, 1);
	connect_console(0, 0, 2);
	/* Until it has used its burst up; then no event of it comes for a while. */
	while (!w.con[1].wake && n++ < 100000) {
		ring(1)->out_prod = ring(1)->out_cons + 2048;
		fake_foreign_event(1);
		rounds(1);
	}
	assert_true(w.con[1].wake);
	assert_true(fake_masked[1]);
	n = fake_notified[1];
	ring(1)->out_prod = ring(1)->out_cons + 2048;
	fake_foreign_event(1);
	/* Another one is served meanwhile. */
	print(0, "quiet\n");
	fake_foreign_event(2);
	rounds(1);
	assert_string_equal(content(), "quiet\n");
	/* It is served again when its time has come, without an event. */
	for (int i = 0; i < 100 && fake_notified[1] == n; i++)
		assert_int_equal(worker_round(&w, 100), 0);
	assert_true(fake_notified[1] > n);
}

static void who_else_speaks(void **state)
{
	const struct link_msg bad[] = {
		{ .what = LINK_CONNECT, .n = CONSOLES_MAX }, { .what = LINK_CONNECT, .n = UINT32_MAX }, { .what = LINK_CONNECT, .n = 5 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(send(sock, &bad[i], sizeof(bad[i]), 0), sizeof(bad[i]));
		assert_int_equal(worker_round(&w, 0), -EPIPE);
	}
	/* The parent goes: what is in the rings is not lost. */
	connect_console(0, 0, 1);
	print(0, "the end\n");
	close(sock);
	sock = -1;
	worker_run(&w);
	assert_string_equal(content(), "the end\n");
	assert_int_equal(fake_mapped, 0);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_log), TEST(a_state_to_restore), TEST(a_pty_both_ways), TEST(indices_that_cannot_be),
		TEST(its_own_indices_are_not_believed), TEST(a_flood), TEST(who_else_speaks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
