// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/pv/worker.c src/stubdom/pv/conring.c src/stubdom/pv/sink.c src/stubdom/pv/logfile.c src/stubdom/pv/rights.c src/lib/daemon/confine.c src/lib/base/log.c tests/unit/fake_foreign.c */
/* test-pkgs: libseccomp */
/* The process that has the consoles' rings, confined where the test can: all that it does, it may. */
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
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confined.h"
#include "fake_foreign.h"
#include "stubdom/pv/rights.h"
#include "stubdom/pv/worker.h"

#define NOBODY 65534u

static char path[64], tty[64];

static void fill(unsigned int ref, size_t n)
{
	struct xencons_interface *r = (struct xencons_interface *)fake_page[ref];

	memset(r->out, 'x', sizeof(r->out));
	r->out_prod = (uint32_t)n;
}

/* Console 0 to a log that is trimmed, 1 to a state's file, 3 to a pty. */
static void child(struct worker *w)
{
	const struct confine user = { .uid = NOBODY, .gid = NOBODY };
	const char *what = "";

	w->foreign = foreign_open(7);
	fill(0, 2048);
	fill(1, 2048);
	fill(3, 5);
	if (worker_init(w) || (CAN_CONFINE && rights_worker(&user, &what)))
		_exit(1);
	/* Nothing more can be opened. */
	if (CAN_CONFINE && (open("/dev/null", O_RDONLY) >= 0 || errno != EPERM))
		_exit(2);
	worker_run(w);
	_exit(fake_mapped ? 3 : 0);
}

static void connect_console(int sock, uint32_t n)
{
	struct link_msg m = { .what = LINK_CONNECT, .n = n, .a = n, .b = n + 1 };
	struct pollfd p = { .fd = sock, .events = POLLIN };

	assert_int_equal(send(sock, &m, sizeof(m), 0), sizeof(m));
	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_int_equal(recv(sock, &m, sizeof(m), 0), sizeof(m));
	assert_int_equal(m.what, LINK_CONNECTED);
}

static void confined(void **state)
{
	static struct log_about about = { .guest = "web", .domid = 4 };
	static struct worker w;
	char none[64], state_path[80], buf[16];
	int fds[2], slave, status;
	pid_t pid;

	(void)state;
	strcpy(path, "/tmp/test_pv_rights-XXXXXX");
	close(mkstemp(path));
	snprintf(state_path, sizeof(state_path), "%s.state", path);
	w.about = &about;
	assert_int_equal(sink_open(&w.con[0].sink, SINK_LOG, 0, path, none, sizeof(none)), 0);
	w.con[0].sink.log.max = 1024;
	assert_int_equal(sink_open(&w.con[1].sink, SINK_STATE, 1, state_path, none, sizeof(none)), 0);
	assert_int_equal(sink_open(&w.con[3].sink, SINK_PTY, 3, "", tty, sizeof(tty)), 0);
	slave = open(tty, O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fds), 0);
	w.sock = fds[1];
	pid = fork();
	if (!pid) {
		close(fds[0]);
		child(&w);
	}
	close(fds[1]);
	connect_console(fds[0], 0);
	connect_console(fds[0], 1);
	connect_console(fds[0], 3);
	assert_int_equal(read(slave, buf, sizeof(buf)), 5);
	assert_int_equal(write(slave, "typed", 5), 5);
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_int_equal(truncate(state_path, 2048), 0);
	assert_int_equal(access(path, F_OK), 0);
	unlink(path);
	unlink(state_path);
	close(slave);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(confined) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
