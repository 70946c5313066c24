// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/carrier.c src/stubdom/init/monitor.c src/lib/qmp/client.c src/lib/qmp/stream.c src/stubdom/init/loop.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c */
/* test-pkgs: json-c */
/* The link of the emulated cards, with this test as QEMU and as dom0. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fake_xenstore.h"
#include "stubdom/init/carrier.h"
#include "stubdom/init/failure.h"

struct log_about init_about = { .domid = -1 };

static struct loop loop;
static struct monitor q;
static struct carrier c;
static struct args_plan plan;
static int qemu;
static unsigned int lines;

static void sink(int level, const struct log_about *about, const char *line)
{
	(void)level;
	(void)about;
	(void)line;
	lines++;
}

/* The next command that init sends, answered; "" when there is none. */
static const char *command(const char *answer)
{
	static char buf[1024];
	ssize_t n;

	for (int i = 0; i < 5; i++)
		loop_once(&loop, 5);
	n = recv(qemu, buf, sizeof(buf) - 1, MSG_DONTWAIT);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\r")] = '\0';
	if (n > 0)
		assert_int_equal(write(qemu, answer, strlen(answer)), strlen(answer));
	return buf;
}

static void state(int devid, const char *value)
{
	fake_xs_setf(value, "device/vif/%d/state", devid);
	carrier_check(&c);
}

static int setup(void **st)
{
	static const char hello[] = "{\"QMP\": {\"version\": {\"qemu\": {\"micro\": 13, \"minor\": 0, \"major\": 10}}}}\r\n";
	int sp[2];

	(void)st;
	fake_xs_reset();
	lines = 0;
	memset(&plan, 0, sizeof(plan));
	plan.n_nics = 2;
	plan.nics[1].devid = 3;
	strcpy(plan.nics[0].id, "net0");
	strcpy(plan.nics[1].id, "net3");
	if (loop_init(&loop) || socketpair(AF_UNIX, SOCK_STREAM, 0, sp))
		return -1;
	qemu = sp[0];
	if (monitor_init(&q, &loop, sp[1], NULL, NULL) ||
	    write(qemu, hello, strlen(hello)) < 0 ||
	    strcmp(command("{\"return\": {}}"), "{\"execute\":\"qmp_capabilities\"}"))
		return -1;
	fake_xs_set("device/vif/0/state", "4");
	fake_xs_set("device/vif/3/state", "4");
	return carrier_watch(&c, xs_open(0), &q, &plan);
}

static int teardown(void **st)
{
	(void)st;
	monitor_close(&q);
	xs_close(c.xs);
	close(loop.epfd);
	close(qemu);
	return 0;
}

static void a_card_that_is_detached(void **st)
{
	(void)st;
	carrier_check(&c);
	assert_string_equal(command(""), "");
	state(3, "5");
	assert_string_equal(command("{\"return\": {}}"),
		"{\"execute\":\"set_link\",\"arguments\":{\"name\":\"net3\",\"up\":false}}");
	/* once */
	state(3, "6");
	fake_xs_rm("device/vif/3");
	carrier_check(&c);
	assert_string_equal(command(""), "");
	assert_int_equal(lines, 1);
	/* taken away without a word */
	fake_xs_rm("device/vif/0");
	carrier_check(&c);
	assert_string_equal(command("{\"error\": {\"desc\": \"Device 'net0' not found\"}}"),
		"{\"execute\":\"set_link\",\"arguments\":{\"name\":\"net0\",\"up\":false}}");
	assert_int_equal(lines, 2);
}

static void a_card_that_comes_back(void **st)
{
	(void)st;
	state(0, "6");
	assert_non_null(strstr(command("{\"return\": {}}"), "\"up\":false"));
	state(0, "1");
	state(0, "2");
	state(0, "nonsense");
	assert_string_equal(command(""), "");
	state(0, "4");
	assert_string_equal(command("{\"return\": {}}"),
		"{\"execute\":\"set_link\",\"arguments\":{\"name\":\"net0\",\"up\":true}}");
}

static void without_a_name_or_qemu(void **st)
{
	(void)st;
	plan.nics[0].id[0] = '\0';
	state(0, "6");
	assert_string_equal(command(""), "");
	shutdown(qemu, SHUT_RDWR);
	for (int i = 0; i < 5; i++)
		loop_once(&loop, 5);
	state(3, "6");
	assert_int_equal(lines, 2);
}

static void nothing_to_watch(void **st)
{
	struct carrier none = { 0 };
	struct args_plan empty = { 0 };

	(void)st;
	carrier_check(&none);		/* before it is set up */
	fake_xs_fail(FAKE_XS_WATCH, NULL, ENOSPC, -1);
	assert_int_equal(carrier_watch(&none, c.xs, &q, &empty), 0);
	assert_int_equal(carrier_watch(&none, c.xs, &q, &plan), -ENOSPC);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_card_that_is_detached), T(a_card_that_comes_back),
		T(without_a_name_or_qemu), T(nothing_to_watch),
	};

	signal(SIGPIPE, SIG_IGN);
	log_open("test", sink, LOG_INFO);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
