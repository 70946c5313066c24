// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/daemon/guests.c src/virtio/daemon/guest.c src/virtio/daemon/look.c src/virtio/daemon/device.c src/virtio/daemon/guest_unit.c src/virtio/daemon/session.c src/virtio/daemon/hotplug.c src/virtio/daemon/growth.c src/virtio/daemon/access.c src/virtio/daemon/disk_errors.c src/virtio/daemon/remains.c src/virtio/daemon/decide.c src/lib/virtio/nodes.c src/lib/virtio/spec.c src/lib/virtio/ids.c src/virtio/daemon/sectors.c src/virtio/daemon/steps.c src/virtio/daemon/opened.c src/lib/net/tap.c src/lib/net/rtnl.c src/virtio/daemon/option.c src/virtio/daemon/job.c src/virtio/daemon/rules.c src/lib/base/file.c src/lib/virtio/size.c src/virtio/daemon/ioerror.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_backends.c src/lib/xen/domain.c */
/* test-pkgs: json-c libsystemd libmnl */
/* Guests that come, get and lose devices, and go; backends that die. */
#include "virtiod_fixture.h"

#include <errno.h>
#include <unistd.h>

#include "fake_backends.h"
#include "virtio/daemon/guests.h"

static uint64_t now;
static struct vd_store store;
static struct guests *gs;
static char image[64];

static uint64_t fake_now(void)
{
	return now;
}

/* As main.c's on_post(). */
static void after_event(void)
{
	guests_tick(gs);
}

static int t_setup(void **state)
{
	struct guests_env env = { .st = &store, .now = fake_now };
	int fd;

	fix_setup(state);
	fake_backends_reset();
	fix_dir_enter();
	now = 1000000;
	strcpy(image, "/tmp/virtiod-test-XXXXXX");
	fd = mkstemp(image);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(vd_store_init(&store, xs_open(0)), 0);
	env.units = units_open(NULL, NULL, NULL);
	gs = guests_new(&env);
	fake_event_done = after_event;
	return 0;
}

static int t_teardown(void **state)
{
	guests_free(gs);
	unlink(image);
	fix_dir_leave();
	return fix_teardown(state);
}

/* Something changed; never so often that the look has to wait. */
static void visit(uint32_t domid)
{
	now += 125;
	guests_visit(gs, domid);
	guests_tick(gs);
}

static void resized(dev_t dev)
{
	guests_resized(gs, dev);
	guests_tick(gs);
}

static void pass(uint64_t ms)
{
	now += ms;
	guests_tick(gs);
}

/* Forget what was asked so far. */
static void clear_asked(void)
{
	fake_units_asked[0] = fake_qmp_sent[0] = fake_net_done[0] = fake_units_permits[0] = fake_fetched[0] = '\0';
}

/* A disk of guest 3 whose unit runs and whose QEMU was given it at the start. */
static void running_disk(void)
{
	fix_guest(3, "web1");
	fix_disk(DISK(3, 51712), image);
	visit(3);
	assert_string_equal(fake_units_asked, "start 3;");
	fake_unit_set(3, VD_UNIT_RUNNING);
	fix_node(DISK(3, 51712), "state", "2");
	visit(3);
	assert_true(fake_qmp_open());
	fake_qmp_ready();
	assert_string_equal(fake_qmp_sent, "qom-list {\"path\":\"/machine/peripheral\"}\n");
	fake_qmp_reply("[{\"name\":\"type\",\"type\":\"string\"},"
		       "{\"name\":\"virtio_disk-51712\",\"type\":\"child<virtio-xenbus>\"},"
		       "{\"name\":\"virtio_disk-51712.dev\",\"type\":\"child<virtio-blk-device>\"}]");
	/* Nothing to do: others may talk to it. */
	assert_false(fake_qmp_open());
	clear_asked();
}

static void a_disk(void **state)
{
	(void)state;
	running_disk();
	/* All is well: nothing happens, however often it is looked at. */
	fix_node(DISK(3, 51712), "state", "4");
	visit(3);
	visit(3);
	assert_string_equal(fake_units_asked, "");
	assert_string_equal(fake_qmp_sent, "");
	assert_node(DISK(3, 51712), "virtio-xenbus-error", "");
}

/* However much happens: guests are looked at in one place, and once. */
static void queued(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_disk(DISK(3, 51712), image);
	for (int i = 0; i < 3; i++)
		guests_visit(gs, 3);
	guests_release(gs);
	assert_string_equal(fake_units_asked, "");
	assert_in_range(guests_next(gs), 0, now);
	guests_tick(gs);
	assert_string_equal(fake_units_asked, "start 3;");
	assert_int_equal(guests_next(gs), UINT64_MAX);
}

static unsigned int requests;

static void count_request(enum fake_xs_op op, const char *path)
{
	(void)op;
	(void)path;
	requests++;
}

/* trust-10: whatever a guest does, there are some looks a second, and the last change is seen. */
static void trust_10_looks(void **state)
{
	unsigned int each;

	(void)state;
	running_disk();
	pass(60000);
	fake_xs_hook(count_request);
	requests = 0;
	visit(3);
	each = requests;
	assert_true(each > 0);
	/* A minute in which its nodes change each millisecond. */
	for (int ms = 0; ms < 60000; ms++) {
		pass(1);
		guests_visit(gs, 3);
	}
	fake_xs_hook(NULL);
	assert_in_range(requests / each, 60 * 5, 60 * 8 + 20);
	fix_unplug(DISK(3, 51712));
	fix_node(DISK(3, 51712), "state", "6");
	guests_visit(gs, 3);
	assert_in_range(guests_next(gs), now, now + 125);
	pass(125);
	assert_string_equal(fake_units_asked, "stop 3;");
	/* Whoever was quiet is looked at at once. */
	pass(10000);
	for (int i = 0; i < 10; i++) {
		guests_visit(gs, 3);
		assert_in_range(guests_next(gs), 0, now);
		guests_tick(gs);
	}
}

static void destroyed(void **state)
{
	(void)state;
	running_disk();
	fix_unplug(DISK(3, 51712));
	visit(3);
	/* It is for QEMU to close. */
	assert_node(DISK(3, 51712), "state", "5");
	assert_string_equal(fake_units_asked, "");
	fix_node(DISK(3, 51712), "state", "6");
	visit(3);
	assert_string_equal(fake_units_asked, "stop 3;");
	fake_xs_rm("/local/domain/0/backend/virtio_disk/3");
	fake_xs_rm("/local/domain/3");
	fake_xs_introduce(3, false);
	fake_unit_set(3, VD_UNIT_INACTIVE);
	visit(3);
	assert_int_equal(guests_next(gs), UINT64_MAX);
	{
		unsigned int n, devices, bad;

		guests_count(gs, &n, &devices, &bad);
		assert_int_equal(n, 0);
	}
}

/* xl waits ten seconds. */
static void stuck_at_destroy(void **state)
{
	(void)state;
	running_disk();
	fix_unplug(DISK(3, 51712));
	visit(3);
	assert_int_equal(guests_next(gs), now + 4000);
	pass(4000);
	assert_string_equal(fake_units_asked, "stop 3;");
	assert_logged("<4>guest web1 (3): its backend does not close: stopping it");
	assert_node(DISK(3, 51712), "state", "5");
	fake_unit_set(3, VD_UNIT_INACTIVE);
	visit(3);
	assert_node(DISK(3, 51712), "state", "6");
	assert_node(DISK(3, 51712), "virtio-xenbus-error", "");
}

static void destroyed_before_it_ran(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_disk(DISK(3, 51712), "/nonexistent/disk");
	visit(3);
	assert_string_equal(fake_units_asked, "");
	assert_node(DISK(3, 51712), "state", "6");
	assert_node(DISK(3, 51712), "virtio-xenbus-error",
		    "/nonexistent/disk: no such file: create it, or correct the path");
	assert_logged("<3>guest web1 (3): virtio_disk/51712: /nonexistent/disk: no such file");
	fix_unplug(DISK(3, 51712));
	visit(3);
	assert_node(DISK(3, 51712), "state", "6");
	assert_string_equal(fake_units_asked, "");
}

static void dies_while_starting(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_disk(DISK(3, 51712), image);
	visit(3);
	/* Destroyed before QEMU was there. */
	fix_unplug(DISK(3, 51712));
	visit(3);
	assert_node(DISK(3, 51712), "state", "5");
	pass(4000);
	assert_string_equal(fake_units_asked, "start 3;stop 3;");
	fake_unit_set(3, VD_UNIT_INACTIVE);
	visit(3);
	assert_node(DISK(3, 51712), "state", "6");
}

static void bad_parameters(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_virtio(VIRTIO(3, 0), "virtio,device1;mac=00:16:3e:00:00:01");
	fix_virtio(VIRTIO(3, 1), "virtio,device4");
	visit(3);
	assert_node(VIRTIO(3, 0), "state", "6");
	assert_node(VIRTIO(3, 0), "virtio-xenbus-error",
		    "no bridge: add ;bridge=NAME, see 'ip link show type bridge'");
	assert_logged("<3>guest web1 (3): virtio/0: no bridge: add ;bridge=NAME");
	/* The other is served all the same. */
	assert_string_equal(fake_units_asked, "start 3;");
	assert_node(VIRTIO(3, 1), "state", "1");
}

/* trust-16: a file system that does not answer holds up one device, not the daemon. */
static void trust_16_hung(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_guest(4, "web2");
	fix_disk(DISK(3, 51712), FAKE_HUNG "disk");
	fix_disk(DISK(3, 51728), FAKE_HUNG "more");
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	fix_disk(DISK(4, 51712), image);
	fake_probing_ms = 10;
	visit(3);
	assert_string_equal(fake_units_asked, "");
	assert_node(DISK(3, 51712), "state", "1");
	/* However slow this machine is. */
	fake_probing_ms = 200;
	visit(4);
	for (int i = 0; i < 40 && !fake_units_asked[0]; i++)
		pass(100);
	assert_string_equal(fake_units_asked, "start 4;");
	/* One after the other, and then what is left of the guest. */
	fake_probing_ms = 10;
	pass(5000);
	assert_node(DISK(3, 51712), "state", "6");
	assert_node(DISK(3, 51712), "virtio-xenbus-error",
		    "/hung/disk: no answer within 5 seconds: see to its file system or server, then detach and attach it");
	for (int i = 0; i < 60 && strcmp(fix_get(DISK(3, 51728), "state"), "6"); i++)
		pass(100);
	assert_logged("<3>guest web1 (3): virtio_disk/51728: /hung/more: no answer");
	pass(100);
	assert_string_equal(fake_units_asked, "start 4;start 3;");
	assert_node(VIRTIO(3, 0), "state", "1");
}

/* trust-16: as well when a QEMU has it, and when one is added. */
static void trust_16_hung_later(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_disk(DISK(3, 51712), FAKE_HUNG "disk");
	fix_node(DISK(3, 51712), "state", "4");
	fake_unit_set(3, VD_UNIT_RUNNING);
	fake_probing_ms = 10;
	visit(3);
	fake_qmp_ready();
	fake_qmp_reply("[{\"name\":\"virtio_disk-51712\"}]");
	assert_node(DISK(3, 51712), "state", "4");
	fix_disk(DISK(3, 51728), FAKE_HUNG "more");
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	for (int i = 0; i < 150; i++) {
		pass(100);
		fake_qmp_agree();
	}
	assert_node(DISK(3, 51712), "state", "4");
	assert_node(DISK(3, 51728), "state", "6");
	assert_logged("virtio/0: rng /dev/urandom: added");
	assert_null(strstr(fake_qmp_sent, "hung"));
}

static void only_a_bad_one(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_virtio(VIRTIO(3, 0), "virtio,device16");
	visit(3);
	assert_node(VIRTIO(3, 0), "state", "6");
	assert_string_equal(fake_units_asked, "");
	visit(3);
	fix_log[0] = '\0';
	visit(3);
	assert_string_equal(fix_log, "");
}

static void hot_plug(void **state)
{
	(void)state;
	running_disk();
	fix_virtio(VIRTIO(3, 0), "virtio,device1;bridge=xenbr0;mac=00:16:3e:00:00:01");
	visit(3);
	assert_string_equal(fake_net_done, "");
	fake_qmp_agree();
	assert_string_equal(fake_net_done, "up vx3.0;");
	assert_string_equal(fake_fetched, "3 virtio-0;");
	assert_string_equal(fake_qmp_sent,
		"getfd {\"fdname\":\"virtio-0.fd0\"}\n"
		"netdev_add {\"type\":\"tap\",\"id\":\"virtio-0.net\",\"fds\":\"virtio-0.fd0\"}\n"
		"device_add {\"driver\":\"virtio-xenbus\",\"id\":\"virtio-0\",\"kind\":\"virtio\",\"devid\":0}\n"
		"device_add {\"driver\":\"virtio-net-device\",\"id\":\"virtio-0.dev\",\"bus\":\"virtio-0.0\",\"netdev\":\"virtio-0.net\",\"mac\":\"00:16:3e:00:00:01\",\"mq\":false,"
		"\"ctrl_rx\":false,\"ctrl_rx_extra\":false,\"ctrl_vlan\":false,\"ctrl_mac_addr\":false,\"ctrl_guest_offloads\":false}\n");
	assert_false(fake_qmp_open());
	assert_logged("<6>guest web1 (3): virtio/0: net bridge=xenbr0 mac=00:16:3e:00:00:01: added");
	clear_asked();
	/* And away again. */
	fix_node(VIRTIO(3, 0), "state", "4");
	fix_unplug(VIRTIO(3, 0));
	visit(3);
	assert_false(fake_qmp_open());
	fix_node(VIRTIO(3, 0), "state", "6");
	visit(3);
	assert_true(fake_qmp_open());
	fake_qmp_agree();
	assert_non_null(strstr(fake_qmp_sent, "device_del {\"id\":\"virtio-0.dev\"}\n"
			       "device_del {\"id\":\"virtio-0\"}\n"
			       "netdev_del {\"id\":\"virtio-0.net\"}\n"));
	assert_false(fake_qmp_open());
	assert_non_null(strstr(fake_net_done, "down vx3.0;"));
	assert_string_equal(fake_units_asked, "");
}

#define DROPIN "systemd/system/xen-virtio-backend@3.service.d/50-xen-virtiod.conf"

/* What its backend may open is known to systemd before it is started, and goes with it. */
static void may_open(void **state)
{
	char line[96];

	(void)state;
	running_disk();
	snprintf(line, sizeof(line), "\nBindPaths=\"%s\"\n", image);
	assert_non_null(strstr(fix_file(DROPIN), line));
	fix_unplug(DISK(3, 51712));
	fix_node(DISK(3, 51712), "state", "6");
	visit(3);
	fake_xs_rm("/local/domain/0/backend/virtio_disk/3");
	fake_xs_rm("/local/domain/3");
	fake_xs_introduce(3, false);
	fake_unit_set(3, VD_UNIT_INACTIVE);
	visit(3);
	assert_int_not_equal(access(DROPIN, F_OK), 0);
}

/* A backend that runs is let open a disk first, and then given it. */
static void may_open_more(void **state)
{
	char want[128];

	(void)state;
	running_disk();
	fake_units_permitted = -EINPROGRESS;
	fix_disk(DISK(3, 51728), image);
	visit(3);
	fake_qmp_agree();
	/* systemd is being asked for something else still. */
	assert_string_equal(fake_units_permits, "");
	assert_string_equal(fake_qmp_sent, "");
	fake_permit_done(0);
	visit(3);
	fake_qmp_agree();
	snprintf(want, sizeof(want), "3: show %s;", image);
	assert_string_equal(fake_units_permits, want);
	assert_non_null(strstr(fake_qmp_sent, "blockdev-add {\"driver\":\"raw\",\"node-name\":\"virtio_disk-51728\""));
	assert_logged("<6>guest web1 (3): virtio_disk/51728: block");
	clear_asked();
	/* And when it is taken away, that is over. */
	fix_node(DISK(3, 51728), "state", "4");
	fix_unplug(DISK(3, 51728));
	fix_node(DISK(3, 51728), "state", "6");
	visit(3);
	fake_qmp_agree();
	assert_string_equal(fake_units_permits, "3:;");
	assert_null(strstr(strstr(fix_file(DROPIN), "BindPaths") + 1, "BindPaths"));
}

/* A device is looked for once when it is added; the rules of the others need no second look. */
static void looks_once(void **state)
{
	(void)state;
	running_disk();
	fix_disk(DISK(3, 51728), image);
	fix_disk(DISK(3, 51744), image);
	fake_permit_answer = -EINPROGRESS;
	fake_probes = 0;
	visit(3);
	fake_qmp_ready();
	fake_permit_done(0);
	fake_permit_answer = 0;
	visit(3);
	fake_qmp_agree();
	assert_logged("virtio_disk/51728: block");
	assert_logged("virtio_disk/51744: block");
	assert_int_equal(fake_probes, 2);
	/* Another file by the same node is looked for again. */
	fix_node(DISK(3, 51744), "params", "/nonexistent/disk");
	visit(3);
	fake_qmp_agree();
	assert_node(DISK(3, 51744), "state", "6");
}

static void waits_for_systemd(void **state)
{
	(void)state;
	running_disk();
	fix_disk(DISK(3, 51728), image);
	fake_units_permitted = 0;
	fake_permit_answer = -EINPROGRESS;
	visit(3);
	fake_qmp_ready();
	assert_string_equal(fake_qmp_sent, "");
	visit(3);
	assert_string_equal(fake_qmp_sent, "");
	fake_permit_done(0);
	visit(3);
	assert_non_null(strstr(fake_qmp_sent, "object-add"));
}

/* QEMU opens nothing by itself: the process beside it does, and may take its time. */
static void waits_for_the_files(void **state)
{
	(void)state;
	running_disk();
	fix_disk(DISK(3, 51728), image);
	fake_fetch_result = -EINPROGRESS;
	fake_probes = 0;
	visit(3);
	fake_qmp_ready();
	visit(3);
	/* Asked once, looked for once, and nothing is said before they are there. */
	assert_string_equal(fake_fetched, "3 virtio_disk-51728;");
	assert_int_equal(fake_probes, 1);
	assert_string_equal(fake_qmp_sent, "");
	fake_fetch_result = 0;
	visit(3);
	fake_qmp_agree();
	assert_non_null(strstr(fake_qmp_sent, "add-fd {\"fdset-id\":103457}\n"));
	assert_logged("virtio_disk/51728: block");
}

static void files_refused(void **state)
{
	(void)state;
	running_disk();
	fix_disk(DISK(3, 51728), image);
	fake_fetch_result = -EIO;
	fake_fetch_why = "/x: the backend may not open it: let it belong to root";
	visit(3);
	fake_qmp_ready();
	assert_node(DISK(3, 51728), "state", "6");
	assert_node(DISK(3, 51728), "virtio-xenbus-error", fake_fetch_why);
	assert_string_equal(fake_qmp_sent, "");
	/* A backend of before: it must be started again first. */
	fix_disk(DISK(3, 51744), image);
	fake_fetch_begins = -ENOENT;
	visit(3);
	fake_qmp_ready();
	assert_node(DISK(3, 51744), "virtio-xenbus-error",
		    "its backend is of an earlier version: run 'systemctl restart xen-virtio-backend@3.service'");
	assert_node(DISK(3, 51712), "state", "2");
}

/* It has just died: its successor is asked. */
static void files_of_the_next(void **state)
{
	(void)state;
	running_disk();
	fix_disk(DISK(3, 51728), image);
	fake_fetch_begins = -ECONNREFUSED;
	visit(3);
	fake_qmp_ready();
	assert_node(DISK(3, 51728), "state", "1");
	fake_fetch_begins = 0;
	pass(1000);
	fake_qmp_agree();
	assert_logged("virtio_disk/51728: block");
	fix_node(DISK(3, 51728), "state", "2");
	/* But not for ever. */
	fix_disk(DISK(3, 51744), image);
	fake_fetch_result = -ECONNRESET;
	fake_fetch_why = "its backend has ended";
	visit(3);
	fake_qmp_ready();
	for (int i = 0; i < 4; i++)
		pass(1000);
	assert_node(DISK(3, 51744), "state", "6");
	assert_node(DISK(3, 51744), "virtio-xenbus-error", "its backend has ended");
}

/* It is tried three times; then the device is closed, and the others work on. */
static void systemd_refuses(void **state)
{
	(void)state;
	running_disk();
	fix_disk(DISK(3, 51728), image);
	fake_permit_answer = -EACCES;
	visit(3);
	fake_qmp_ready();
	for (int i = 0; i < 3; i++)
		pass(1000);
	assert_node(DISK(3, 51728), "state", "6");
	assert_node(DISK(3, 51728), "virtio-xenbus-error",
		    "cannot permit the backend to open it: Permission denied: see 'journalctl -u xen-virtiod'");
	assert_node(DISK(3, 51712), "state", "2");
	assert_string_equal(fake_qmp_sent, "");
}

/* Detached and attached again, as another disk, within one round. */
static void another_of_its_name(void **state)
{
	char other[] = "/tmp/virtiod-test-other-XXXXXX";
	int fd = mkstemp(other);

	(void)state;
	close(fd);
	running_disk();
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	visit(3);
	fake_qmp_agree();
	clear_asked();
	fix_node(DISK(3, 51712), "state", "4");
	fix_node(DISK(3, 51712), "params", other);
	fix_node(DISK(3, 51712), "state", "1");
	visit(3);
	fake_qmp_agree();
	assert_non_null(strstr(fake_qmp_sent, "device_del {\"id\":\"virtio_disk-51712\"}\n"));
	assert_non_null(strstr(fake_qmp_sent, "blockdev-del {\"node-name\":\"virtio_disk-51712\"}\n"));
	assert_non_null(strstr(strstr(fake_qmp_sent, "blockdev-del"), "remove-fd {\"fdset-id\":103425}\n"));
	assert_non_null(strstr(strstr(fake_qmp_sent, "remove-fd"), "add-fd {\"fdset-id\":103425}\n"));
	assert_string_equal(fake_fetched, "3 virtio_disk-51712;");
	assert_string_equal(fake_units_asked, "");
	/* Once. */
	clear_asked();
	visit(3);
	assert_string_equal(fake_qmp_sent, "");
	/* When there is nothing else, a new QEMU does as well. */
	fake_xs_rm(VIRTIO(3, 0));
	visit(3);
	fake_qmp_agree();
	fix_node(DISK(3, 51712), "params", image);
	visit(3);
	assert_string_equal(fake_units_asked, "stop 3;");
	fake_unit_set(3, VD_UNIT_INACTIVE);
	visit(3);
	assert_string_equal(fake_units_asked, "stop 3;start 3;");
	assert_node(DISK(3, 51712), "state", "1");
	unlink(other);
}

static void hot_plug_refused(void **state)
{
	(void)state;
	running_disk();
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	visit(3);
	fake_qmp_ready();
	assert_string_equal(fake_qmp_sent, "object-add {\"qom-type\":\"rng-random\",\"id\":\"virtio-0.rng\",\"filename\":\"/dev/urandom\"}\n");
	fake_qmp_reply("{}");
	fake_qmp_reply("!'virtio-xenbus' is not a valid device model name");
	/* What was done is undone. */
	clear_asked();
	for (int i = 0; i < 8; i++)
		fake_qmp_reply("!Device not found");
	assert_non_null(strstr(fake_qmp_sent, "object-del {\"id\":\"virtio-0.rng\"}\n"));
	fake_qmp_reply("{}");
	assert_false(fake_qmp_open());
	assert_node(VIRTIO(3, 0), "state", "6");
	assert_node(VIRTIO(3, 0), "virtio-xenbus-error",
		    "QEMU: 'virtio-xenbus' is not a valid device model name: fix that, then run 'systemctl restart xen-virtio-backend@3.service'");
	/* Not again and again. */
	clear_asked();
	visit(3);
	assert_false(fake_qmp_open());
	assert_node(DISK(3, 51712), "state", "2");
}

static void hot_plug_hangs(void **state)
{
	(void)state;
	running_disk();
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	visit(3);
	for (int i = 0; i < 3; i++) {
		fake_qmp_ready();
		if (i) {	/* it asks first what came of it */
			fake_qmp_reply("[{\"name\":\"virtio_disk-51712\"}]");
		}
		fake_qmp_lost();
		assert_false(fake_qmp_open());
		pass(1000);
		if (i < 2)
			assert_true(fake_qmp_open());
	}
	assert_node(VIRTIO(3, 0), "state", "6");
	assert_logged("virtio/0: its backend does not answer when it is added");
}

static void not_hot_pluggable(void **state)
{
	(void)state;
	running_disk();
	fix_node(DISK(3, 51712), "state", "4");
	fix_virtio(VIRTIO(3, 0), "virtio,device9;path=/tmp;tag=t;readonly");
	visit(3);
	fake_qmp_ready();
	assert_false(fake_qmp_open());
	assert_node(VIRTIO(3, 0), "state", "6");
	assert_logged("it cannot be hot-plugged");
	assert_string_equal(fake_units_asked, "");
}

/* While the guest is being created: xl writes it after the disks. */
static void not_hot_pluggable_yet(void **state)
{
	(void)state;
	running_disk();
	fix_virtio(VIRTIO(3, 0), "virtio,device9;path=/tmp;tag=t;readonly");
	visit(3);
	fake_qmp_ready();
	assert_false(fake_qmp_open());
	assert_string_equal(fake_units_asked, "stop 3;");
	fix_node(DISK(3, 51712), "state", "1");
	fake_unit_set(3, VD_UNIT_INACTIVE);
	visit(3);
	assert_string_equal(fake_units_asked, "stop 3;start 3;");
	fake_unit_set(3, VD_UNIT_RUNNING);
	visit(3);
	fake_qmp_ready();
	fake_qmp_reply("[{\"name\":\"virtio_disk-51712\"},{\"name\":\"virtio-0\"}]");
	assert_false(fake_qmp_open());
	assert_node(VIRTIO(3, 0), "state", "1");
	assert_node(DISK(3, 51712), "state", "1");
	/* It cannot be the reason twice. */
	fake_unit_set(3, VD_UNIT_RESTARTING);
	visit(3);
	fake_unit_set(3, VD_UNIT_RUNNING);
	visit(3);
	fake_qmp_ready();
	fake_qmp_reply("[{\"name\":\"virtio_disk-51712\"}]");
	assert_node(VIRTIO(3, 0), "state", "6");
	assert_string_equal(fake_units_asked, "stop 3;start 3;");
}

static void no_bridge(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_virtio(VIRTIO(3, 0), "virtio,device1;bridge=nobr;mac=00:16:3e:00:00:01");
	fake_net_error = -ENODEV;
	visit(3);
	assert_string_equal(fake_units_asked, "");
	assert_node(VIRTIO(3, 0), "state", "6");
	assert_logged("guest web1 (3): virtio/0: bridge=nobr: no such bridge: create it");
}

static void backend_dies(void **state)
{
	(void)state;
	running_disk();
	/* The unit writes 1; the daemon has nothing to do but to ask again. */
	fake_unit_set(3, VD_UNIT_RESTARTING);
	fix_node(DISK(3, 51712), "state", "1");
	visit(3);
	assert_string_equal(fake_units_asked, "");
	assert_node(DISK(3, 51712), "state", "1");
	assert_logged("its backend ended and is started again: see 'journalctl -u xen-virtio-backend@3.service'");
	fake_unit_set(3, VD_UNIT_STARTING);
	visit(3);
	fake_unit_set(3, VD_UNIT_RUNNING);
	visit(3);
	fake_qmp_ready();
	/* It was started without devices: they are added. */
	fake_qmp_reply("[]");
	fake_qmp_agree();
	assert_non_null(strstr(fake_qmp_sent, "blockdev-add "));
	assert_node(DISK(3, 51712), "state", "1");
}

static void backend_gives_up(void **state)
{
	(void)state;
	running_disk();
	fake_unit_set(3, VD_UNIT_FAILED);
	visit(3);
	assert_node(DISK(3, 51712), "state", "6");
	assert_logged("virtio_disk/51712: its backend keeps failing: see 'journalctl -u xen-virtio-backend@3.service'");
	visit(3);
	assert_string_equal(fake_units_asked, "");
	/* A device that comes now has it started again. */
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	visit(3);
	assert_string_equal(fake_units_asked, "reset 3;");
	fake_unit_set(3, VD_UNIT_INACTIVE);
	visit(3);
	assert_string_equal(fake_units_asked, "reset 3;start 3;");
}

static void backend_stopped(void **state)
{
	(void)state;
	running_disk();
	fake_unit_set(3, VD_UNIT_STOPPING);
	visit(3);
	assert_node(DISK(3, 51712), "state", "2");
	fake_unit_set(3, VD_UNIT_INACTIVE);
	visit(3);
	assert_node(DISK(3, 51712), "state", "6");
	assert_logged("its backend was stopped: run 'systemctl start xen-virtio-backend@3.service'");
	assert_string_equal(fake_units_asked, "");
}

static void cannot_start(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_disk(DISK(3, 51712), image);
	fake_units_error = -ENOTCONN;
	visit(3);
	assert_logged("starting its backend: Transport endpoint is not connected: trying again");
	fake_units_error = 0;
	pass(1000);
	assert_string_equal(fake_units_asked, "start 3;");
	/* systemd refuses it. */
	fake_unit_set(3, VD_UNIT_FAILED);
	visit(3);
	assert_node(DISK(3, 51712), "state", "6");
}

static void qemu_does_not_listen(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_disk(DISK(3, 51712), image);
	fake_qmp_refuses = true;
	visit(3);
	fake_unit_set(3, VD_UNIT_RUNNING);
	visit(3);
	assert_int_equal(guests_next(gs), now + 100);
	for (int i = 0; i < 160; i++)
		pass(100);
	assert_logged("its backend's QEMU does not listen at /run/xen-virtio/3/qmp: Connection refused");
	assert_in_range(guests_next(gs), now + 1, now + 1000);
	fake_qmp_refuses = false;
	pass(1000);
	assert_true(fake_qmp_open());
}

static void daemon_comes_late(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_disk(DISK(3, 51712), image);
	fix_node(DISK(3, 51712), "state", "4");
	fake_unit_set(3, VD_UNIT_RUNNING);
	/* And a backend whose guest is gone. */
	fake_unit_set(5, VD_UNIT_RUNNING);
	assert_int_equal(guests_scan(gs), 0);
	assert_string_equal(fake_units_asked, "stop 5;");
	assert_string_equal(fake_net_done, "swept;");
	fake_qmp_ready();
	fake_qmp_reply("[{\"name\":\"virtio_disk-51712\"},{\"name\":\"virtio-7\"}]");
	/* virtio-7 went meanwhile. */
	fake_qmp_agree();
	assert_non_null(strstr(fake_qmp_sent, "device_del {\"id\":\"virtio-7\"}"));
	assert_null(strstr(fake_qmp_sent, "virtio_disk"));
	assert_node(DISK(3, 51712), "state", "4");
}

/* trust-14: detached, and another one attached with its number, while the daemon was away. */
static void trust_14_exchanged(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_disk(DISK(3, 51712), image);
	fix_node(DISK(3, 51712), "state", "4");
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	fake_unit_set(3, VD_UNIT_RUNNING);
	assert_int_equal(guests_scan(gs), 0);
	fake_qmp_ready();
	fake_qmp_reply("[{\"name\":\"virtio_disk-51712\"},{\"name\":\"virtio-0\"}]");
	/* The QEMU may be about to end, which its unit tells. */
	assert_false(fake_qmp_open());
	pass(2999);
	assert_false(fake_qmp_open());
	clear_asked();
	pass(1);
	assert_true(fake_qmp_open());
	fake_qmp_agree();
	assert_non_null(strstr(fake_qmp_sent, "device_del {\"id\":\"virtio-0\"}\n"));
	assert_non_null(strstr(strstr(fake_qmp_sent, "device_del"), "device_add {\"driver\":\"virtio-rng-device\""));
	assert_null(strstr(fake_qmp_sent, "virtio_disk"));
	assert_logged("<5>guest web1 (3): virtio/0: its backend has another device of this number: exchanging it");
	assert_logged("<6>guest web1 (3): virtio/0: rng /dev/urandom: added");
	assert_string_equal(fake_units_asked, "");
	/* Which offers it: nothing more is to be done. */
	fix_node(VIRTIO(3, 0), "state", "2");
	clear_asked();
	visit(3);
	pass(60000);
	assert_string_equal(fake_qmp_sent, "");
}

/* trust-14: one that is never offered is closed in the end; the others are not hurt. */
static void trust_14_not_offered(void **state)
{
	(void)state;
	running_disk();
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	visit(3);
	fake_qmp_agree();
	for (int i = 0; i < 3; i++) {
		assert_node(VIRTIO(3, 0), "state", "1");
		visit(3);
		pass(3000);
		fake_qmp_agree();
	}
	assert_node(VIRTIO(3, 0), "state", "6");
	assert_node(VIRTIO(3, 0), "virtio-xenbus-error", "its backend does not offer it: see the backend's journal");
	assert_node(DISK(3, 51712), "state", "2");
	assert_string_equal(fake_units_asked, "");
}

static void guest_is_gone(void **state)
{
	(void)state;
	running_disk();
	fake_xs_introduce(3, false);
	fake_xs_rm("/local/domain/3");
	guests_release(gs);
	guests_tick(gs);
	/* QEMU closes by itself. */
	fix_node(DISK(3, 51712), "state", "6");
	visit(3);
	assert_string_equal(fake_units_asked, "stop 3;");
	fake_unit_set(3, VD_UNIT_INACTIVE);
	visit(3);
	assert_node(DISK(3, 51712), "online", "1");
	/* Nobody takes its nodes away: after a minute we do. */
	pass(60000);
	assert_null(fake_xs_get("/local/domain/0/backend/virtio_disk/3"));
	pass(1);
	assert_int_equal(guests_next(gs), UINT64_MAX);
	assert_logged("guest web1 (3): it is gone: its nodes removed");
}

/* What a driver domain serves, it has to remove: xl does so only in dom0. */
static void in_a_driver_domain(void **state)
{
	static const char dir[] = "/local/domain/7/backend/virtio_disk/3/51712";

	(void)state;
	store.own = 7;
	fix_guest(3, "web1");
	fix_disk(dir, image);
	fix_disk("/local/domain/7/backend/virtio_disk/3/51728", image);
	visit(3);
	assert_string_equal(fake_units_asked, "start 3;");
	fix_unplug(dir);
	visit(3);
	fix_node(dir, "state", "6");
	visit(3);
	/* xl in dom0 waits for the 6. */
	pass(4999);
	assert_node(dir, "state", "6");
	pass(1);
	assert_null(fake_xs_get("/local/domain/7/backend/virtio_disk/3/51712/state"));
	assert_logged("guest web1 (3): virtio_disk/51712: closed: its nodes removed");
	/* The other one is still there, and then the guest's directory is not. */
	fix_unplug("/local/domain/7/backend/virtio_disk/3/51728");
	visit(3);
	fix_node("/local/domain/7/backend/virtio_disk/3/51728", "state", "6");
	visit(3);
	pass(5000);
	assert_null(fake_xs_get("/local/domain/7/backend/virtio_disk/3"));
}

static void being_built(void **state)
{
	(void)state;
	fake_xs_set("/local/domain/3/name", "web1");
	fix_disk(DISK(3, 51712), image);
	visit(3);
	assert_string_equal(fake_units_asked, "start 3;");
}

static void xenstore_fails(void **state)
{
	(void)state;
	fix_guest(3, "web1");
	fix_disk(DISK(3, 51712), image);
	fake_xs_fail(FAKE_XS_LIST, "/local/domain/0/backend", EIO, 1);
	visit(3);
	assert_logged("reading its devices: Input/output error: trying again");
	pass(1000);
	assert_string_equal(fake_units_asked, "start 3;");
}

static void two_guests(void **state)
{
	(void)state;
	running_disk();
	fix_guest(4, "db");
	fix_virtio(VIRTIO(4, 0), "virtio,device4");
	visit(4);
	assert_string_equal(fake_units_asked, "start 4;");
	fix_unplug(VIRTIO(4, 0));
	fake_unit_set(4, VD_UNIT_RESTARTING);
	visit(4);
	assert_node(VIRTIO(4, 0), "state", "6");
	assert_string_equal(fake_units_asked, "start 4;stop 4;");
	assert_node(DISK(3, 51712), "state", "2");
}

/* ---- disks that grow ---- */

#define MB (UINT64_C(1) << 20)

static void qemu_has(uint64_t bytes)
{
	char text[160];

	assert_true(fake_qmp_open());
	fake_qmp_ready();
	assert_string_equal(fake_qmp_sent, "query-block null\n");
	snprintf(text, sizeof(text), "[{\"device\":\"\"},{\"inserted\":{\"node-name\":\"virtio_disk-51712\",\"image\":{\"virtual-size\":%llu}}}]",
		 (unsigned long long)bytes);
	clear_asked();
	fake_qmp_reply(text);
}

/* The same on a block device of 64 MB, which QEMU has as it is. */
static void running_blockdev(const char *mode)
{
	fake_rdev = 0x700;
	fake_bytes = 64 * MB;
	fix_guest(3, "web1");
	fix_disk(DISK(3, 51712), image);
	fix_node(DISK(3, 51712), "mode", mode);
	fix_node(DISK(3, 51712), "state", "4");
	fake_unit_set(3, VD_UNIT_RUNNING);
	visit(3);
	fake_qmp_ready();
	clear_asked();
	fake_qmp_reply("[{\"name\":\"virtio_disk-51712\"}]");
	/* It may have grown before we were there: in the same session. */
	assert_string_equal(fake_qmp_sent, "query-block null\n");
	clear_asked();
	fake_qmp_reply("[{\"inserted\":{\"node-name\":\"virtio_disk-51712\",\"image\":{\"virtual-size\":67108864}}}]");
	assert_false(fake_qmp_open());
	assert_string_equal(fake_qmp_sent, "");
}

static void a_disk_grows(void **state)
{
	(void)state;
	running_blockdev("w");
	/* What changes neither this device nor its size is nothing to QEMU. */
	resized(0x800);
	resized(0x700);
	resized(0);
	assert_false(fake_qmp_open());
	fake_bytes = 128 * MB;
	resized(0x800);
	assert_false(fake_qmp_open());
	resized(0x700);
	qemu_has(64 * MB);
	assert_string_equal(fake_qmp_sent, "block_resize {\"node-name\":\"virtio_disk-51712\",\"size\":134217728}\n");
	fake_qmp_reply("{}");
	assert_false(fake_qmp_open());
	assert_logged("<6>guest web1 (3): virtio_disk/51712: ");
	assert_logged(": has grown from 64 to 128 MB");
	resized(0x700);
	assert_false(fake_qmp_open());
	/* Again, while events were lost; and somebody was quicker. */
	fake_bytes = 256 * MB;
	clear_asked();
	resized(0);
	qemu_has(256 * MB);
	assert_string_equal(fake_qmp_sent, "");
	assert_false(fake_qmp_open());
}

static void a_disk_that_cannot_grow(void **state)
{
	(void)state;
	running_blockdev("w");
	fake_bytes = 128 * MB;
	resized(0x700);
	qemu_has(64 * MB);
	fake_qmp_reply("!Node is busy");
	assert_logged("<4>guest web1 (3): virtio_disk/51712: ");
	assert_logged("it has grown, but QEMU refuses the new size: Node is busy: try 'xen-virtio resize'");
	/* It is as it was, and nobody insists. */
	assert_node(DISK(3, 51712), "state", "4");
	fix_log[0] = '\0';
	resized(0x700);
	visit(3);
	assert_false(fake_qmp_open());
	assert_string_equal(fix_log, "");
}

/* Its QEMU hangs: that is no reason to close the device. */
static void a_resize_that_hangs(void **state)
{
	(void)state;
	running_blockdev("w");
	fake_bytes = 128 * MB;
	for (int i = 0; i < 5; i++) {
		resized(0x700);
		if (!fake_qmp_open())
			pass(1000);
		fake_qmp_ready();
		if (strstr(fake_qmp_sent, "qom-list"))
			fake_qmp_reply("[{\"name\":\"virtio_disk-51712\"}]");
		fake_qmp_reply("[{\"inserted\":{\"node-name\":\"virtio_disk-51712\",\"image\":{\"virtual-size\":67108864}}}]");
		assert_non_null(strstr(fake_qmp_sent, "block_resize"));
		clear_asked();
		fake_qmp_lost();
	}
	assert_node(DISK(3, 51712), "state", "4");
	assert_node(DISK(3, 51712), "virtio-xenbus-error", "");
}

static void a_disk_shrinks(void **state)
{
	(void)state;
	running_blockdev("w");
	fake_bytes = 32 * MB;
	for (int i = 0; i < 2; i++) {
		resized(0x700);
		if (!i)
			qemu_has(64 * MB);
		assert_false(fake_qmp_open());
		assert_string_equal(fake_qmp_sent, "");
	}
	assert_logged("<4>guest web1 (3): virtio_disk/51712: /tmp/virtiod-test-");
	assert_logged("it is smaller than before, which the guest is not told: restore its size");
}

static void a_readonly_disk_grows(void **state)
{
	(void)state;
	running_blockdev("r");
	fake_bytes = 128 * MB;
	resized(0x700);
	qemu_has(64 * MB);
	assert_string_equal(fake_qmp_sent, "");
	assert_logged("it has grown; a read-only disk keeps its size until it is detached and attached");
	resized(0x700);
	assert_false(fake_qmp_open());
}

/* ---- I/O errors ---- */

/* As QEMU 10.0 says it; 7.2 leaves qom-path out. */
static const char full[] = "{\"device\":\"\",\"node-name\":\"virtio_disk-51712\",\"qom-path\":\"/machine/peripheral/virtio_disk-51712.dev\","
			   "\"reason\":\"No space left on device\",\"operation\":\"write\",\"action\":\"report\"}";
static const char broken[] = "{\"device\":\"\",\"node-name\":\"virtio_disk-51712\",\"operation\":\"read\",\"action\":\"report\",\"reason\":\"Input/output\\nerror\"}";

static unsigned int lines(const char *text)
{
	unsigned int n = 0;

	for (const char *at = fix_log; (at = strstr(at, text)); at++)
		n++;
	return n;
}

static void io_errors(void **state)
{
	(void)state;
	running_disk();
	assert_true(fake_events_open());
	fix_log[0] = '\0';
	fake_events_say("BLOCK_IO_ERROR", "{\"node-name\":\"virtio_disk-9\"}");
	fake_events_say("BLOCK_IO_ERROR", "{\"device\":\"x\"}");
	fake_events_say("STOP", full);
	assert_string_equal(fix_log, "");
	fake_events_say("BLOCK_IO_ERROR", full);
	assert_logged("<3>guest web1 (3): virtio_disk/51712: /tmp/virtiod-test-");
	assert_logged(": a write failed, no space left: make space there, until then the guest gets I/O errors");
	fake_events_say("BLOCK_IO_ERROR", full);
	fake_events_say("BLOCK_IO_ERROR", broken);
	assert_int_equal(lines("the guest gets"), 1);
	now += 600000;
	fake_events_say("BLOCK_IO_ERROR", broken);
	assert_logged(": a read failed: Input/output?error: the guest gets I/O errors, see 'journalctl -k'");
	assert_int_equal(lines("the guest gets"), 2);
}

/* More than a log needs: no connection for the rest of the minute. */
static void very_many_io_errors(void **state)
{
	unsigned int n = 0;

	(void)state;
	running_disk();
	for (; fake_events_open() && n < 10000; n++)
		fake_events_say("BLOCK_IO_ERROR", full);
	assert_int_equal(n, 201);
	assert_int_equal(lines("the guest gets"), 1);
	assert_false(fake_events_open());
	assert_int_equal(guests_next(gs), now + 60000);
	pass(60000);
	assert_true(fake_events_open());
}

static void no_events_monitor(void **state)
{
	(void)state;
	/* A QEMU from before an upgrade. */
	fake_events_missing = true;
	running_disk();
	assert_int_equal(guests_next(gs), UINT64_MAX);
	fake_events_missing = false;
	/* The next one has that monitor; when it ends, so does the session. */
	fake_unit_set(3, VD_UNIT_RESTARTING);
	visit(3);
	fake_unit_set(3, VD_UNIT_RUNNING);
	visit(3);
	assert_false(fake_events_open());
	fake_qmp_ready();
	fake_qmp_reply("[{\"name\":\"virtio_disk-51712\"}]");
	assert_true(fake_events_open());
	fake_events_lost();
	assert_false(fake_events_open());
	pass(60000);
	assert_true(fake_events_open());
	fake_unit_set(3, VD_UNIT_STOPPING);
	visit(3);
	assert_false(fake_events_open());
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, t_setup, t_teardown)
	const struct CMUnitTest tests[] = {
		T(a_disk), T(queued), T(trust_10_looks), T(destroyed), T(stuck_at_destroy), T(destroyed_before_it_ran),
		T(dies_while_starting), T(bad_parameters), T(trust_16_hung), T(trust_16_hung_later), T(only_a_bad_one), T(hot_plug), T(may_open), T(may_open_more), T(looks_once), T(waits_for_systemd), T(waits_for_the_files), T(files_refused), T(files_of_the_next), T(systemd_refuses), T(another_of_its_name),
		T(hot_plug_refused), T(hot_plug_hangs), T(not_hot_pluggable), T(not_hot_pluggable_yet), T(no_bridge),
		T(backend_dies), T(backend_gives_up), T(backend_stopped), T(cannot_start),
		T(qemu_does_not_listen), T(daemon_comes_late), T(trust_14_exchanged), T(trust_14_not_offered), T(guest_is_gone), T(in_a_driver_domain), T(being_built),
		T(xenstore_fails), T(two_guests),
		T(a_disk_grows), T(a_disk_that_cannot_grow), T(a_resize_that_hangs), T(a_disk_shrinks), T(a_readonly_disk_grows),
		T(io_errors), T(very_many_io_errors), T(no_events_monitor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
