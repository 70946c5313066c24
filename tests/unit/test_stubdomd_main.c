// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/daemon/track.c src/stubdom/daemon/bounds.c src/stubdom/daemon/states.c src/stubdom/daemon/statenodes.c src/stubdom/daemon/transfer.c src/lib/state/words.c tests/unit/fake_helper.c src/stubdom/daemon/life.c src/stubdom/daemon/orphan.c src/stubdom/daemon/clean.c src/stubdom/daemon/savefile.c src/stubdom/daemon/diag.c src/stubdom/daemon/image.c src/lib/image/verify.c src/lib/image/manifest.c src/stubdom/daemon/consoles.c src/stubdom/daemon/drives.c src/stubdom/daemon/vifs.c src/lib/xen/stubdomain.c src/stubdom/daemon/events.c src/lib/daemon/sink_journal.c src/lib/base/sha256.c src/lib/xen/xs_util.c src/lib/base/file.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_hv.c src/stubdom/daemon/stub.c src/stubdom/daemon/record.c src/stubdom/daemon/observe.c src/stubdom/daemon/devices.c src/stubdom/daemon/saves.c src/stubdom/daemon/root.c src/lib/xen/domain.c src/lib/daemon/watches.c src/lib/daemon/service.c */
/* test-pkgs: libcrypto libsystemd */
/* The program as a process: options, readiness, watchdog, signals, a lost xenstored. */
#include "stubdomd_fixture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* Its main() becomes a function; the rest is the same. */
#define main stubdomd_main
int stubdomd_main(int argc, char **argv);
#include "stubdom/daemon/main.c"
#undef main

static char dir[64];
static int notify = -1;
static char notes[4096];

static int t_setup(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	fix_setup(state);
	strcpy(dir, "/tmp/stubdomd-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", dir);
	notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(notify, (struct sockaddr *)&a, sizeof(a)), 0);
	setenv("NOTIFY_SOCKET", a.sun_path, 1);
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	unsetenv("JOURNAL_STREAM");
	notes[0] = '\0';
	return 0;
}

static int t_teardown(void **state)
{
	unlink(getenv("NOTIFY_SOCKET"));
	close(notify);
	rmdir(dir);
	return fix_teardown(state);
}

/* Collect what it tells systemd until @text has come; false after two seconds. */
static bool told(const char *text)
{
	struct pollfd fd = { .fd = notify, .events = POLLIN };

	while (!strstr(notes, text)) {
		size_t len = strlen(notes);
		ssize_t n;

		if (poll(&fd, 1, 2000) <= 0)
			return false;
		n = recv(notify, notes + len, sizeof(notes) - len - 2, 0);
		if (n < 0)
			return false;
		notes[len + n] = '\n';
		notes[len + n + 1] = '\0';
	}
	return true;
}

/* Run it in a process of its own; what it does to the fakes stays there. */
static pid_t spawn(const char *option, void (*later)(void))
{
	char *argv[] = { (char *)"xen-stubdomd", (char *)option, NULL };
	pid_t pid = fork();

	if (pid)
		return pid;
	if (later) {
		signal(SIGALRM, (void (*)(int))(void *)later);
		alarm(1);
	}
	optind = 0;
	if (!freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "w", stdout))
		_exit(99);
	_exit(stubdomd_main(option ? 2 : 1, argv));
}

static int result(pid_t pid)
{
	int status;

	for (int i = 0; i < 300; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : 100 + WTERMSIG(status);
		usleep(10000);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return -1;
}

static void wrong_options(void **state)
{
	(void)state;
	assert_int_equal(result(spawn("--nonsense", NULL)), 2);
	assert_int_equal(result(spawn("--log-level=loud", NULL)), 2);
	assert_int_equal(result(spawn("argument", NULL)), 2);
	assert_int_equal(result(spawn("--version", NULL)), 0);
	assert_int_equal(result(spawn("--help", NULL)), 0);
}

static void once(void **state)
{
	(void)state;
	assert_int_equal(result(spawn("--once", NULL)), 0);
	fix_domains(5, 4, "web1");
	fix_consoles(5);
	fix_running(5, 4);
	assert_int_equal(result(spawn("--once", NULL)), 0);
	fake_hv_dom(5)->shutdown = true;
	assert_int_equal(result(spawn("--once", NULL)), 1);
	fake_hv_fail(EPERM);
	assert_int_equal(result(spawn("--once", NULL)), 1);
}

static void ready_and_terminated(void **state)
{
	pid_t pid;

	(void)state;
	fix_domains(5, 4, "web1");
	fix_consoles(5);
	pid = spawn(NULL, NULL);
	assert_true(told("READY=1"));
	assert_true(told("STATUS=1 stubdomain, 0 failed"));
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGHUP);
	kill(pid, SIGTERM);
	assert_true(told("STOPPING=1"));
	assert_int_equal(result(pid), 0);
}

static void watchdog(void **state)
{
	pid_t pid;

	(void)state;
	setenv("WATCHDOG_USEC", "300000", 1);
	pid = spawn(NULL, NULL);
	assert_true(told("READY=1"));
	for (int i = 0; i < 5; i++) {
		assert_true(told("WATCHDOG=1"));
		*strstr(notes, "WATCHDOG=1") = 'w';
	}
	kill(pid, SIGINT);
	assert_int_equal(result(pid), 0);
}

static void xenstored_goes(void)
{
	fake_xs_disconnect();
}

static void lost_xenstored(void **state)
{
	pid_t pid = spawn(NULL, xenstored_goes);

	(void)state;
	assert_true(told("READY=1"));
	/* An error: systemd starts it again. */
	assert_int_equal(result(pid), 1);
}

static void no_hypervisor(void **state)
{
	(void)state;
	fake_hv_fail(EPERM);
	assert_int_equal(result(spawn(NULL, NULL)), 1);
	assert_null(strstr(notes, "READY"));
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, t_setup, t_teardown)
	const struct CMUnitTest tests[] = {
		T(wrong_options), T(once), T(ready_and_terminated), T(watchdog),
		T(lost_xenstored), T(no_hypervisor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
