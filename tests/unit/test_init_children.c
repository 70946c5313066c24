// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/children.c src/stubdom/init/outlog.c src/stubdom/init/lines.c src/stubdom/init/loop.c src/stubdom/init/failure.c src/lib/base/log.c */
/*
 * What becomes of stubdom-init when its children die or hang: real processes, which play
 * QEMU and the broker, in place of programs without rights.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "stubdom/init/children.h"
#include "stubdom/init/failure.h"
#include "stubdom/init/qmp_broker.h"
#include "stubdom/init/spawn.h"

/* What a broker does: shows that it is alive, or comes up and then does nothing more, or ends. */
static enum { LIVES, HANGS, NEVER_READY, ENDS } broker_does;

static struct {
	struct loop loop;
	struct children c;
	char log[8192];
	unsigned int brokers;
} f;

/* ---- in place of spawn.c ---- */

static void play_broker(int ready)
{
	if (broker_does == NEVER_READY)
		pause();
	if (write(ready, "r", 1) != 1 || broker_does == ENDS)
		_exit(1);
	while (broker_does == LIVES && write(ready, ".", 1) == 1)
		usleep(20000);
	pause();
}

pid_t child_start(const struct child_spec *s)
{
	bool broker = !strcmp(s->argv[0], "qmp-broker");
	pid_t pid = fork();

	f.brokers += broker;
	if (pid)
		return pid;
	alarm(60);	/* whatever becomes of the test */
	if (broker)
		play_broker(s->fds[BROKER_FD_READY - 3]);
	pause();
	_exit(0);
}

const char *child_status(int status, char *buf, unsigned int size)
{
	snprintf(buf, size, "status 0x%x", (unsigned int)status);
	return buf;
}

int qmp_listen(const char *path, uid_t uid)
{
	(void)path;
	(void)uid;
	return dup(1);
}

/* ---- the rest of init ---- */

static void sink(int level, const struct log_about *about, const char *line)
{
	size_t n = strlen(f.log);

	(void)about;
	snprintf(f.log + n, sizeof(f.log) - n, "<%d>%s\n", level, line);
}

static unsigned int said(const char *text)
{
	unsigned int n = 0;

	for (const char *p = f.log; (p = strstr(p, text)); p += strlen(text))
		n++;
	return n;
}

static bool ended;

/* Until @text was said so often; false when that does not come. */
static bool comes(const char *text, unsigned int times)
{
	for (int64_t end = now_ms() + 20000; now_ms() < end;) {
		loop_once(&f.loop, 10);
		ended |= children_reap(&f.c);
		if (said(text) >= times)
			return true;
	}
	return false;
}

static void start(void)
{
	static char *argv[] = { (char *)"qemu", NULL };
	static struct args_plan plan = { .argv = argv, .argc = 1, .machine = "xenfv" };

	assert_int_equal(children_start(&f.c, &plan, -1), 0);
	assert_true(f.c.qemu > 0);
}

static int setup(void **state)
{
	const struct wire_save none = { -1, -1, -1 };

	(void)state;
	memset(&f, 0, sizeof(f));
	ended = false;
	log_open("test", sink, LOG_INFO);
	broker_does = LIVES;
	children_late_ms = 400;
	if (loop_init(&f.loop))
		return -1;
	children_init(&f.c, &f.loop, 4, &none);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	if (f.c.broker)
		kill(f.c.broker, SIGKILL);
	if (f.c.qemu)
		kill(f.c.qemu, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	return close(f.loop.epfd);
}

static void a_broker_that_lives_is_left_alone(void **state)
{
	(void)state;
	start();
	for (int64_t end = now_ms() + 1500; now_ms() < end;) {
		loop_once(&f.loop, 10);
		assert_false(children_reap(&f.c));
	}
	assert_int_equal(f.brokers, 1);
	assert_string_equal(f.log, "");
}

static void a_broker_that_hangs_is_replaced(void **state)
{
	(void)state;
	broker_does = HANGS;
	start();
	broker_does = LIVES;
	assert_true(comes("QMP broker ended: starting it again", 1));
	assert_int_equal(said("QMP broker has not moved for"), 1);
	assert_int_equal(f.brokers, 2);
	assert_true(f.c.broker > 0);
	assert_false(ended);
}

static void a_broker_that_was_stopped_too(void **state)
{
	pid_t old;

	(void)state;
	start();
	old = f.c.broker;
	assert_int_equal(kill(old, SIGSTOP), 0);
	assert_true(comes("QMP broker ended: starting it again", 1));
	assert_true(f.c.broker > 0 && f.c.broker != old);
}

/* Not for ever: a line that says so, and it is tried again much later. */
static void one_that_always_ends_is_given_up(void **state)
{
	(void)state;
	broker_does = ENDS;
	start();
	assert_true(comes("tried again in 10 minutes", 1));
	assert_int_equal(f.brokers, 5);
	assert_false(ended);
}

static void one_that_never_comes_up_is_ended(void **state)
{
	(void)state;
	broker_does = NEVER_READY;
	start();
	broker_does = LIVES;
	assert_int_equal(said("QMP broker does not start: Connection timed out"), 1);
	assert_true(comes("QMP broker ended: starting it again", 1));
	assert_true(f.c.broker > 0);
}

static void qemu_killed_is_the_end(void **state)
{
	(void)state;
	start();
	assert_int_equal(kill(f.c.qemu, SIGKILL), 0);
	assert_true(comes("device model ended before it was ready", 1));
	assert_true(ended);
	assert_non_null(strstr(f.log, "out of memory? raise stubdomain_memory="));
	assert_non_null(init_reason());
}

#define C(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		C(a_broker_that_lives_is_left_alone), C(a_broker_that_hangs_is_replaced),
		C(a_broker_that_was_stopped_too), C(one_that_always_ends_is_given_up),
		C(one_that_never_comes_up_is_ended), C(qemu_killed_is_the_end),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
