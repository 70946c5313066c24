// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/cli/unit_state.c src/lib/cli/host.c src/lib/base/file.c src/lib/base/error.c src/lib/base/log.c */
/* test-pkgs: libsystemd */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <time.h>
#include <unistd.h>

#include "cli/host.h"
#include "cli/unit_state.h"

static char dir[64], path[96];
static const char *answer;

/* A socket that takes connections, as the system bus. */
static int listen_bus(void)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char address[128];
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 4), 0);
	snprintf(address, sizeof(address), "unix:path=%s", path);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
	return fd;
}

static int get_state(sd_bus *bus, const char *object, const char *interface, const char *property,
		     sd_bus_message *reply, void *arg, sd_bus_error *error)
{
	(void)bus;
	(void)interface;
	(void)property;
	(void)arg;
	(void)error;
	assert_string_equal(object, "/org/freedesktop/systemd1/unit/some_2eservice");
	return sd_bus_message_append(reply, "s", answer);
}

static int hello(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	(void)arg;
	(void)error;
	return sd_bus_reply_method_return(m, "s", ":1.1");
}

/* One client; it is bus and systemd in one. */
static void *serve(void *arg)
{
	static const sd_bus_vtable unit[] = {
		SD_BUS_VTABLE_START(0), SD_BUS_PROPERTY("ActiveState", "s", get_state, 0, 0),
		SD_BUS_VTABLE_END,
	};
	static const sd_bus_vtable driver[] = {
		SD_BUS_VTABLE_START(0), SD_BUS_METHOD("Hello", "", "s", hello, SD_BUS_VTABLE_UNPRIVILEGED),
		SD_BUS_VTABLE_END,
	};
	int fd = accept(*(int *)arg, NULL, NULL), ret = 0;
	sd_bus *bus;

	assert_true(sd_bus_new(&bus) >= 0);
	assert_true(sd_bus_set_fd(bus, fd, fd) >= 0);
	assert_true(sd_bus_set_server(bus, 1, (sd_id128_t){ .bytes = { 1 } }) >= 0);
	assert_true(sd_bus_set_anonymous(bus, 1) >= 0);
	assert_true(sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/DBus", "org.freedesktop.DBus",
					     driver, NULL) >= 0);
	assert_true(sd_bus_add_object_vtable(bus, NULL, "/org/freedesktop/systemd1/unit/some_2eservice",
					     "org.freedesktop.systemd1.Unit", unit, NULL) >= 0);
	assert_true(sd_bus_start(bus) >= 0);
	while (ret >= 0) {
		ret = sd_bus_process(bus, NULL);
		if (!ret)
			ret = sd_bus_wait(bus, UINT64_MAX);
	}
	sd_bus_unref(bus);
	return NULL;
}

static enum unit_state asked(const char *active)
{
	int fd = listen_bus();
	enum unit_state state;
	pthread_t thread;

	answer = active;
	assert_int_equal(pthread_create(&thread, NULL, serve, &fd), 0);
	state = unit_state("some.service", NULL);
	pthread_join(thread, NULL);
	close(fd);
	unlink(path);
	return state;
}

static void states(void **state)
{
	(void)state;
	assert_int_equal(asked("active"), UNIT_ACTIVE);
	assert_int_equal(asked("reloading"), UNIT_ACTIVE);
	assert_int_equal(asked("failed"), UNIT_FAILED);
	assert_int_equal(asked("activating"), UNIT_INACTIVE);
	assert_int_equal(asked("inactive"), UNIT_INACTIVE);
}

static void nobody_there(void **state)
{
	struct error *e = NULL;

	(void)state;
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
	assert_int_equal(unit_state("some.service", &e), UNIT_UNKNOWN);
	assert_string_equal(e->text, strerror(ENOENT));
	error_free(&e);
}

static void nobody_answers(void **state)
{
	int fd = listen_bus();
	time_t before = time(NULL);
	struct error *e = NULL;

	(void)state;
	assert_int_equal(unit_state("some.service", &e), UNIT_UNKNOWN);
	assert_int_equal(e->code, -ETIMEDOUT);
	assert_in_range(time(NULL) - before, 2, 20);
	error_free(&e);
	close(fd);
	unlink(path);
}

static void other_root(void **state)
{
	struct error *e = NULL;

	(void)state;
	assert_int_equal(host_set_root("/srv/host"), 0);
	assert_int_equal(unit_state("some.service", &e), UNIT_UNKNOWN);
	assert_string_equal(e->text, "no systemd answers for --root /srv/host");
	error_free(&e);
	host_set_root("/");
}

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test-unit-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/bus", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	return rmdir(dir);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(states), T(nobody_there), T(nobody_answers), T(other_root),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
