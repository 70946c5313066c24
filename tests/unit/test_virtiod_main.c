// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/daemon/guests.c src/virtio/daemon/guest.c src/virtio/daemon/look.c src/virtio/daemon/device.c src/virtio/daemon/guest_unit.c src/virtio/daemon/session.c src/virtio/daemon/hotplug.c src/virtio/daemon/growth.c src/virtio/daemon/access.c src/virtio/daemon/disk_errors.c src/virtio/daemon/remains.c src/virtio/daemon/decide.c src/lib/virtio/nodes.c src/lib/virtio/spec.c src/lib/virtio/ids.c src/lib/virtio/mark.c src/virtio/daemon/sectors.c src/virtio/daemon/steps.c src/virtio/daemon/opened.c src/virtio/daemon/identity.c src/lib/net/tap.c src/lib/net/rtnl.c src/virtio/daemon/option.c src/virtio/daemon/job.c src/virtio/daemon/argv.c src/virtio/daemon/rules.c src/lib/base/file.c src/lib/virtio/size.c src/virtio/daemon/ioerror.c src/virtio/daemon/uevent.c src/virtio/daemon/events.c src/virtio/daemon/backend.c src/lib/daemon/sink_journal.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_backends.c src/lib/daemon/watches.c src/lib/daemon/service.c src/lib/xen/domain.c */
/* test-pkgs: json-c libsystemd libmnl */
/* The program as a process: options, readiness, watchdog, signals, a lost xenstored. */
#include "virtiod_fixture.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fake_backends.h"

/* Its main() becomes a function; the rest is the same. */
#define main virtiod_main
int virtiod_main(int argc, char **argv);
#include "virtio/daemon/main.c"
#undef main

static int notify = -1;
static char notes[4096];

static int t_setup(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	fix_setup(state);
	fake_backends_reset();
	fix_dir_enter();
	snprintf(a.sun_path, sizeof(a.sun_path), "%s/notify", fix_dir);
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
	fix_dir_leave();
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
static pid_t spawn(const char *option, void (*later)(int))
{
	char *argv[] = { (char *)"xen-virtiod", (char *)option, NULL };
	pid_t pid = fork();

	if (pid)
		return pid;
	if (later) {
		signal(SIGALRM, later);
		alarm(1);
	}
	optind = 0;
	if (!freopen("/dev/null", "w", stderr) || !freopen("/dev/null", "w", stdout))
		_exit(99);
	_exit(virtiod_main(option ? 2 : 1, argv));
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
	assert_int_equal(result(spawn("--backend=x", NULL)), 2);
	assert_int_equal(result(spawn("--ended=99999", NULL)), 2);
	assert_int_equal(result(spawn("--version", NULL)), 0);
	assert_int_equal(result(spawn("--help", NULL)), 0);
}

static void unit_programs(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	assert_int_equal(result(spawn("--ended=3", NULL)), 0);
	/* No QEMU on the machine the tests run on. */
	assert_int_equal(result(spawn("--backend=3", NULL)), access(VD_QEMU, X_OK) ? 78 : 1);
}

static void ready_and_terminated(void **state)
{
	pid_t pid;

	(void)state;
	fix_guest(3, "web1");
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	pid = spawn(NULL, NULL);
	assert_true(told("READY=1"));
	assert_non_null(strstr(notes, "STATUS=1 guest, 1 device, 0 failed"));
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
	kill(pid, SIGHUP);
	usleep(50000);
	assert_int_equal(waitpid(pid, NULL, WNOHANG), 0);
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

static void device_comes(int sig)
{
	(void)sig;
	fix_guest(3, "web1");
	fix_virtio(VIRTIO(3, 0), "virtio,device1");
}

static void an_event(void **state)
{
	pid_t pid = spawn(NULL, device_comes);

	(void)state;
	assert_true(told("READY=1"));
	assert_true(told("STATUS=1 guest, 1 device, 1 failed"));
	kill(pid, SIGTERM);
	assert_int_equal(result(pid), 0);
}

static void xenstored_goes(int sig)
{
	(void)sig;
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

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, t_setup, t_teardown)
	const struct CMUnitTest tests[] = {
		T(wrong_options), T(unit_programs), T(ready_and_terminated), T(watchdog),
		T(an_event), T(lost_xenstored),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
