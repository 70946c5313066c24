// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/qmp/client.c src/lib/base/log.c src/lib/qmp/stream.c */
/* test-pkgs: json-c libsystemd */
/* Sessions with a QEMU that is another process: a good one, bad ones, one that hangs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>

#define QMP_LIMIT_MS 300
#include "qmp/session.c"

static char dir[64], path[96], said[1024];
static sd_event *ev;
static struct qmp *q;
static int listener;
static pid_t qemu;

static void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static void note(const char *fmt, ...)
{
	size_t n = strlen(said);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said + n, sizeof(said) - n, fmt, ap);
	va_end(ap);
}

static void end(void)
{
	qmp_close(q);
	q = NULL;
	sd_event_exit(ev, 0);
}

static void on_ready(void *arg)
{
	(void)arg;
	note("ready;");
	assert_int_equal(qmp_command(q, "query-status", NULL, -1), 0);
	assert_int_equal(qmp_command(q, "query-status", NULL, -1), -EBUSY);
}

static void on_reply(void *arg, struct json_object *ret, const char *error)
{
	(void)arg;
	note("reply %s;", ret ? json_object_to_json_string_ext(ret, JSON_C_TO_STRING_PLAIN) : error);
	if (error)
		end();
	else
		qmp_command(q, "device_del", json_tokener_parse("{\"id\":\"a/b\"}"), -1);
}

static void on_event(void *arg, const char *name, struct json_object *data)
{
	(void)arg;
	note("event %s %s;", name, data ? json_object_to_json_string_ext(data, JSON_C_TO_STRING_PLAIN) : "-");
}

static void on_lost(void *arg, const char *why)
{
	(void)arg;
	note("lost %s;", why);
	end();
}

static const struct qmp_ops ops = { on_ready, on_reply, on_event, on_lost }, *use = &ops;

static int t_setup(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	(void)state;
	said[0] = '\0';
	strcpy(dir, "/tmp/virtiod-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/qmp", dir);
	strcpy(a.sun_path, path);
	listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(listener, 1), 0);
	assert_true(sd_event_new(&ev) >= 0);
	qemu = 0;
	return 0;
}

static int t_teardown(void **state)
{
	(void)state;
	if (qemu) {
		kill(qemu, SIGKILL);
		waitpid(qemu, NULL, 0);
	}
	sd_event_unref(ev);
	close(listener);
	unlink(path);
	rmdir(dir);
	return q ? -1 : 0;
}

/*
 * A QEMU that says @lines one after the other; before the next it waits for
 * something to be asked when a line begins with '>'.
 */
static void session(const char *const *lines, bool hang_up)
{
	qemu = fork();
	if (!qemu) {
		int fd = accept(listener, NULL, NULL);
		char buf[512];

		for (; *lines; lines++) {
			const char *l = *lines;

			/* After more time than an answer has. */
			if (*l == '~')
				usleep(3 * QMP_LIMIT_MS * 1000);
			if (*l == '>' && read(fd, buf, sizeof(buf)) <= 0)
				_exit(1);
			l += *l == '>' || *l == '~';
			if (write(fd, l, strlen(l)) < 0)
				_exit(1);
		}
		if (hang_up)
			_exit(0);
		pause();
	}
	q = qmp_open(ev, path, use, NULL);
	assert_non_null(q);
	assert_true(sd_event_loop(ev) >= 0);
}

#define HELLO "{\"QMP\": {\"version\": {}, \"capabilities\": [\"oob\"]}}\r\n"

static void good(void **state)
{
	static const char *const lines[] = {
		HELLO, ">{\"return\": {}}\r\n",
		">{\"event\":\"DEVICE_DELETED\",\"data\":{\"device\":\"d\"}}\r\n{\"return\": [1", ",2]}\r\n",
		">{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\\nway\\u001b[31m\"}}\r\n", NULL
	};

	(void)state;
	session(lines, false);
	assert_string_equal(said, "ready;event DEVICE_DELETED {\"device\":\"d\"};reply [1,2];reply no?way?[31m;");
}

static void bad(void **state)
{
	static const char *const cases[][4] = {
		{ "hello\r\n", NULL },
		{ "{\"return\":{}}\r\n", NULL },
		{ HELLO, HELLO, NULL },
		{ HELLO, ">{\"error\":{\"desc\":\"no\"}}\r\n", NULL },
		{ HELLO, "{\"foo\":1}", NULL },
	};
	static const char *const says[] = {
		"lost it sends what is no QMP;", "lost it answers what it was not asked;",
		"lost it greets twice;", "lost it refuses the negotiation;",
		"lost it sends what is no QMP;",
	};

	for (size_t i = 0; i < sizeof(says) / sizeof(says[0]); i++) {
		if (i) {
			t_teardown(state);
			t_setup(state);
		}
		session(cases[i], false);
		assert_string_equal(said, says[i]);
	}
}

static void hangs(void **state)
{
	static const char *const silent[] = { NULL };
	static const char *const half[] = { HELLO, ">{\"return\": {}}\r\n", NULL };

	session(silent, false);
	assert_string_equal(said, "lost no answer in time;");
	t_teardown(state);
	t_setup(state);
	session(half, false);
	assert_string_equal(said, "ready;lost no answer in time;");
	t_teardown(state);
	t_setup(state);
	session(half, true);
	assert_true(!strcmp(said, "ready;lost it closed the connection;") ||
		    !strcmp(said, "lost it closed the connection;"));
}

static void wait_ready(void *arg)
{
	(void)arg;
	note("ready;");
	qmp_wait(q);
}

static void wait_event(void *arg, const char *name, struct json_object *data)
{
	on_event(arg, name, data);
	if (!strcmp(name, "LAST"))
		end();
}

static const struct qmp_ops wait_ops = { wait_ready, on_reply, wait_event, on_lost };

/* Events come when they come; too many of them are not taken. */
static void waits(void **state)
{
	static const char *const late[] = { HELLO, ">{\"return\": {}}\r\n", "~{\"event\":\"LAST\"}\r\n", NULL };
	static char much[QMP_MSG_MAX + 65536];
	const char *const talks[] = { HELLO, ">{\"return\": {}}\r\n", much, NULL };

	use = &wait_ops;
	session(late, false);
	assert_string_equal(said, "ready;event LAST -;");
	t_teardown(state);
	t_setup(state);
	memset(much, ' ', sizeof(much) - 1);
	session(talks, false);
	assert_string_equal(said, "ready;lost it has said enough;");
	use = &ops;
}

static void not_listening(void **state)
{
	(void)state;
	assert_null(qmp_open(ev, "/nonexistent/qmp", &ops, NULL));
	assert_int_equal(errno, ENOENT);
	close(listener);
	listener = -1;
	assert_null(qmp_open(ev, path, &ops, NULL));
	assert_int_equal(errno, ECONNREFUSED);
}

/* One client at a time: the second one waits, and gives up. */
static void taken(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int other[8];

	(void)state;
	strcpy(a.sun_path, path);
	for (int i = 0; i < 8; i++) {
		other[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		if (connect(other[i], (struct sockaddr *)&a, sizeof(a)))
			assert_int_equal(errno, EAGAIN);
	}
	assert_null(qmp_open(ev, path, &ops, NULL));
	assert_int_equal(errno, EAGAIN);
	for (int i = 0; i < 8; i++)
		close(other[i]);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, t_setup, t_teardown)
	const struct CMUnitTest tests[] = {
		T(good), T(bad), T(hangs), T(waits), T(not_listening), T(taken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
