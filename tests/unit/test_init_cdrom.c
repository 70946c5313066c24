// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/cdrom.c src/stubdom/init/monitor.c src/lib/qmp/client.c src/lib/qmp/stream.c src/stubdom/init/contract.c src/stubdom/init/text.c src/stubdom/init/vbd.c src/stubdom/init/loop.c src/lib/xen/domain.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c */
/* test-pkgs: json-c */
/*
 * Init's own QMP connection and the media of CD drives, with this test as
 * QEMU at the other end of the socket; and once with a real QEMU.
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
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_xenstore.h"
#include "stubdom/init/cdrom.h"
#include "stubdom/init/failure.h"
#include "stubdom/init/monitor.h"

struct log_about init_about = { .domid = -1 };

int init_fail(int err, const char *fmt, ...)
{
	(void)fmt;
	return err;
}

static struct loop loop;
static struct monitor q;
static struct cdrom cd;
static int qemu;			/* QEMU's end */
static int got_fd;			/* what came with the last command */
static char dev[] = "/tmp/test-dev-XXXXXX", version[48];
static unsigned int answers, refusals;

static void on_ready(void *arg, const char *v)
{
	(void)arg;
	snprintf(version, sizeof(version), "%s", v);
}

static void on_answer(void *arg, struct json_object *ret, const char *error)
{
	(void)arg;
	assert_true(!ret != !error);
	if (ret)
		answers++;
	else
		refusals++;
}

static void turn(void)
{
	for (int i = 0; i < 5; i++)
		loop_once(&loop, 5);
}

/* The next command that init sends; "" when there is none. */
static const char *command(void)
{
	static char buf[4096];
	struct iovec iov = { .iov_base = buf, .iov_len = sizeof(buf) - 1 };
	char ctl[CMSG_SPACE(sizeof(int) * 4)];
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1,
		.msg_control = ctl, .msg_controllen = sizeof(ctl),
	};
	struct cmsghdr *c;
	ssize_t n;

	turn();
	n = recvmsg(qemu, &mh, MSG_DONTWAIT);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\r")] = '\0';
	if (got_fd >= 0)
		close(got_fd);
	got_fd = -1;
	c = n > 0 ? CMSG_FIRSTHDR(&mh) : NULL;
	if (c)
		memcpy(&got_fd, CMSG_DATA(c), sizeof(int));
	return buf;
}

static void say(const char *s)
{
	assert_int_equal(write(qemu, s, strlen(s)), strlen(s));
	turn();
}

static int setup(void **state)
{
	int sp[2];

	(void)state;
	fake_xs_reset();
	answers = refusals = 0;
	got_fd = -1;
	memset(&cd, 0, sizeof(cd));
	if (loop_init(&loop) || socketpair(AF_UNIX, SOCK_STREAM, 0, sp))
		return -1;
	qemu = sp[0];
	cd.xs = xs_open(0);
	cd.monitor = &q;
	cd.dev = dev;
	fake_xs_set("device/vbd/5632/device-type", "cdrom");
	fake_xs_set("device/vbd/768/device-type", "disk");
	return monitor_init(&q, &loop, sp[1], on_ready, NULL);
}

static int setup_ready(void **state)
{
	if (setup(state))
		return -1;
	say("{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 13, \"minor\": 0, \"major\": 10}}}}\r\n");
	assert_string_equal(command(), "{\"execute\":\"qmp_capabilities\"}");
	say("{\"return\": {}}\r\n");
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	monitor_close(&q);
	xs_close(cd.xs);
	close(loop.epfd);
	close(qemu);
	if (got_fd >= 0)
		close(got_fd);
	return 0;
}

/* ---- is QEMU alive? ---- */

static char said[512];

static void sink(int level, const struct log_about *about, const char *line)
{
	size_t n = strlen(said);

	(void)level;
	(void)about;
	snprintf(said + n, sizeof(said) - n, "%s\n", line);
}

static int setup_beat(void **state)
{
	said[0] = '\0';
	log_open("test", sink, LOG_NOTICE);
	monitor_beat_ms = 200;
	return setup_ready(state);
}

static int teardown_beat(void **state)
{
	monitor_beat_ms = 30000;
	log_open("test", NULL, LOG_INFO);
	return teardown(state);
}

static bool comes(const char *text)
{
	for (int64_t end = now_ms() + 10000; now_ms() < end && !strstr(said, text);)
		loop_once(&loop, 10);
	return strstr(said, text);
}

static void a_qemu_that_stands_still(void **state)
{
	const char *line = "";

	(void)state;
	for (int64_t end = now_ms() + 10000; now_ms() < end && !*line;)
		line = command();
	assert_string_equal(line, "{\"execute\":\"query-status\"}");
	assert_true(comes("QEMU has not answered for"));
	/* Asked once, said once, however long it is. */
	for (int64_t end = now_ms() + 1000; now_ms() < end;)
		assert_string_equal(command(), "");
	assert_null(strchr(strchr(said, '\n') + 1, '\n'));
	say("{\"return\": {\"status\": \"running\"}}\r\n");
	assert_true(comes("QEMU answers again"));
}

static void nothing_before_the_greeting(void **state)
{
	(void)state;
	assert_int_equal(monitor_send(&q, "stop", NULL, -1, on_answer, NULL), 0);
	assert_string_equal(command(), "");
	say("{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 13, \"minor\": 0, \"major\": 10}}}}\r\n");
	assert_string_equal(command(), "{\"execute\":\"qmp_capabilities\"}");
	assert_string_equal(command(), "");
	say("{\"return\": {}}\r\n");
	assert_string_equal(version, "10.0.13");
	assert_string_equal(command(), "{\"execute\":\"stop\"}");
}

static void one_after_the_other(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		monitor_send(&q, i == 1 ? "two" : "one", NULL, -1, on_answer, NULL);
	assert_string_equal(command(), "{\"execute\":\"one\"}");
	say("{\"event\": \"STOP\"}\r\n");
	assert_int_equal(answers, 0);
	say("{\"return\": {}}\r\n");
	assert_int_equal(answers, 1);
	assert_string_equal(command(), "{\"execute\":\"two\"}");
	say("{\"error\": {\"class\": \"GenericError\", \"desc\": \"no\"}}\r\n");
	assert_int_equal(refusals, 1);
	/* QEMU goes: what is left is refused, once */
	shutdown(qemu, SHUT_RDWR);
	turn();
	assert_int_equal(refusals, 2);
	assert_int_equal(monitor_send(&q, "late", NULL, -1, on_answer, NULL), -ENOTCONN);
}

static void the_queue_is_bounded(void **state)
{
	int n = 0;

	(void)state;
	while (!monitor_send(&q, "x", NULL, -1, on_answer, NULL))
		assert_true(++n <= QMP_QUEUE);
	assert_int_equal(n, QMP_QUEUE);
}

static const struct vbd_event cdc = { .devid = 5632, .dev = "xvdc" };

static void a_new_medium(void **state)
{
	char a[64], b[64];
	struct stat st, st2;

	(void)state;
	cdrom_event(&cd, &cdc, 1);
	assert_string_equal(command(), "{\"execute\":\"query-fdsets\"}");
	/* an old one of this drive, and others that stay */
	say("{\"return\": [{\"fdset-id\": 1, \"fds\": [{\"fd\": 9, \"opaque\": \"xe-save\"}]},"
	    "{\"fdset-id\": 2, \"fds\": [{\"fd\": 11}, {\"fd\": 12, \"opaque\": \"stub-devid:5632\"}]},"
	    "{\"fdset-id\": 3, \"fds\": [{\"fd\": 14, \"opaque\": \"stub-devid:56320\"}]}]}\r\n");
	assert_string_equal(command(),
		"{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":2}}");
	assert_int_equal(got_fd, -1);
	say("{\"return\": {}}\r\n");
	assert_string_equal(command(),
		"{\"execute\":\"add-fd\",\"arguments\":{\"opaque\":\"stub-devid:5632\"}}");
	assert_true(got_fd >= 0);
	snprintf(a, sizeof(a), "%s/xvdc", dev);
	snprintf(b, sizeof(b), "/proc/self/fd/%d", got_fd);
	assert_int_equal(stat(a, &st) | stat(b, &st2), 0);
	assert_int_equal(st.st_ino, st2.st_ino);
	assert_int_equal(fcntl(got_fd, F_GETFL) & (O_ACCMODE | O_DIRECT), O_RDONLY);
	say("{\"return\": {\"fdset-id\": 2, \"fd\": 20}}\r\n");
	assert_string_equal(command(), "");
	assert_int_equal(cd.count, 0);
}

static void a_medium_that_went(void **state)
{
	(void)state;
	fake_xs_rm("device/vbd/5632");
	cdrom_event(&cd, &cdc, -1);
	assert_string_equal(command(), "{\"execute\":\"query-fdsets\"}");
	say("{\"return\": [{\"fdset-id\": 2, \"fds\": [{\"fd\": 12, \"opaque\": \"stub-devid:5632\"}]}]}\r\n");
	assert_string_equal(command(),
		"{\"execute\":\"remove-fd\",\"arguments\":{\"fdset-id\":2}}");
	say("{\"return\": {}}\r\n");
	assert_string_equal(command(), "");
}

/* The next change asks for the fdsets when the one before is done. */
static void changes_wait_for_each_other(void **state)
{
	(void)state;
	cdrom_event(&cd, &cdc, -1);
	cdrom_event(&cd, &cdc, 1);
	assert_string_equal(command(), "{\"execute\":\"query-fdsets\"}");
	assert_string_equal(command(), "");
	say("{\"return\": []}\r\n");
	assert_string_equal(command(), "{\"execute\":\"query-fdsets\"}");
	say("{\"return\": []}\r\n");
	assert_non_null(strstr(command(), "add-fd"));
	say("{\"error\": {\"desc\": \"no\"}}\r\n");
	assert_int_equal(cd.count, 0);
	for (int i = 0; i < 2 * CDROM_QUEUE; i++)
		cdrom_event(&cd, &cdc, 1);
	assert_int_equal(cd.count, CDROM_QUEUE);
	shutdown(qemu, SHUT_RDWR);
	turn();
	assert_int_equal(cd.count, 0);
}

static void disks_are_left_alone(void **state)
{
	const struct vbd_event hda = { .devid = 768, .dev = "xvda" };

	(void)state;
	cdrom_event(&cd, &hda, 1);
	assert_string_equal(command(), "");
}

static void a_drive_that_starts_empty(void **state)
{
	(void)state;
	/* QEMU opened it itself */
	cdrom_scan(&cd, 1 << 2);
	assert_string_equal(command(), "");
	cdrom_scan(&cd, 1 << 0);
	assert_string_equal(command(), "{\"execute\":\"query-fdsets\"}");
}

static void answers_that_are_odd(void **state)
{
	static const char *const odd[] = {
		"{\"return\": 1}", "{\"return\": [1, null, {}]}",
		"{\"return\": [{\"fdset-id\": 1, \"fds\": 7}]}",
		"{\"return\": [{\"fds\": [{\"opaque\": \"stub-devid:5632\"}]}]}",
		"{\"error\": null}",
	};

	(void)state;
	for (unsigned int i = 0; i < sizeof(odd) / sizeof(odd[0]); i++) {
		cdrom_event(&cd, &cdc, 1);
		assert_string_equal(command(), "{\"execute\":\"query-fdsets\"}");
		say(odd[i]);
		assert_non_null(strstr(command(), "add-fd"));
		say("{\"return\": {}}\r\n");
	}
}

static void on_sets(void *arg, struct json_object *ret, const char *error)
{
	(void)error;
	*(struct json_object **)arg = json_object_get(ret);
}

static void real_qemu(void **state)
{
	static char *argv[] = {
		"qemu", "-accel", "qtest", "-M", "none", "-nodefaults", "-display", "none",
		"-chardev", "socket,id=b,fd=3,server=on,wait=off",
		"-mon", "chardev=b,mode=control", NULL,
	};
	const char *program = getenv("XE_QEMU");
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	struct json_object *sets = NULL;
	int l, c, status;
	pid_t pid;

	/* the stubdomain's, once it is built */
	if (!program || access(program, X_OK)) {
		print_message("XE_QEMU names no QEMU: skipped\n");
		skip();
	}
	setup(state);
	monitor_close(&q);
	l = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/tmp/test-cd.%d", getpid());
	assert_int_equal(bind(l, (struct sockaddr *)&sa, sizeof(sa)) | listen(l, 1), 0);
	c = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(connect(c, (struct sockaddr *)&sa, sizeof(sa)), 0);
	unlink(sa.sun_path);
	pid = fork();
	if (!pid) {
		dup2(l, 3);
		close_range(4, ~0U, 0);
		execv(program, argv);
		_exit(127);
	}
	close(l);
	assert_int_equal(monitor_init(&q, &loop, c, on_ready, NULL), 0);
	/* twice: the second must replace the first */
	cdrom_event(&cd, &cdc, 1);
	cdrom_event(&cd, &cdc, 1);
	for (int i = 0; i < 2000 && cd.count; i++)
		loop_once(&loop, 10);
	assert_int_equal(cd.count, 0);
	monitor_send(&q, "query-fdsets", NULL, -1, on_sets, &sets);
	for (int i = 0; i < 500 && !sets; i++)
		loop_once(&loop, 10);
	assert_int_equal(json_object_array_length(sets), 1);
	assert_non_null(strstr(json_object_to_json_string(sets), "\"opaque\": \"stub-devid:5632\""));
	json_object_put(sets);
	monitor_send(&q, "quit", NULL, -1, NULL, NULL);
	while (q.src.fd >= 0)
		loop_once(&loop, 100);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	teardown(state);
}

static int group_setup(void **state)
{
	char path[64];
	int fd;

	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (!mkdtemp(dev))
		return -1;
	snprintf(path, sizeof(path), "%s/xvdc", dev);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	close(fd);
	return fd < 0;
}

static int group_teardown(void **state)
{
	char path[64];

	(void)state;
	snprintf(path, sizeof(path), "%s/xvdc", dev);
	unlink(path);
	return rmdir(dev);
}

#define BEAT(f) cmocka_unit_test_setup_teardown(f, setup_beat, teardown_beat)
#define N(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define R(f) cmocka_unit_test_setup_teardown(f, setup_ready, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		N(nothing_before_the_greeting), R(one_after_the_other),
		R(the_queue_is_bounded), R(a_new_medium), R(a_medium_that_went),
		R(changes_wait_for_each_other), R(disks_are_left_alone),
		R(a_drive_that_starts_empty), R(answers_that_are_odd),
		BEAT(a_qemu_that_stands_still),
		cmocka_unit_test(real_qemu),
	};

	log_set_level(LOG_CRIT);
	return cmocka_run_group_tests(tests, group_setup, group_teardown);
}
