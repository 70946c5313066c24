// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/daemon/unit_report.c src/virtio/daemon/permits.c src/virtio/daemon/systemd.c src/virtio/daemon/rules.c src/lib/base/file.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/xen/domain.c */
/* test-pkgs: libsystemd */
/* systemd's side of D-Bus is played by another process, over a socket of its own. */
#include "virtiod_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define CALL_USEC (2 * 1000 * 1000)
#include "virtio/daemon/units.c"

#define MANAGER_PATH "/org/freedesktop/systemd1"
#define UNIT5 MANAGER_PATH "/unit/xen_2dvirtio_2dbackend_405_2eservice"
#define UNIT2 MANAGER_PATH "/unit/xen_2dvirtio_2dbackend_402_2eservice"
#define UNIT4 MANAGER_PATH "/unit/xen_2dvirtio_2dbackend_404_2eservice"
#define UNIT3 MANAGER_PATH "/unit/xen_2dvirtio_2dbackend_403_2eservice"

static char dir[64], path[96], told[96];
static pid_t systemd;
static sd_event *ev;
static struct units *u;
static char seen[256];

/* ---- systemd ---- */

static void changed_with(sd_bus *bus, const char *unit, const char *active, const char *sub, unsigned int job)
{
	sd_bus_message *m;

	sd_bus_message_new_signal(bus, &m, unit, "org.freedesktop.DBus.Properties", "PropertiesChanged");
	sd_bus_message_set_sender(m, "org.freedesktop.systemd1");
	sd_bus_message_append(m, "s", "org.freedesktop.systemd1.Unit");
	sd_bus_message_append(m, "a{sv}as", 4, "Job", "(uo)", job, "/", "ActiveState", "s", active,
			      "SubState", "s", sub, "InvocationID", "ay", 0, 0);
	sd_bus_send(bus, m, NULL);
	sd_bus_message_unref(m);
}

static void changed(sd_bus *bus, const char *unit, const char *active, const char *sub)
{
	changed_with(bus, unit, active, sub, 0);
}

static void removed(sd_bus *bus, const char *unit)
{
	sd_bus_message *m;

	sd_bus_message_new_signal(bus, &m, MANAGER_PATH, "org.freedesktop.systemd1.Manager", "UnitRemoved");
	sd_bus_message_set_sender(m, "org.freedesktop.systemd1");
	sd_bus_message_append(m, "so", unit, UNIT3);
	sd_bus_send(bus, m, NULL);
	sd_bus_message_unref(m);
}

static void job_removed(sd_bus *bus, const char *unit, const char *result)
{
	sd_bus_message *m;

	sd_bus_message_new_signal(bus, &m, MANAGER_PATH, "org.freedesktop.systemd1.Manager", "JobRemoved");
	sd_bus_message_set_sender(m, "org.freedesktop.systemd1");
	sd_bus_message_append(m, "uoss", 1u, "/job", unit, result);
	sd_bus_send(bus, m, NULL);
	sd_bus_message_unref(m);
}

static void list_units(sd_bus_message *m)
{
	sd_bus_message *r;

	sd_bus_message_new_method_return(m, &r);
	sd_bus_message_append(r, "a(ssssssouso)", 3,
		"xen-virtio-backend@5.service", "d", "loaded", "active", "running", "", "/a", 0u, "", "/",
		"xen-virtio-backend@7.service", "d", "loaded", "failed", "failed", "", "/a", 0u, "", "/",
		"xen-virtio-backend@odd.service", "d", "loaded", "active", "running", "", "/a", 0u, "", "/");
	sd_bus_send(NULL, r, NULL);
	sd_bus_message_unref(r);
}

static void list_one(sd_bus_message *m, const char *unit, unsigned int job)
{
	sd_bus_message *r;

	sd_bus_message_new_method_return(m, &r);
	sd_bus_message_append(r, "a(ssssssouso)", 1, unit, "d", "loaded", "active", "running", "", "/a", job, "", "/");
	sd_bus_send(NULL, r, NULL);
	sd_bus_message_unref(r);
}

/* Units that are stopped late: nobody answers in time, and then what is asked about them. */
static bool be_late(sd_bus_message *m, const char *member, const char *unit)
{
	sd_bus *bus = sd_bus_message_get_bus(m);
	bool refuses = strstr(unit, "@2.");

	if (!refuses && !strstr(unit, "@4."))
		return false;
	if (!strcmp(member, "StartUnit")) {
		sd_bus_reply_method_return(m, "o", "/job");
		changed(bus, refuses ? UNIT2 : UNIT4, "active", "running");
	} else if (!strcmp(member, "ListUnitsByPatterns")) {
		/* Its job waits; and one for which there is none. */
		list_one(m, unit, refuses ? 0 : 9);
		if (!refuses) {
			changed_with(bus, UNIT4, "deactivating", "stop-sigterm", 9);
			changed(bus, UNIT4, "inactive", "dead");
		}
	}
	return true;
}

static const char *pattern_of(sd_bus_message *m)
{
	const char *pattern = "";

	sd_bus_message_skip(m, "as");
	sd_bus_message_enter_container(m, 'a', "s");
	sd_bus_message_read(m, "s", &pattern);
	return pattern;
}

/* What a unit may open: remembered in a file, since this is another process. */
static void permits(sd_bus_message *m, const char *member)
{
	const char *unit, *a, *b;
	FILE *f;
	int x, y;

	sd_bus_message_read(m, "s", &unit);
	f = fopen(told, "a");
	fprintf(f, "%s %s", member, unit);
	if (*member == 'B') {
		sd_bus_message_read(m, "ssbb", &a, &b, &x, &y);
		fprintf(f, " %s %s %d %d", a, b, x, y);
	} else {
		sd_bus_message_read(m, "b", &x);
		sd_bus_message_enter_container(m, 'a', "(sv)");
		while (sd_bus_message_enter_container(m, 'r', "sv") > 0) {
			sd_bus_message_read(m, "s", &a);
			fprintf(f, " %s", a);
			sd_bus_message_enter_container(m, 'v', "a(ss)");
			sd_bus_message_enter_container(m, 'a', "(ss)");
			while (sd_bus_message_read(m, "(ss)", &a, &b) > 0)
				fprintf(f, " %s=%s", a, b);
			for (int i = 0; i < 3; i++)
				sd_bus_message_exit_container(m);
		}
	}
	fputs(";", f);
	fclose(f);
	if (*member == 'B' && strstr(a, "missing"))
		sd_bus_reply_method_errorf(m, "org.freedesktop.DBus.Error.FileNotFound", "No such path.");
	else
		sd_bus_reply_method_return(m, NULL);
}

static int on_call(sd_bus_message *m, void *arg, sd_bus_error *error)
{
	const char *member = sd_bus_message_get_member(m), *unit = "";
	sd_bus *bus = sd_bus_message_get_bus(m);

	(void)arg;
	(void)error;
	if (!member || !sd_bus_message_get_expect_reply(m))
		return 0;
	if (!strcmp(member, "ListUnitsByPatterns")) {
		if (!be_late(m, member, pattern_of(m)))
			list_units(m);
	} else if (!strcmp(member, "Hello")) {
		sd_bus_reply_method_return(m, "s", ":1.1");
	} else if (!strcmp(member, "StartUnit") || !strcmp(member, "StopUnit")) {
		sd_bus_message_read(m, "s", &unit);
		if (be_late(m, member, unit))
			return 1;
		if (strstr(unit, "@9.")) {
			sd_bus_reply_method_errorf(m, "org.freedesktop.systemd1.UnitMasked", "Unit is masked.");
			return 1;
		}
		sd_bus_reply_method_return(m, "o", "/job");
		if (strstr(unit, "@6.")) {
			/* A daemon-reload: all are unloaded, and there again when it is asked. */
			removed(bus, "xen-virtio-backend@5.service");
			removed(bus, "xen-virtio-backend@7.service");
			job_removed(bus, unit, "dependency");
		} else if (strstr(unit, "@8.")) {
			job_removed(bus, unit, "dependency");
		} else if (*member == 'S' && member[2] == 'a') {
			/* As the real one: its job is new, it is still inactive, or has failed. */
			changed_with(bus, UNIT3, "inactive", "dead", 1);
			changed(bus, UNIT3, "failed", "failed");
			changed(bus, UNIT3, "activating", "start");
			changed(bus, UNIT3, "active", "running");
			changed(bus, MANAGER_PATH "/unit/other_2eservice", "active", "running");
			changed(bus, UNIT3, "failed", "failed-before-auto-restart");
			changed(bus, UNIT3, "activating", "auto-restart");
			changed(bus, UNIT3, "active", "running");
			job_removed(bus, unit, "done");
			/* systemctl restart, and one whose stop takes too long */
			changed_with(bus, UNIT3, "deactivating", "stop-sigterm", 2);
			changed_with(bus, UNIT3, "inactive", "dead", 2);
			changed_with(bus, UNIT3, "activating", "start", 2);
			changed_with(bus, UNIT3, "active", "running", 2);
			changed_with(bus, UNIT3, "failed", "failed", 3);
			changed_with(bus, UNIT3, "active", "running", 3);
		} else if (strstr(unit, "@5.")) {
			/* A property had changed before it was asked to stop. */
			changed(bus, UNIT5, "active", "running");
			changed_with(bus, UNIT5, "deactivating", "stop-sigterm", 1);
			/* The job goes after the word of what it did. */
			changed_with(bus, UNIT5, "failed", "failed", 1);
			job_removed(bus, unit, "done");
			changed(bus, UNIT5, "failed", "failed");
		} else if (strstr(unit, "@7.")) {
			/* Someone else asks for a start in its place. */
			job_removed(bus, unit, "canceled");
		} else {
			removed(bus, "xen-virtio-backend@3.service");
		}
	} else if (!strcmp(member, "Get")) {
		sd_bus_reply_method_return(m, "v", "a(ss)", 3, "/dev/xen/gntdev", "rw", "/dev/block/7:1", "rw", "/dev/block/7:2", "r");
	} else if (!strcmp(member, "SetUnitProperties") || !strcmp(member, "BindMountUnit")) {
		permits(m, member);
	} else {
		sd_bus_reply_method_return(m, NULL);
	}
	return 1;
}

static void be_systemd(int listener)
{
	int fd = accept(listener, NULL, NULL);
	sd_bus *bus;
	sd_id128_t id;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sd_id128_randomize(&id);
	if (sd_bus_new(&bus) < 0 || sd_bus_set_fd(bus, fd, fd) < 0 || sd_bus_set_server(bus, 1, id) < 0 ||
	    sd_bus_set_sender(bus, "org.freedesktop.systemd1") < 0 ||
	    sd_bus_add_filter(bus, NULL, on_call, NULL) < 0 || sd_bus_start(bus) < 0)
		_exit(1);
	while (sd_bus_wait(bus, UINT64_MAX) >= 0)
		while (sd_bus_process(bus, NULL) > 0)
			;
	_exit(0);
}

/* ---- the daemon ---- */

static void on_unit(void *arg, uint32_t domid)
{
	static const char names[] = "isrpaf";	/* inactive starting running stopping again failed */
	size_t n = strlen(seen);

	(void)arg;
	snprintf(seen + n, sizeof(seen) - n, "%u%c;", domid, names[units_state(u, domid)]);
}

static int t_setup(void **state)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char address[128];
	int fd;

	fix_setup(state);
	seen[0] = '\0';
	strcpy(dir, "/tmp/virtiod-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/bus", dir);
	strcpy(a.sun_path, path);
	snprintf(told, sizeof(told), "%s/told", dir);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(listen(fd, 1), 0);
	snprintf(address, sizeof(address), "unix:path=%s", path);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", address, 1);
	systemd = fork();
	if (!systemd)
		be_systemd(fd);
	close(fd);
	assert_true(sd_event_new(&ev) >= 0);
	u = units_open(ev, on_unit, NULL);
	if (!u)
		fail_msg("units_open: %s; %s", strerror(errno), fix_log);
	return 0;
}

static int t_teardown(void **state)
{
	units_close(u);
	sd_event_unref(ev);
	kill(systemd, SIGKILL);
	waitpid(systemd, NULL, 0);
	unlink(path);
	unlink(told);
	rmdir(dir);
	return fix_teardown(state);
}

/* Until @text was seen. */
static void until(const char *text)
{
	for (int i = 0; i < 50 && !strstr(seen, text); i++)
		sd_event_run(ev, 100000);
	if (!strstr(seen, text))
		fail_msg("not seen: %s in %s; %s", text, seen, fix_log);
}

static void at_start(void **state)
{
	uint32_t *domids;
	unsigned int n;

	(void)state;
	assert_int_equal(units_state(u, 5), VD_UNIT_RUNNING);
	assert_int_equal(units_state(u, 7), VD_UNIT_FAILED);
	assert_int_equal(units_state(u, 3), VD_UNIT_INACTIVE);
	assert_int_equal(units_list(u, &domids, &n), 0);
	assert_int_equal(n, 2);
	free(domids);
}

static void start_and_stop(void **state)
{
	(void)state;
	assert_true(units_start(u, 3) >= 0);
	assert_int_equal(units_state(u, 3), VD_UNIT_STARTING);
	until("3r;3a;3r;3p;3s;3r;3s;3r;");
	assert_string_equal(seen, "3r;3a;3r;3p;3s;3r;3s;3r;");
	assert_true(units_stop(u, 3) >= 0);
	assert_int_equal(units_state(u, 3), VD_UNIT_STOPPING);
	until("3i;");
	assert_true(units_reset(u, 7) >= 0);
}

static void stop_beside_a_change(void **state)
{
	(void)state;
	assert_true(units_stop(u, 5) >= 0);
	until("5f;");
	assert_string_equal(seen, "5f;");
}

static void stop_that_is_replaced(void **state)
{
	(void)state;
	assert_true(units_stop(u, 7) >= 0);
	assert_int_equal(units_state(u, 7), VD_UNIT_STOPPING);
	/* It is as list_units() says then. */
	until("7f;");
	assert_string_equal(seen, "7f;");
}

static void refused(void **state)
{
	(void)state;
	assert_true(units_start(u, 9) >= 0);
	until("9f;");
	assert_logged("domain 9: cannot start its backend: Unit is masked.: see 'systemctl status xen-virtio-backend@9.service'");
	assert_true(units_stop(u, 9) >= 0);
	until("9i;");
}

/* trust-18: a stop that systemd does not answer in time is none that it refuses. */
static void trust_18_late(void **state)
{
	(void)state;
	assert_true(units_start(u, 4) >= 0);
	assert_true(units_start(u, 2) >= 0);
	until("4r;2r;");
	seen[0] = '\0';
	assert_true(units_stop(u, 4) >= 0);
	assert_true(units_stop(u, 2) >= 0);
	/* One is stopped when systemd comes to it; of the other nothing comes, and it runs. */
	until("4i;");
	until("2r;");
	assert_null(strstr(seen, "2i;"));
	assert_int_equal(units_state(u, 4), VD_UNIT_INACTIVE);
	assert_int_equal(units_state(u, 2), VD_UNIT_RUNNING);
	assert_logged("domain 4: systemd has not answered in time that it will stop its backend: waiting for it");
	assert_not_logged("cannot stop its backend");
}

static void comes_to_nothing(void **state)
{
	(void)state;
	assert_true(units_start(u, 8) >= 0);
	until("8f;");
}

static void daemon_reload(void **state)
{
	(void)state;
	assert_true(units_start(u, 6) >= 0);
	until("6f;");
	/* By the end of this every answer has come. */
	assert_true(units_start(u, 3) >= 0);
	until("3r;3a;3r;");
	assert_string_equal(seen, "6f;3r;3a;3r;");
	assert_int_equal(units_state(u, 5), VD_UNIT_RUNNING);
	assert_int_equal(units_state(u, 7), VD_UNIT_FAILED);
}

/* Until systemd has answered all. */
static int until_permitted(uint32_t domid)
{
	for (int i = 0; i < 50 && units_permitted(u, domid) == -EINPROGRESS; i++)
		sd_event_run(ev, 100000);
	return units_permitted(u, domid);
}

static void may_open(void **state)
{
	struct vd_rule disks[2] = {
		{ .dev = makedev(7, 1) }, { .dev = makedev(7, 2), .readonly = true },
	};
	struct vd_rule image = { .bind = true, .path = "/srv/a.img" };
	struct vd_rules r = { disks, 2 };

	(void)state;
	assert_int_equal(units_permit(u, 3, &r, NULL), -ENOENT);
	/* What it may do anyway; only a path is new. */
	assert_int_equal(units_permit(u, 5, &r, &image), 0);
	assert_int_equal(units_permit(u, 5, &r, NULL), -EBUSY);
	assert_int_equal(until_permitted(5), 0);
	assert_string_equal(fix_file(told), "BindMountUnit xen-virtio-backend@5.service /srv/a.img /srv/a.img 0 1;");
	/* The daemon is told, as of a state. */
	assert_non_null(strstr(seen, "5r;"));
	unlink(told);
	/* One disk has gone, another has come; what the unit's file says stays. */
	disks[0].dev = makedev(7, 3);
	assert_int_equal(units_permit(u, 5, &r, NULL), 0);
	assert_int_equal(until_permitted(5), 0);
	assert_string_equal(fix_file(told), "SetUnitProperties xen-virtio-backend@5.service DeviceAllow DeviceAllow"
			    " /dev/xen/gntdev=rw /dev/block/7:3=rw /dev/block/7:2=r;");
	/* Not for reading only any more. */
	unlink(told);
	disks[0].dev = makedev(7, 1);
	disks[1].readonly = false;
	assert_int_equal(units_permit(u, 5, &r, NULL), 0);
	assert_int_equal(until_permitted(5), 0);
	assert_non_null(strstr(fix_file(told), "/dev/block/7:1=rw /dev/block/7:2=rw;"));
}

static void may_not_open(void **state)
{
	struct vd_rule image = { .bind = true, .path = "/srv/missing.img", .readonly = true };
	struct vd_rules r = { NULL, 0 };

	(void)state;
	assert_int_equal(units_permit(u, 5, &r, &image), 0);
	assert_int_equal(until_permitted(5), -ENOENT);
	assert_non_null(strstr(fix_file(told), "BindMountUnit xen-virtio-backend@5.service /srv/missing.img /srv/missing.img 1 1;"));
	assert_logged("domain 5: cannot change what its backend may open: No such path.");
}

static void systemd_goes(void **state)
{
	int code = 0;

	(void)state;
	kill(systemd, SIGKILL);
	for (int i = 0; i < 50 && sd_event_get_state(ev) != SD_EVENT_FINISHED; i++)
		sd_event_run(ev, 100000);
	assert_true(sd_event_get_exit_code(ev, &code) >= 0);
	assert_int_not_equal(code, 0);
}

static void no_bus(void **state)
{
	(void)state;
	fix_setup(state);
	setenv("DBUS_SYSTEM_BUS_ADDRESS", "unix:path=/nonexistent/bus", 1);
	assert_true(sd_event_new(&ev) >= 0);
	assert_null(units_open(ev, on_unit, NULL));
	assert_int_equal(errno, ENOENT);
	sd_event_unref(ev);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, t_setup, t_teardown)
	const struct CMUnitTest tests[] = {
		T(at_start), T(start_and_stop), T(stop_beside_a_change), T(stop_that_is_replaced),
		T(refused), T(trust_18_late), T(comes_to_nothing), T(daemon_reload), T(may_open), T(may_not_open), T(systemd_goes),
		cmocka_unit_test(no_bus),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
