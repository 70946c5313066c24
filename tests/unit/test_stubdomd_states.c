// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/daemon/track.c src/stubdom/daemon/bounds.c src/stubdom/daemon/states.c src/stubdom/daemon/statenodes.c src/stubdom/daemon/transfer.c src/lib/state/words.c tests/unit/fake_helper.c src/stubdom/daemon/life.c src/stubdom/daemon/orphan.c src/stubdom/daemon/clean.c src/stubdom/daemon/savefile.c src/stubdom/daemon/diag.c src/stubdom/daemon/image.c src/lib/image/verify.c src/lib/image/manifest.c src/stubdom/daemon/consoles.c src/stubdom/daemon/drives.c src/stubdom/daemon/vifs.c src/lib/xen/stubdomain.c src/stubdom/daemon/events.c src/lib/base/sha256.c src/lib/xen/xs_util.c src/lib/base/file.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_hv.c src/stubdom/daemon/stub.c src/stubdom/daemon/record.c src/stubdom/daemon/observe.c src/stubdom/daemon/devices.c src/stubdom/daemon/saves.c src/stubdom/daemon/root.c src/lib/xen/domain.c src/lib/daemon/watches.c */
/* test-pkgs: libcrypto */
/*
 * State disks as the daemon serves them: the test is libxl, stubdomain and helper, and
 * what is compared are the nodes, the file that libxl reads, and the log.
 */
#include "stubdomd_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/sched.h>

#include "fake_helper.h"
#include "state_disk.h"
#include "stubdom/daemon/diag.h"
#include "stubdom/daemon/events.h"
#include "stubdom/daemon/root.h"
#include "stubdom/daemon/track.h"

#define TAG1 "00112233445566778899aabbccddeeff"
#define TAG2 "ffeeddccbbaa99887766554433221100"
#define DEV1 "268442112"
#define DEV2 "268442368"
#define STUB "/local/domain/5/"
#define BACK1 "/local/domain/0/backend/xe-state/5/" DEV1
#define FRONT1 STUB "device/vbd/" DEV1
#define WANT STUB STATE_DISK_WANT
#define DONE STUB STATE_DISK_DONE
#define DISK STUB STATE_DISK_DISK
#define RESULT STUB STATE_DISK_RESULT
#define RESTORE STUB STATE_DISK_RESTORE
#define OUTPUT STUB "device/console/2/output"

static char root[64];
static struct xs_handle *xs;
static struct track *tr;
static struct events ev;
static uint64_t now;

static char *file(const char *name)
{
	static char path[2][160];
	static int n;

	n = !n;
	snprintf(path[n], sizeof(path[n]), "%s/var/lib/xen/%s", root, name);
	return path[n];
}

static void put_file(const char *name, const char *text)
{
	int fd = open(file(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static bool have(const char *name)
{
	return !access(file(name), F_OK);
}

/* What main.c does until nothing is left to do at this time. */
static void settle(void)
{
	for (int i = 0; i < 20; i++) {
		int dom = 0;

		assert_int_equal(events_take(xs, &ev), 0);
		while ((dom = domid_set_take(&ev.marked, (uint32_t)dom)) >= 0)
			track_visit(tr, (uint32_t)dom, now);
		if (ev.scan)
			assert_int_equal(track_scan(tr, now), 0);
		else if (ev.sweep)
			track_sweep(tr, now);
		ev.scan = ev.sweep = ev.born = false;
		track_helpers(tr, now);
		if (track_next(tr) <= now)
			track_tick(tr, now);
	}
	diag_wait();
}

static void pass(uint64_t ms)
{
	uint64_t end = now + ms;

	settle();
	while (track_next(tr) <= end) {
		now = track_next(tr) > now ? track_next(tr) : now;
		settle();
	}
	now = end;
	settle();
}

static void boot_daemon(void)
{
	xs = xs_open(0);
	tr = track_new(xs, hv_open());
	track_serve_states(tr, 64 << 20, 0);
	assert_int_equal(events_watch(xs), 0);
	settle();
}

static void kill_daemon(void)
{
	diag_wait();
	track_free(tr);
	xs_close(xs);
	memset(&ev, 0, sizeof(ev));
}

static int setup(void **state)
{
	static const char *const dirs[] = { "/var", "/var/lib", "/var/lib/xen" };
	char path[160];

	fix_setup(state);
	fake_helper_reset();
	fake_helper.fail_start = 0;
	strcpy(root, "/tmp/states-test-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s%s", root, dirs[i]);
		if (mkdir(path, 0700))
			return -1;
	}
	host_root = root;
	now = 1000;
	fix_domains(5, 4, "web1");
	fix_consoles(5);
	fake_xs_own("/local/domain/5", 0, 5, XS_PERM_READ);
	put_file("qemu-save.4", "");
	return 0;
}

/* A guest that runs. */
static int setup_running(void **state)
{
	int ret = setup(state);

	boot_daemon();
	fix_running(5, 4);
	pass(5000);
	fix_log_clear();
	return ret;
}

static int teardown(void **state)
{
	char cmd[128];

	kill_daemon();
	fake_helper_reset();
	snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	return system(cmd) || fix_teardown(state);
}

static void suspend(bool is)
{
	fake_hv_dom(4)->shutdown = is;
	fake_hv_dom(4)->reason = SHUTDOWN_suspend;
	fake_xs_fire(EVENTS_RELEASE);
	settle();
}

static void want(const char *tag)
{
	char text[64];

	snprintf(text, sizeof(text), "save %s", tag);
	fake_xs_set(WANT, text);
	settle();
}

static void helper_says(const char *line)
{
	fake_helper_say(line);
	settle();
}

/* blkfront */
static void front_state(const char *devid, const char *state)
{
	fake_xs_setf(state, STUB "device/vbd/%s/state", devid);
	settle();
}

static void front_connects(const char *devid)
{
	fake_xs_setf("8", STUB "device/vbd/%s/ring-ref", devid);
	fake_xs_setf("21", STUB "device/vbd/%s/event-channel", devid);
	fake_xs_setf("x86_64-abi", STUB "device/vbd/%s/protocol", devid);
	front_state(devid, "3");
	assert_string_equal(fake_helper.told, "ring 8 21");
	helper_says("connected");
	front_state(devid, "4");
}

static void no_device(void)
{
	assert_null(fake_xs_get("/local/domain/0/backend/xe-state/5"));
	assert_null(fake_xs_get(FRONT1));
	assert_null(fake_xs_get(FRONT1 "/state"));
	assert_false(fake_helper.running);
	assert_false(have("qemu-save.4.disk"));
}

/* blkfront's requests do not wait for a helper that is not there any more. */
static void refusing_rest(void)
{
	assert_true(fake_helper.refusing);
	assert_int_equal(fake_helper.ref, 8);
	assert_int_equal(fake_helper.port, 21);
}

/* From "want" to a disk that is connected. */
static void to_serving(const char *tag, const char *devid)
{
	want(tag);
	assert_true(fake_helper.running);
	helper_says("ready 0");
	front_connects(devid);
}

static void save(const char *tag, const char *devid, const char *state)
{
	char text[64];

	to_serving(tag, devid);
	fake_xs_set(DONE, tag);
	settle();
	assert_string_equal(fake_helper.told, "finish");
	assert_null(fake_xs_get(RESULT));
	assert_int_equal(write(fake_helper.file, state, strlen(state)), strlen(state));
	snprintf(text, sizeof(text), "saved %zu", strlen(state));
	helper_says(text);
	snprintf(text, sizeof(text), "%s ok", tag);
	assert_non_null(fake_xs_get(RESULT));
	assert_string_equal(fake_xs_get(RESULT), text);
	fake_xs_rm(WANT);
	fake_xs_rm(DONE);
	front_state(devid, "5");
	front_state(devid, "6");
	no_device();
	assert_null(fake_xs_get(DISK));
	assert_null(fake_xs_get(RESULT));
}

static void holds(const char *name, const char *text)
{
	char buf[512] = "";
	int fd = open(file(name), O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, buf, sizeof(buf) - 1) >= 0);
	close(fd);
	assert_string_equal(buf, text);
}

#define LONG "a state that is longer than its header: " \
	"................................................................................................." \
	"................................................................................................." \
	"................................................................................................."

static void each_save_is_alone(void **state)
{
	(void)state;
	assert_string_equal(fake_xs_get(STUB STATE_DISK_SERVED), "1");
	suspend(true);
	save(TAG1, DEV1, LONG "one");
	holds("qemu-save.4", LONG "one");
	suspend(false);
	suspend(true);
	save(TAG2, DEV2, LONG "two");
	holds("qemu-save.4", LONG "two");
	/* what dom0's QEMU writes to is kept */
	assert_true(have("qemu-save.4.console"));
	assert_not_logged("<3>");
	assert_logged("device state saved by disk");
}

static void whose_nodes_they_are(void **state)
{
	const struct xs_permissions *p;
	unsigned int n;

	(void)state;
	want(TAG1);
	assert_int_equal(fake_helper.sectors, 128 + 64 * 2048);
	assert_null(fake_xs_get(DISK));
	helper_says("ready 0");
	assert_string_equal(fake_xs_get(DISK), TAG1 " " DEV1 " 67108864");
	assert_string_equal(fake_xs_get(BACK1 "/state"), "2");
	assert_string_equal(fake_xs_get(BACK1 "/frontend"), "/local/domain/5/device/vbd/" DEV1);
	assert_string_equal(fake_xs_get(BACK1 "/frontend-id"), "5");
	assert_string_equal(fake_xs_get(BACK1 "/sectors"), "131200");
	assert_string_equal(fake_xs_get(BACK1 "/mode"), "w");
	assert_string_equal(fake_xs_get(FRONT1 "/backend"), BACK1);
	assert_string_equal(fake_xs_get(FRONT1 "/virtual-device"), DEV1);
	p = fake_xs_perms(BACK1 "/sectors", &n);
	assert_true(n == 2 && p[0].id == 0 && p[0].perms == XS_PERM_NONE && p[1].id == 5 && p[1].perms == XS_PERM_READ);
	p = fake_xs_perms(FRONT1 "/state", &n);
	assert_true(n == 2 && p[0].id == 5 && p[1].id == 0 && p[1].perms == XS_PERM_READ);
	p = fake_xs_perms(DISK, &n);
	assert_true(n == 2 && p[0].id == 0 && p[0].perms == XS_PERM_NONE && p[1].id == 5 && p[1].perms == XS_PERM_READ);
	front_connects(DEV1);
	assert_string_equal(fake_xs_get(BACK1 "/state"), "4");
}

static void refused_with(const char *reason)
{
	char text[400];

	snprintf(text, sizeof(text), TAG1 " error %s", reason);
	assert_non_null(fake_xs_get(RESULT));
	assert_string_equal(fake_xs_get(RESULT), text);
	snprintf(text, sizeof(text), "its device state is not saved by disk: %s", reason);
	assert_logged(text);
	fake_xs_rm(WANT);
	fake_xs_rm(DONE);
	pass(6000);
	no_device();
	assert_null(fake_xs_get(RESULT));
	holds("qemu-save.4", "");
}

static void what_the_helper_refuses(void **state)
{
	(void)state;
	to_serving(TAG1, DEV1);
	fake_xs_set(DONE, TAG1);
	settle();
	helper_says("error the state is damaged: its SHA-256 is not that of its header");
	refused_with("the state is damaged: its SHA-256 is not that of its header");
}

static void a_helper_that_dies(void **state)
{
	(void)state;
	to_serving(TAG1, DEV1);
	fake_helper_die();
	settle();
	refusing_rest();
	refused_with("xen-state-disk ended before its work was done (see the journal)");
	pass(STATE_DISK_CLOSE_MS + 1000);
	assert_false(fake_helper.refusing);
}

static void a_helper_that_cannot_start(void **state)
{
	(void)state;
	fake_helper.fail_start = -EIDRM;
	want(TAG1);
	refused_with("xen-state-disk cannot be started: its user _xen-state is missing");
	fake_helper.fail_start = 0;
	suspend(true);
	save(TAG2, DEV1, LONG);
}

static void a_helper_that_lies_about_its_file(void **state)
{
	(void)state;
	to_serving(TAG1, DEV1);
	fake_xs_set(DONE, TAG1);
	settle();
	helper_says("saved 99");
	refused_with("/var/lib/xen/qemu-save.4: Input/output error");
}

static void no_place_for_the_file(void **state)
{
	char here[160], there[160];

	(void)state;
	snprintf(here, sizeof(here), "%s/var/lib/xen", root);
	snprintf(there, sizeof(there), "%s/var/lib/xen-gone", root);
	assert_int_equal(rename(here, there), 0);
	want(TAG1);
	assert_string_equal(fake_xs_get(RESULT), TAG1 " error /var/lib/xen/qemu-save.4: No such file or directory");
	assert_false(fake_helper.running);
	assert_int_equal(rename(there, here), 0);
}

static void frontends_that_do_not_behave(void **state)
{
	(void)state;
	want(TAG1);
	helper_says("ready 0");
	fake_xs_setf("8", FRONT1 "/ring-ref");
	fake_xs_setf("99999999999", FRONT1 "/event-channel");
	front_state(DEV1, "3");
	refused_with("the stubdomain's ring-ref, event-channel or protocol is malformed");
	want(TAG1);
	assert_null(fake_xs_get(DISK));		/* answered already */
	fix_log_clear();
	want(TAG2);
	helper_says("ready 0");
	/* it removes its whole directory, and says nothing more */
	fake_xs_rm(STUB "device/vbd");
	pass(STATE_DISK_CONNECT_MS + 10);
	assert_string_equal(fake_xs_get(RESULT), TAG2 " error the stubdomain did not connect its disk in time");
	pass(6000);
	no_device();
}

static void a_stubdomain_that_goes(void **state)
{
	(void)state;
	to_serving(TAG1, DEV1);
	fake_hv_remove(5);
	fake_xs_rm("/local/domain/5");
	fake_xs_fire(EVENTS_RELEASE);
	settle();
	assert_false(fake_helper.running);
	assert_null(fake_xs_get("/local/domain/0/backend/xe-state/5"));
	assert_null(fake_xs_get("/local/domain/5"));
	assert_false(have("qemu-save.4.disk"));
}

static void a_guest_that_goes(void **state)
{
	(void)state;
	to_serving(TAG1, DEV1);
	fake_hv_dom(4)->dying = true;
	fake_xs_fire(EVENTS_RELEASE);
	settle();
	front_state(DEV1, "6");
	no_device();
	assert_not_logged("not saved");
}

static void a_wish_that_is_withdrawn(void **state)
{
	(void)state;
	to_serving(TAG1, DEV1);
	fake_xs_rm(WANT);
	settle();
	assert_null(fake_xs_get(DISK));
	assert_false(fake_helper.running);
	assert_string_equal(fake_xs_get(BACK1 "/state"), "5");
	/* the next is not served before this one is closed, and then is */
	want(TAG2);
	assert_false(fake_helper.running);
	front_state(DEV1, "6");
	assert_null(fake_xs_get(BACK1 "/state"));
	assert_true(fake_helper.running);
	helper_says("ready 0");
	assert_string_equal(fake_xs_get(DISK), TAG2 " " DEV2 " 67108864");
	assert_not_logged("<3>");
}

static void hostile_words(void **state)
{
	static const char *const bad[] = { "", "save", "save x", "save " TAG1 TAG1, "restore " TAG1, "save " TAG1 "\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		fake_xs_set(WANT, bad[i]);
		fake_xs_set(DONE, bad[i]);
		settle();
		assert_false(fake_helper.running);
		now += 1000;
	}
	/* again and again: not more than can be borne */
	for (int i = 0; i < 200; i++) {
		char tag[STATE_DISK_TAG_LEN + 1];

		snprintf(tag, sizeof(tag), "%032x", i);
		want(tag);
		now += 10;
	}
	assert_true(fake_helper.started <= 11);
}

static void the_daemon_is_restarted(void **state)
{
	(void)state;
	to_serving(TAG1, DEV1);
	kill_daemon();
	fake_helper_die();
	assert_non_null(fake_xs_get(BACK1 "/state"));
	assert_true(have("qemu-save.4.disk"));
	boot_daemon();
	no_device();
	refusing_rest();
	assert_string_equal(fake_xs_get(RESULT), TAG1 " error xen-stubdomd was restarted meanwhile: try again");
	fake_xs_rm(WANT);
	settle();
	assert_null(fake_xs_get(RESULT));
	suspend(true);
	/* not the number that was just used */
	save(TAG2, DEV2, LONG);
	/* between "want" and its answer: as if nothing had been */
	kill_daemon();
	fake_xs_set(WANT, "save " TAG1);
	boot_daemon();
	settle();
	assert_true(fake_helper.running);
}

/* Eight others whose guests still run, and one whose guest is suspended. */
static void who_gives_way(void **state)
{
	char path[96], text[64];

	(void)state;
	for (unsigned int i = 0; i < STATE_DISK_TRANSFERS; i++) {
		unsigned int stub = 21 + 2 * i;

		fix_domains(stub, stub - 1, "other");
		fix_consoles(stub);
		fake_xs_setf("x", "/local/domain/0/backend/console/%u/1/x", stub);
		settle();
		fix_running(stub, stub - 1);
		snprintf(path, sizeof(path), "/local/domain/%u/" STATE_DISK_WANT, stub);
		snprintf(text, sizeof(text), "save %032x", i);
		fake_xs_set(path, text);
		now += 10;
		settle();
	}
	assert_int_equal(fake_helper.started, STATE_DISK_TRANSFERS);
	/* one more that runs: it is told to try again */
	want(TAG1);
	assert_int_equal(fake_helper.started, STATE_DISK_TRANSFERS);
	assert_null(fake_xs_get(RESULT));
	pass(2200);
	assert_string_equal(fake_xs_get(RESULT), TAG1 " error other guests are being saved at this moment: try again");
	/* suspended: the oldest of the others goes, and does not come back first by asking at once */
	suspend(true);
	want(TAG2);
	for (int i = 0; i < 20 && !fake_xs_get("/local/domain/21/" STATE_DISK_RESULT); i++)
		pass(10);
	assert_non_null(fake_xs_get("/local/domain/21/" STATE_DISK_RESULT));
	assert_string_equal(fake_xs_get("/local/domain/21/" STATE_DISK_RESULT),
			    "00000000000000000000000000000000 error ended in favour of a guest that is suspended");
	fake_xs_set("/local/domain/21/" STATE_DISK_WANT, "save 0123456789abcdef0123456789abcdef");
	settle();
	assert_int_equal(fake_helper.started, STATE_DISK_TRANSFERS);
	pass(200);
	assert_int_equal(fake_helper.started, STATE_DISK_TRANSFERS + 1);
	assert_int_equal(fake_helper.stub, 5);
	assert_null(fake_xs_get("/local/domain/23/" STATE_DISK_RESULT));
}

/* ---- restore ---- */

static void incoming(const char *text)
{
	put_file("qemu-resume.4", text);
	fake_xs_set(OUTPUT, "pipe:/var/lib/xen/qemu-resume.4");
	boot_daemon();
}

static void a_restore(void **state)
{
	(void)state;
	incoming(LONG);
	assert_true(fake_helper.running && fake_helper.restore);
	assert_int_equal(fake_helper.sectors, STATE_DISK_SECTORS(strlen(LONG)));
	assert_string_equal(fake_xs_get(RESTORE), "wait");
	helper_says("ready 80");
	assert_string_equal(fake_xs_get(RESTORE), DEV1);
	assert_string_equal(fake_xs_get(BACK1 "/mode"), "r");
	assert_string_equal(fake_xs_get(BACK1 "/info"), "4");
	/* libxl takes its time before it lets it run */
	pass(25000);
	assert_true(fake_helper.running);
	fake_hv_dom(5)->paused = false;
	fake_hv_dom(5)->cpu_ns = 1;
	front_connects(DEV1);
	fake_xs_set(STUB STATE_DISK_RESTORED, "ok");
	settle();
	assert_false(fake_helper.running);
	front_state(DEV1, "6");
	no_device();
	assert_not_logged("<3>");
	assert_true(have("qemu-resume.4"));
	/* once */
	pass(5000);
	assert_int_equal(fake_helper.started, 1);
}

static void a_restore_that_is_refused(void **state)
{
	(void)state;
	incoming(LONG);
	assert_not_logged("has no sum");
	helper_says("error the state is damaged: its SHA-256 is not that of its header");
	assert_string_equal(fake_xs_get(RESTORE), "refused the state is damaged: its SHA-256 is not that of its header");
	assert_logged("its device state is not restored by disk: the state is damaged");
	no_device();
}

static void a_helper_that_lacks_something(void **state)
{
	(void)state;
	incoming(LONG);
	helper_says("unable no access to grants and event channels: No such file or directory");
	assert_string_equal(fake_xs_get(RESTORE), "console");
	assert_logged("its device state is not restored by disk: no access to grants and event channels: No such file or directory");
	no_device();
}

static void a_restore_without_a_helper(void **state)
{
	(void)state;
	fake_helper.fail_start = -ENOENT;
	incoming(LONG);
	assert_string_equal(fake_xs_get(RESTORE), "console");
	fake_helper.fail_start = 0;
	no_device();
}

static void a_restore_whose_file_is_gone(void **state)
{
	(void)state;
	fake_xs_set(OUTPUT, "pipe:/var/lib/xen/qemu-resume.4");
	boot_daemon();
	assert_string_equal(fake_xs_get(RESTORE), "refused /var/lib/xen/qemu-resume.4: No such file or directory");
}

static void a_restore_in_the_middle_of_which_it_is_restarted(void **state)
{
	(void)state;
	incoming(LONG);
	helper_says("ready 80");
	kill_daemon();
	fake_helper_die();
	boot_daemon();
	/* it never ran: once more */
	assert_true(fake_helper.running);
	assert_string_equal(fake_xs_get(RESTORE), "wait");
	helper_says("ready 80");
	fake_hv_dom(5)->paused = false;
	fake_hv_dom(5)->cpu_ns = 1;
	settle();
	kill_daemon();
	fake_helper_die();
	boot_daemon();
	assert_string_equal(fake_xs_get(RESTORE), "console");
	no_device();
}

static void what_is_no_restore(void **state)
{
	static const char *const not[] = {
		"null", "pipe:/var/lib/xen/qemu-resume.5", "pipe:/etc/shadow", "file:/var/lib/xen/qemu-resume.4",
		"pipe:/var/lib/xen/qemu-resume.4 ",
	};

	(void)state;
	put_file("qemu-resume.4", LONG);
	boot_daemon();
	for (size_t i = 0; i < sizeof(not) / sizeof(not[0]); i++) {
		fake_xs_set(OUTPUT, not[i]);
		fake_xs_set("/local/domain/0/backend/console/5/2/state", "1");
		now += 100;
		settle();
		assert_false(fake_helper.running);
	}
	/* it could have written that itself */
	fake_hv_dom(5)->paused = false;
	fake_hv_dom(5)->cpu_ns = 1;
	fake_xs_set(OUTPUT, "pipe:/var/lib/xen/qemu-resume.4");
	fake_xs_set("/local/domain/0/backend/console/5/2/state", "1");
	settle();
	assert_false(fake_helper.running);
	assert_null(fake_xs_get(RESTORE));
}

#define TEST(fn, up) cmocka_unit_test_setup_teardown(fn, up, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(each_save_is_alone, setup_running), TEST(whose_nodes_they_are, setup_running),
		TEST(what_the_helper_refuses, setup_running), TEST(a_helper_that_dies, setup_running),
		TEST(a_helper_that_cannot_start, setup_running), TEST(a_helper_that_lies_about_its_file, setup_running),
		TEST(no_place_for_the_file, setup_running), TEST(frontends_that_do_not_behave, setup_running),
		TEST(a_stubdomain_that_goes, setup_running), TEST(a_guest_that_goes, setup_running),
		TEST(a_wish_that_is_withdrawn, setup_running), TEST(hostile_words, setup_running),
		TEST(the_daemon_is_restarted, setup_running), TEST(who_gives_way, setup_running),
		TEST(a_restore, setup), TEST(a_restore_that_is_refused, setup), TEST(a_restore_without_a_helper, setup),
		TEST(a_helper_that_lacks_something, setup),
		TEST(a_restore_whose_file_is_gone, setup), TEST(a_restore_in_the_middle_of_which_it_is_restarted, setup),
		TEST(what_is_no_restore, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
