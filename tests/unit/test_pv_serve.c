// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/pv/serve.c src/stubdom/pv/front.c src/stubdom/pv/plan.c src/stubdom/pv/sink.c src/stubdom/pv/logfile.c src/stubdom/pv/qmp.c src/stubdom/pv/monitor.c src/stubdom/pv/rights.c src/lib/daemon/confine.c src/lib/daemon/watches.c src/lib/qmp/stream.c src/lib/xen/xs_util.c src/lib/xen/stubdomain.c src/lib/xen/domain.c src/lib/base/log.c tests/unit/fake_xenstore.c */
/* test-pkgs: json-c libseccomp */
/*
 * The process that libxl knows, confined as it is in life when the test is root: the test is libxl
 * and the processes that have the rings.  It ends with what is in its xenstore then.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "confined.h"
#include "fake_xenstore.h"
#include "stubdom/pv/rights.h"
#include "stubdom/pv/serve.h"

#define NOBODY 65534u

static struct args args;
static int worker, vnc;
static pid_t pid;

static void store(void)
{
	fake_xs_reset();
	fake_xs_introduce(7, true);
	fake_xs_set("/local/domain/7/target", "4");
	fake_xs_set("/local/domain/4/image/device-model-domid", "7");
	fake_xs_set("/libxl/4/dm-version", "qemu_xen");
	fake_xs_set("/local/domain/7/console/type", "ioemu");
	fake_xs_set("/local/domain/7/console/output", "null");
	fake_xs_set("/local/domain/7/console/port", "2");
	fake_xs_set("/local/domain/0/backend/console/7/0/state", "1");
	fake_xs_set("/local/domain/0/backend/console/7/0/frontend-id", "7");
	fake_xs_set("/local/domain/0/backend/vfb/7/0/state", "1");
	fake_xs_set("/local/domain/0/backend/vfb/7/0/frontend-id", "7");
}

/* 0: as it should be. */
static int left_behind(int status)
{
	const char *state = fake_xs_get("/local/domain/0/device-model/7/state");

	if (status)
		return 10 + status;
	if (!state || strcmp(state, "running"))
		return 20;
	if (strcmp(fake_xs_get("/local/domain/0/backend/console/7/0/state"), "6"))
		return 21;
	return fake_xs_open_transactions() ? 22 : 0;
}

static void child(int sock, int vnc_sock)
{
	const struct confine user = { .uid = NOBODY, .gid = NOBODY };
	static const struct log_about about = { .guest = "web", .domid = 4, .stubdom = 7 };
	static struct plan plan;
	struct serve s = { .args = &args, .plan = &plan, .about = &about, .sock = sock, .vnc_sock = vnc_sock };
	struct xs_handle *xs;
	const char *what;
	sigset_t set;

	store();
	xs = xs_open(0);
	if (plan_read(xs, 7, &plan))
		_exit(1);
	for (int i = 0; i < CONSOLES_MAX; i++)
		s.tty[i] = "";
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	s.signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (serve_open(&s))
		_exit(2);
	if (CAN_CONFINE && rights_serve(&user, &what))
		_exit(3);
	_exit(left_behind(serve_run(&s)));
}

static int start(bool with_vnc)
{
	int a[2], b[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, a), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, b), 0);
	args = (struct args){ .domid = 7, .name = "web-dm", .n_monitors = 1, .monitor[0].fd = -1 };
	args.vnc = (struct args_vnc){ .wanted = with_vnc, .password = with_vnc, .host = "127.0.0.1" };
	snprintf(args.monitor[0].path, sizeof(args.monitor[0].path), "/tmp/test_pv_serve-%d", (int)getpid());
	unlink(args.monitor[0].path);
	pid = fork();
	if (!pid) {
		close(a[0]);
		close(b[0]);
		child(a[1], with_vnc ? b[1] : -1);
	}
	close(a[1]);
	close(b[1]);
	worker = a[0];
	vnc = b[0];
	return 0;
}

/* @now: because nobody serves any more; else it has its reasons. */
static int ended_when(bool now)
{
	int status = 0;

	if (now) {
		close(worker);
		close(vnc);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (!now) {
		close(worker);
		close(vnc);
	}
	unlink(args.monitor[0].path);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static int ended(void)
{
	return ended_when(true);
}

static void say(int sock, uint32_t what, uint32_t n, uint64_t a)
{
	const struct link_msg m = { .what = what, .n = n, .a = a };

	assert_int_equal(send(sock, &m, sizeof(m), MSG_NOSIGNAL), sizeof(m));
}

static struct link_msg hear(int sock)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	struct link_msg m = { .what = 99 };

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_int_equal(recv(sock, &m, sizeof(m), MSG_DONTWAIT), sizeof(m));
	return m;
}

static void ready(void)
{
	struct link_msg m;

	say(worker, LINK_READY, 0, 0);
	m = hear(worker);
	assert_int_equal(m.what, LINK_CONNECT);
	assert_int_equal(m.n, 0);
	assert_int_equal(m.b, 2);
	say(worker, LINK_CONNECTED, 0, 0);
}

static int qmp(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, args.monitor[0].path);
	for (int i = 0; i < 2000; i++) {
		if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
			return fd;
		poll(NULL, 0, 10);
	}
	fail();
	return -1;
}

static const char *ask(int fd, const char *text)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	static char buf[4096];
	ssize_t n;

	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	assert_int_equal(poll(&p, 1, 20000), 1);
	n = recv(fd, buf, sizeof(buf) - 1, 0);
	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

/* The greeting may come with the first answer, or before. */
static void greet(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	char buf[1024];

	assert_int_equal(poll(&p, 1, 20000), 1);
	assert_true(recv(fd, buf, sizeof(buf), 0) > 0);
	assert_non_null(strstr(ask(fd, "{\"execute\":\"qmp_capabilities\"}"), "return"));
}

static void libxl_ends_it(void **state)
{
	(void)state;
	start(false);
	ready();
	greet(qmp());
	kill(pid, SIGHUP);
	assert_int_equal(ended(), 0);
}

static void quit_ends_it(void **state)
{
	int fd;

	(void)state;
	start(false);
	ready();
	fd = qmp();
	greet(fd);
	assert_non_null(strstr(ask(fd, "{\"execute\":\"query-vnc\"}"), "\"enabled\":false"));
	assert_non_null(strstr(ask(fd, "{\"execute\":\"quit\"}"), "return"));
	assert_int_equal(ended(), 0);
	close(fd);
}

static void with_a_screen(void **state)
{
	struct link_msg m;
	int fd;

	(void)state;
	start(true);
	say(vnc, LINK_READY, 0, 5901);
	ready();
	fd = qmp();
	greet(fd);
	assert_non_null(strstr(ask(fd, "{\"execute\":\"query-vnc\"}"), "\"service\":\"5901\""));
	assert_non_null(strstr(ask(fd, "{\"execute\":\"change-vnc-password\",\"arguments\":{\"password\":\"geheim\"}}"), "return"));
	m = hear(vnc);
	assert_int_equal(m.what, LINK_PASSWORD);
	assert_string_equal(m.text, "geheim");
	/* It ends: consoles are served on. */
	close(vnc);
	vnc = dup(fd);
	for (int i = 0; i < 1000 && !strstr(ask(fd, "{\"execute\":\"query-vnc\"}"), "\"enabled\":false"); i++)
		poll(NULL, 0, 10);
	kill(pid, SIGHUP);
	assert_int_equal(ended(), 0);
	close(fd);
}

static void what_goes_wrong(void **state)
{
	(void)state;
	/* The port is another's: libxl is to know. */
	start(true);
	say(vnc, LINK_FAILED, 0, 98);
	assert_int_equal(ended_when(false), 11);
	/* The rings' process ends, or is none. */
	start(false);
	ready();
	assert_int_equal(ended(), 11);
	start(false);
	say(worker, LINK_CONNECTED, 3, 0);
	assert_int_equal(ended_when(false), 11);
	/* The primary console cannot be mapped. */
	start(false);
	say(worker, LINK_READY, 0, 0);
	hear(worker);
	say(worker, LINK_REFUSED, 0, 22);
	assert_int_equal(ended_when(false), 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(libxl_ends_it), cmocka_unit_test(quit_ends_it), cmocka_unit_test(with_a_screen),
		cmocka_unit_test(what_goes_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
