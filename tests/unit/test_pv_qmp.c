// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/pv/qmp.c src/stubdom/pv/monitor.c src/lib/qmp/stream.c */
/* test-pkgs: json-c */
/* What libxl asks, over a socket, as it does. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "stubdom/pv/monitor.h"

static struct qmp_vnc vnc;
static struct qmp_server q;
static struct monitor m;
static struct args_monitor where = { .fd = -1 };
static char word[64];

static int set_password(void *arg, const char *text)
{
	(void)arg;
	snprintf(word, sizeof(word), "%s", text);
	return *text ? 0 : -EINVAL;
}

static int setup(void **state)
{
	(void)state;
	vnc = (struct qmp_vnc){ 0 };
	q = (struct qmp_server){ .name = "web-dm", .vnc = &vnc };
	snprintf(where.path, sizeof(where.path), "/tmp/test_pv_qmp-%d", (int)getpid());
	assert_int_equal(monitor_open(&m, &where), 0);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	monitor_close(&m);
	unlink(where.path);
	return 0;
}

static void step(void)
{
	for (int i = 0; i < 10; i++) {
		struct pollfd p = monitor_poll(&m);

		if (poll(&p, 1, 0) <= 0)
			break;
		monitor_serve(&m, &q, p.revents);
	}
}

static int client(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(a.sun_path, where.path);
	assert_int_equal(connect(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	step();
	return fd;
}

static const char *hear(int fd)
{
	static char buf[65536];
	ssize_t n = recv(fd, buf, sizeof(buf) - 1, MSG_DONTWAIT);

	buf[n > 0 ? n : 0] = '\0';
	return buf;
}

static const char *ask(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), (ssize_t)strlen(text));
	step();
	return hear(fd);
}

static void as_libxl_does(void **state)
{
	struct stat st;
	int fd = client();

	(void)state;
	assert_int_equal(stat(where.path, &st), 0);
	assert_int_equal(st.st_mode & 077, 0);
	assert_non_null(strstr(hear(fd), "{\"QMP\":{\"version\":{\"qemu\":{\"major\":"));
	assert_non_null(strstr(ask(fd, "{\"execute\":\"query-vnc\"}"), "CommandNotFound"));
	assert_string_equal(ask(fd, "{\"execute\":\"qmp_capabilities\",\"id\":1}\r\n"), "{\"return\":{},\"id\":1}\r\n");
	assert_non_null(strstr(ask(fd, "{\"execute\":\"qmp_capabilities\"}"), "CommandNotFound"));
	assert_string_equal(ask(fd, "{\"execute\":\"query-command-line-options\",\"id\":2}"), "{\"return\":[],\"id\":2}\r\n");
	assert_string_equal(ask(fd, "{\"execute\":\"query-chardev\",\"id\":3}"), "{\"return\":[],\"id\":3}\r\n");
	assert_string_equal(ask(fd, "{\"execute\":\"query-vnc\",\"id\":\"x\"}"), "{\"return\":{\"enabled\":false},\"id\":\"x\"}\r\n");
	assert_non_null(strstr(ask(fd, "{\"execute\":\"change-vnc-password\",\"arguments\":{\"password\":\"p\"}}"), "\"error\""));
	assert_non_null(strstr(ask(fd, "{\"execute\":\"device_add\"}"), "CommandNotFound"));
	assert_false(q.quit);
	assert_string_equal(ask(fd, "{\"execute\":\"quit\"}"), "{\"return\":{}}\r\n");
	assert_true(q.quit);
	close(fd);
}

static void the_screen(void **state)
{
	int fd = client();

	(void)state;
	vnc = (struct qmp_vnc){ .enabled = true, .host = "127.0.0.1", .service = "5901" };
	q.password = set_password;
	hear(fd);
	ask(fd, "{\"execute\":\"qmp_capabilities\"}");
	assert_non_null(strstr(ask(fd, "{\"execute\":\"query-vnc\"}"), "\"host\":\"127.0.0.1\",\"service\":\"5901\",\"auth\":\"none\""));
	assert_string_equal(ask(fd, "{\"execute\":\"change-vnc-password\",\"arguments\":{\"password\":\"geheim\"}}"), "{\"return\":{}}\r\n");
	assert_string_equal(word, "geheim");
	assert_non_null(strstr(ask(fd, "{\"execute\":\"change-vnc-password\",\"arguments\":{\"password\":\"\"}}"), "GenericError"));
	assert_non_null(strstr(ask(fd, "{\"execute\":\"change-vnc-password\",\"arguments\":{\"password\":7}}"), "missing"));
	assert_non_null(strstr(ask(fd, "{\"execute\":\"change-vnc-password\",\"arguments\":[]}"), "must be an object"));
	assert_non_null(strstr(ask(fd, "{\"execute\":\"change-vnc-password\"}"), "missing"));
	close(fd);
}

static void junk(void **state)
{
	static char big[MONITOR_MSG_MAX + 4096];
	int fd = client();

	(void)state;
	hear(fd);
	assert_non_null(strstr(ask(fd, "hello\n"), "JSON parse error"));
	assert_non_null(strstr(ask(fd, "{\"execute\":7}\n"), "lacks member 'execute'"));
	assert_non_null(strstr(ask(fd, "{}\n"), "lacks member"));
	assert_string_equal(ask(fd, "{\"execute\":\"qmp_capabilities\"}"), "{\"return\":{}}\r\n");
	/* Too long a message: said once, and the connection goes on with the next line. */
	memset(big, ' ', sizeof(big));
	big[0] = '{';
	big[sizeof(big) - 2] = '\n';
	big[sizeof(big) - 1] = '\0';
	for (size_t at = 0; at < sizeof(big) - 1; at += 4096) {
		size_t n = sizeof(big) - 1 - at < 4096 ? sizeof(big) - 1 - at : 4096;

		assert_int_equal(send(fd, big + at, n, MSG_NOSIGNAL), (ssize_t)n);
		step();
	}
	assert_non_null(strstr(hear(fd), "JSON parse error"));
	assert_string_equal(ask(fd, "{\"execute\":\"query-block\"}"), "{\"return\":[]}\r\n");
	close(fd);
}

static void one_after_the_other(void **state)
{
	int first = client(), second = client();

	(void)state;
	assert_non_null(strstr(hear(first), "QMP"));
	assert_string_equal(hear(second), "");
	ask(first, "{\"execute\":\"qmp_capabilities\"}");
	close(first);
	step();
	assert_non_null(strstr(hear(second), "QMP"));
	/* It negotiates for itself. */
	assert_non_null(strstr(ask(second, "{\"execute\":\"query-block\"}"), "CommandNotFound"));
	close(second);
	step();
}

static void one_that_does_not_read(void **state)
{
	static const char line[] = "{\"execute\":\"query-version\"}\n";
	int fd = client(), next;

	(void)state;
	ask(fd, "{\"execute\":\"qmp_capabilities\"}");
	for (int i = 0; i < 100000 && send(fd, line, sizeof(line) - 1, MSG_DONTWAIT | MSG_NOSIGNAL) > 0; i++)
		step();
	assert_true(m.out.len - m.out.head <= MONITOR_OUT_MAX);
	close(fd);
	step();
	next = client();
	assert_non_null(strstr(hear(next), "QMP"));
	close(next);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(as_libxl_does), TEST(the_screen), TEST(junk), TEST(one_after_the_other), TEST(one_that_does_not_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
