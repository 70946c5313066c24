// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/daemon/clean.c src/stubdom/daemon/root.c src/lib/xen/domain.c src/stubdom/daemon/savefile.c src/lib/xen/stubdomain.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_hv.c src/lib/base/file.c */
/* What is removed, and much more: what is not. */
#include "stubdomd_fixture.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stubdom/daemon/clean.h"
#include "stubdom/daemon/root.h"

/* Numbers that no Xen of the machine the test runs on has in use. */
static const struct stub_id id = { .stub = 32005, .guest = 32004, .name = "web1" };
static char root[64];

static const char *const dirs[] = { "/var", "/var/lib", "/var/lib/xen", "/var/run", "/var/run/xen" };
static const char *const guests[] = {
	"/var/lib/xen/qemu-save.32004", "/var/lib/xen/qemu-resume.32004",
	"/var/run/xen/qmp-libxl-32004", "/var/run/xen/qmp-libxenstat-32004",
	"/var/run/xen/empty-cdrom.32004",
};
static const char *const stubs[] = {
	"/var/run/xen/qmp-libxl-32005", "/var/run/xen/qmp-libxenstat-32005",
	"/var/run/xen/empty-cdrom.32005",
};
static const char *const others[] = {
	"/var/lib/xen/qemu-save.320040", "/var/lib/xen/qemu-save.3200",
	"/var/lib/xen/qemu-save.32006", "/var/lib/xen/dump",
	"/var/run/xen/qmp-libxl-3200", "/var/run/xen/domid-history",
};
#define N(a) (sizeof(a) / sizeof((a)[0]))

static char *in_root(const char *name)
{
	static char path[160];

	snprintf(path, sizeof(path), "%s%s", root, name);
	return path;
}

static bool have(const char *name)
{
	return !access(in_root(name), F_OK);
}

static void touch(const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		FILE *f = fopen(in_root(names[i]), "w");

		assert_non_null(f);
		fclose(f);
	}
}

static int setup(void **state)
{
	fix_setup(state);
	strcpy(root, "/tmp/stubdomd-test-XXXXXX");
	assert_non_null(mkdtemp(root));
	for (size_t i = 0; i < N(dirs); i++)
		assert_int_equal(mkdir(in_root(dirs[i]), 0700), 0);
	touch(guests, N(guests));
	touch(stubs, N(stubs));
	touch(others, N(others));
	host_root = root;
	return 0;
}

static int teardown(void **state)
{
	for (size_t i = 0; i < N(guests); i++)
		unlink(in_root(guests[i]));
	for (size_t i = 0; i < N(stubs); i++)
		unlink(in_root(stubs[i]));
	for (size_t i = 0; i < N(others); i++)
		assert_int_equal(unlink(in_root(others[i])), 0);
	for (size_t i = N(dirs); i-- > 0;)
		assert_int_equal(rmdir(in_root(dirs[i])), 0);
	assert_int_equal(rmdir(root), 0);
	return fix_teardown(state);
}

static void files_of_the_dead(void **state)
{
	struct xs_handle *xs = xs_open(0);

	(void)state;
	clean_stub(xs, hv_open(), &id);
	for (size_t i = 0; i < N(stubs); i++)
		assert_false(have(stubs[i]));
	for (size_t i = 0; i < N(guests); i++)
		assert_true(have(guests[i]));
	clean_guest(xs, hv_open(), &id);
	for (size_t i = 0; i < N(guests); i++)
		assert_false(have(guests[i]));
	assert_not_logged("<4>");
	fix_log_clear();
	clean_stub(xs, hv_open(), &id);		/* nothing there: nothing said */
	clean_guest(xs, hv_open(), &id);
	assert_string_equal(fix_log, "");
}

static void files_of_the_living(void **state)
{
	struct xs_handle *xs = xs_open(0);

	(void)state;
	fake_hv_add(32004, true, 1);
	fake_hv_add(32005, false, 1);
	clean_stub(xs, hv_open(), &id);
	clean_guest(xs, hv_open(), &id);
	for (size_t i = 0; i < N(stubs); i++)
		assert_true(have(stubs[i]));
	for (size_t i = 0; i < N(guests); i++)
		assert_true(have(guests[i]));
}

/* When the hypervisor does not answer, no domain is known to be dead. */
static void files_when_in_doubt(void **state)
{
	struct xs_handle *xs = xs_open(0);

	(void)state;
	fake_hv_fail(EPERM);
	clean_stub(xs, hv_open(), &id);
	clean_guest(xs, hv_open(), &id);
	assert_true(have(stubs[0]));
	assert_true(have(guests[0]));
}

static void nodes_of_the_dead(void **state)
{
	struct xs_handle *xs = xs_open(0);

	(void)state;
	fake_xs_set("/local/domain/0/backend/vkbd/32005/0/state", "6");
	fake_xs_set("/local/domain/0/backend/vfb/32005/0/state", "6");
	fake_xs_set("/local/domain/0/backend/vfb/3200/0/state", "6");
	fake_xs_set("/local/domain/32005/console/tty", "x");
	fake_xs_set("/local/domain/320050/console/tty", "x");
	clean_stub(xs, hv_open(), &id);
	assert_null(fake_xs_get("/local/domain/0/backend/vkbd/32005"));
	assert_null(fake_xs_get("/local/domain/0/backend/vfb/32005"));
	assert_null(fake_xs_get("/local/domain/32005"));
	assert_non_null(fake_xs_get("/local/domain/0/backend/vfb/3200/0/state"));
	assert_non_null(fake_xs_get("/local/domain/320050/console/tty"));
}

/* A domain being made: Xen has not been asked yet, xenstore knows it. */
static void nodes_in_use_again(void **state)
{
	struct xs_handle *xs = xs_open(0);

	(void)state;
	fake_xs_set("/local/domain/32005/vm", "/vm/new");
	fake_xs_set("/local/domain/0/backend/console/32005/0/state", "1");
	clean_stub(xs, hv_open(), &id);
	assert_non_null(fake_xs_get("/local/domain/32005/vm"));
	assert_non_null(fake_xs_get("/local/domain/0/backend/console/32005/0/state"));
	assert_int_equal(fake_xs_changes(), 0);
}

static int turns;

static void number_is_given_out(enum fake_xs_op op, const char *path)
{
	(void)path;
	if (op == FAKE_XS_END && ++turns == 1)
		fake_xs_set("/local/domain/32005/vm", "/vm/new");
}

static void nodes_in_use_meanwhile(void **state)
{
	struct xs_handle *xs = xs_open(0);

	(void)state;
	turns = 0;
	fake_xs_set("/local/domain/0/backend/console/32005/0/state", "1");
	fake_xs_hook(number_is_given_out);
	clean_stub(xs, hv_open(), &id);
	assert_true(turns > 1);
	assert_non_null(fake_xs_get("/local/domain/32005/vm"));
	assert_non_null(fake_xs_get("/local/domain/0/backend/console/32005/0/state"));
}

/* ---- processes ---- */

static bool helper(const char *cmdline, size_t size, uint32_t stub)
{
	/* On the heap and without slack: the sanitizer sees what is read. */
	char *copy = malloc(size);
	bool is;

	memcpy(copy, cmdline, size);
	is = clean_is_helper(copy, size, stub);
	free(copy);
	return is;
}
#define HELPER(text, stub) helper(text, sizeof(text), stub)

#define QEMU "/usr/libexec/xen-qemu-system-i386"
#define PROXY "/usr/lib/xen-4.20/bin/vchan-socket-proxy"

static void tells_helpers(void **state)
{
	(void)state;
	assert_true(HELPER(QEMU "\0-xen-domid\0" "5\0-machine\0xenpv\0-m\0" "64", 5));
	assert_true(HELPER(QEMU "\0-machine\0xenpv,suppress-vmdesc=on\0-xen-domid\0" "5", 5));
	assert_true(HELPER(PROXY "\0--state-path=/local/domain/0/device-model/5/qmp-proxy-state\0"
			   "5\0/local/domain/5/device-model/4/qmp-vchan\0/var/run/xen/qmp-libxl-4", 5));
	assert_true(HELPER("vchan-socket-proxy\0" "5\0/local/domain/5/device-model/4/qmp-vchan\0x", 5));
}

static void tells_strangers(void **state)
{
	(void)state;
	/* other domains, and dom0's own disk backend */
	assert_false(HELPER(QEMU "\0-xen-domid\0" "55\0-machine\0xenpv", 5));
	assert_false(HELPER(QEMU "\0-xen-domid\0" "0\0-machine\0xenpv", 5));
	assert_false(HELPER(PROXY "\0" "55\0/local/domain/55/device-model/4/qmp-vchan", 5));
	/* an HVM guest's device model */
	assert_false(HELPER(QEMU "\0-xen-domid\0" "5\0-machine\0xenfv", 5));
	/* somebody who only talks about it */
	assert_false(HELPER("vim\0/local/domain/5/device-model/4/qmp-vchan", 5));
	assert_false(HELPER("sh\0-c\0qemu -xen-domid 5 -machine xenpv", 5));
	assert_false(HELPER("grep\0-xen-domid", 5));
	assert_false(HELPER("", 5));
	assert_false(clean_is_helper("", 0, 5));
	assert_false(clean_is_helper("abc", 3, 5));	/* not terminated */
}

/* A process that looks like a helper; it sleeps until it is told to end. */
static pid_t spawn(const char *domid)
{
	int ready[2];
	char c;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (!pid) {
		dup2(ready[1], 1);
		execl("/bin/sh", "qemu", "-c", "echo; while :; do sleep 1; done",
		      "qemu", "-xen-domid", domid, "-machine", "xenpv", NULL);
		_exit(127);
	}
	close(ready[1]);
	assert_int_equal(read(ready[0], &c, 1), 1);
	close(ready[0]);
	return pid;
}

static void ends_helpers(void **state)
{
	pid_t mine = spawn("32005"), other = spawn("32006");
	int status;

	(void)state;
	clean_stub(xs_open(0), hv_open(), &id);
	assert_int_equal(waitpid(mine, &status, 0), mine);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
	assert_logged("served stubdomain 32005, which is gone: told it to end");
	assert_int_equal(waitpid(other, &status, WNOHANG), 0);
	kill(other, SIGKILL);
	waitpid(other, &status, 0);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(files_of_the_dead), T(files_of_the_living), T(files_when_in_doubt),
		T(nodes_of_the_dead), T(nodes_in_use_again), T(nodes_in_use_meanwhile),
		T(tells_helpers), T(tells_strangers), T(ends_helpers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
