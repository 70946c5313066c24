// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/daemon/track.c src/stubdom/daemon/bounds.c src/stubdom/daemon/states.c src/stubdom/daemon/statenodes.c src/stubdom/daemon/transfer.c src/lib/state/words.c tests/unit/fake_helper.c src/stubdom/daemon/life.c src/stubdom/daemon/orphan.c src/stubdom/daemon/clean.c src/stubdom/daemon/savefile.c src/stubdom/daemon/diag.c src/stubdom/daemon/image.c src/lib/image/verify.c src/lib/image/manifest.c src/stubdom/daemon/consoles.c src/stubdom/daemon/drives.c src/stubdom/daemon/vifs.c src/lib/xen/stubdomain.c src/stubdom/daemon/events.c src/lib/base/sha256.c src/lib/xen/xs_util.c src/lib/base/file.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_hv.c src/stubdom/daemon/stub.c src/stubdom/daemon/record.c src/stubdom/daemon/observe.c src/stubdom/daemon/devices.c src/stubdom/daemon/saves.c src/stubdom/daemon/root.c src/lib/xen/domain.c src/lib/daemon/watches.c */
/* test-pkgs: libcrypto */
/* The daemon's mind as a whole, against a fake xenstore and hypervisor. */
#include "stubdomd_fixture.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stubdom.h"
#include "stubdom/daemon/clean.h"
#include "stubdom/daemon/root.h"
#include "stubdom/daemon/diag.h"
#include "stubdom/daemon/events.h"
#include "stubdom/daemon/life.h"
#include "stubdom/daemon/orphan.h"
#include "stubdom/daemon/record.h"
#include "stubdom/daemon/track.h"

#define OUT2(d) "/local/domain/" #d "/device/console/2/output"
#define P0(d) "/local/domain/" #d "/console/state"
#define REC(d) RECORD_DIR "/" #d

static struct xs_handle *xs;
static struct track *tr;
static struct events ev;
static uint64_t now;

static void boot_daemon(void)
{
	xs = xs_open(0);
	tr = track_new(xs, hv_open());
	memset(&ev, 0, sizeof(ev));
	assert_int_equal(events_watch(xs), 0);
	assert_int_equal(track_scan(tr, now), 0);
	diag_wait();
}

static void kill_daemon(void)
{
	diag_wait();
	track_free(tr);
	xs_close(xs);
	tr = NULL;
}

/* One round of main.c. */
static void round_at(uint64_t t)
{
	int dom = 0;

	now = t;
	assert_int_equal(events_take(xs, &ev), 0);
	while ((dom = domid_set_take(&ev.marked, dom)) >= 0)
		track_visit(tr, dom, now);
	if (ev.scan)
		assert_int_equal(track_scan(tr, now), 0);
	else if (ev.sweep)
		track_sweep(tr, now);
	if (ev.born && !ev.scan && !ev.sweep)
		track_born(tr, now);
	ev.scan = ev.sweep = ev.born = false;
	track_tick(tr, now);
	assert_true(track_next(tr) > now);
	diag_wait();
}

/* Let time pass as the main loop does: it wakes up when something is due. */
static void pass(uint64_t ms)
{
	uint64_t end = now + ms;

	round_at(now);		/* what has happened already */
	while (track_next(tr) <= end)
		round_at(track_next(tr));
	round_at(end);
}

static unsigned int count(void)
{
	unsigned int all, bad;

	track_count(tr, &all, &bad);
	return all;
}

static int setup(void **state)
{
	fix_setup(state);
	host_root = "/nonexistent";
	now = 1000;
	return 0;
}

static int teardown(void **state)
{
	kill_daemon();
	return fix_teardown(state);
}

static void release(uint32_t domid)
{
	fake_hv_remove(domid);
	fake_xs_fire("@releaseDomain");
}

/* What libxl does to end both. */
static void destroy(uint32_t stub, uint32_t guest)
{
	char path[64];

	fake_hv_dom(guest)->paused = true;
	snprintf(path, sizeof(path), "/local/domain/0/backend/console/%u", stub);
	fake_xs_rm(path);
	snprintf(path, sizeof(path), "/local/domain/%u", stub);
	fake_xs_rm(path);
	snprintf(path, sizeof(path), "/local/domain/%u", guest);
	fake_xs_rm(path);
	snprintf(path, sizeof(path), "/libxl/%u", guest);
	fake_xs_rm(path);
	release(stub);
	release(guest);
}

static void running_pair(void)
{
	fix_domains(5, 4, "web1");
	fix_consoles(5);
	round_at(now);
	fix_running(5, 4);
	pass(2000);
	fix_log_clear();
}

/* ---- */

static void a_whole_life(void **state)
{
	(void)state;
	boot_daemon();
	assert_true(track_next(tr) == UINT64_MAX);
	fix_domains(5, 4, "web1");
	fix_consoles(5);
	round_at(now + 1);
	assert_string_equal(fake_xs_get(OUT2(5)), "null");
	assert_string_equal(fake_xs_get(P0(5)), "4");
	assert_non_null(fake_xs_get(REC(5)));
	assert_int_equal(count(), 1);

	pass(3000);
	fix_running(5, 4);
	pass(2000);
	assert_logged("guest web1: device model runs in stubdomain 5");
	assert_true(track_next(tr) == UINT64_MAX);

	destroy(5, 4);
	pass(LIFE_GRACE_MS + 2000);
	assert_int_equal(count(), 0);
	assert_null(fake_xs_get(REC(5)));
	assert_null(fake_xs_get("/local/domain/5"));
	assert_int_equal(fake_hv_crashes, 0);
	assert_not_logged("<3>");
	assert_not_logged("<4>");
}

static void restart_loses_nothing(void **state)
{
	unsigned int nodes, changed;

	(void)state;
	boot_daemon();
	running_pair();
	nodes = fake_xs_nodes();
	kill_daemon();
	changed = fake_xs_changes();
	boot_daemon();
	assert_int_equal(count(), 1);
	assert_int_equal(fake_xs_nodes(), nodes);
	/* its own record, written again; nothing else */
	assert_int_equal(fake_xs_changes(), changed + 1);
	assert_not_logged("<3>");
	/* and it still knows what to do */
	fake_hv_dom(5)->shutdown = true;
	fake_hv_dom(5)->reason = 3;
	fake_xs_fire("@releaseDomain");
	round_at(now + 1);
	assert_int_equal(fake_hv_crashes, 1);
}

/* It may have removed its "running", or written nonsense there. */
static void lying_stubdomain_is_not_called_slow(void **state)
{
	(void)state;
	boot_daemon();
	running_pair();
	kill_daemon();
	fake_xs_set("/local/domain/5/device-model/4/state", "never");
	boot_daemon();
	pass(10 * LIFE_SLOW_MS);
	assert_not_logged("<3>");
	assert_true(track_next(tr) == UINT64_MAX);
}

static void made_while_it_was_down(void **state)
{
	(void)state;
	fix_domains(5, 4, "web1");
	fix_consoles(5);
	boot_daemon();
	assert_string_equal(fake_xs_get(OUT2(5)), "null");
	assert_string_equal(fake_xs_get(P0(5)), "4");
}

static void too_late_for_qemu(void **state)
{
	(void)state;
	fix_domains(5, 4, "web1");
	fix_consoles(5);
	fake_hv_dom(5)->paused = false;
	fake_xs_set("/local/domain/0/backend/console/5/0/state", "2");
	fake_xs_set("/local/domain/0/backend/console/5/1/state", "2");
	boot_daemon();
	round_at(now + 1);
	assert_string_equal(fake_xs_get(P0(5)), "4");
	assert_string_equal(fake_xs_get("/local/domain/0/backend/console/5/2/state"), "1");
	/* the kernel comes up: console 1 connects, console 2 never would */
	fake_xs_set("/local/domain/5/device/console/2/state", "3");
	fake_xs_set("/local/domain/0/backend/console/5/1/state", "4");
	round_at(now + 1);
	assert_string_equal(fake_xs_get("/local/domain/0/backend/console/5/2/state"), "6");
	assert_logged("did not take console 2");
}

static void minios_and_others_are_left_alone(void **state)
{
	unsigned int n;

	(void)state;
	fix_domains(5, 4, "old");
	fix_consoles(5);
	fake_xs_set("/libxl/4/dm-version", "qemu_xen_traditional");
	fake_hv_add(9, false, 1);		/* a PV guest */
	fix_console(9, 0, "pty");
	n = fake_xs_nodes();
	boot_daemon();
	round_at(now + 1);
	fake_hv_dom(5)->shutdown = true;
	release(4);
	fake_hv_dom(9)->shutdown = true;
	release(9);
	pass(100000);
	assert_int_equal(count(), 0);
	assert_int_equal(fake_xs_nodes(), n);
	assert_int_equal(fake_xs_changes(), 0);
	assert_int_equal(fake_hv_crashes, 0);
	assert_string_equal(fix_log, "");
}

static void dead_device_model(void **state)
{
	(void)state;
	boot_daemon();
	running_pair();
	fake_xs_set("/local/domain/5/" STUBDOM_DATA "/stage", STUBDOM_STAGE_END);
	fake_xs_set("/local/domain/5/" STUBDOM_DATA "/error", "QEMU died: signal 11\n<0>faked\033[2J");
	fake_hv_dom(5)->shutdown = true;
	fake_hv_dom(5)->reason = 0;
	fake_xs_fire("@releaseDomain");
	round_at(now + 10);
	assert_int_equal(fake_hv_crashes, 1);
	assert_true(fake_hv_dom(4)->shutdown);
	assert_int_equal(fake_hv_dom(4)->reason, 3);
	assert_logged("<3>guest web1: its device model is gone: stubdomain 5 powered off: it says: QEMU died: signal 11?<0>faked?[2J");
	assert_logged("/var/log/xen/qemu-dm-web1.log");
	assert_logged("on_crash");
	/* xl preserves it, or is not there */
	fix_log_clear();
	fake_xs_fire("@releaseDomain");
	pass(LIFE_LEFT_MS + 5000);
	assert_int_equal(fake_hv_crashes, 1);
	assert_logged("run 'xl destroy web1'");
	assert_int_equal(fix_lines, 1);
	pass(1000000);
	assert_int_equal(fix_lines, 1);
	assert_true(track_next(tr) == UINT64_MAX);
	destroy(5, 4);
	pass(LIFE_GRACE_MS + 2000);
	assert_int_equal(count(), 0);
}

/* During xl create: libxl deals with it, and says the reason here. */
static void dies_while_starting(void **state)
{
	(void)state;
	boot_daemon();
	fix_domains(5, 4, "web1");
	fix_consoles(5);
	round_at(now + 1);
	fake_hv_dom(5)->paused = false;
	pass(3000);
	fake_hv_dom(5)->shutdown = true;
	fake_hv_dom(5)->reason = 3;
	fake_xs_fire("@releaseDomain");
	round_at(now + 1);
	assert_int_equal(fake_hv_crashes, 0);
	assert_logged("<3>guest web1: stubdomain 5 crashed before its device model ran");
	pass(25000);
	assert_int_equal(fake_hv_crashes, 0);
	destroy(5, 4);
	pass(LIFE_GRACE_MS + 2000);
	assert_int_equal(count(), 0);
	assert_not_logged("xl destroy");
}

static void does_not_come_up(void **state)
{
	(void)state;
	boot_daemon();
	fix_domains(5, 4, "web1");
	fix_consoles(5);
	round_at(now + 1);
	pass(60000);	/* libxl builds, slowly; the clock does not run yet */
	assert_not_logged("<3>");
	fake_hv_dom(5)->paused = false;
	pass(LIFE_SLOW_MS - 1000);
	assert_not_logged("<3>");
	pass(3000);
	assert_logged("<3>guest web1: stubdomain 5 has not started its device model in 20 s: its init reported nothing");
	fix_log_clear();
	pass(60000);
	assert_string_equal(fix_log, "");
	fix_running(5, 4);
	pass(6000);
	assert_logged("device model runs");
}

static void destroyed_by_hand(void **state)
{
	(void)state;
	boot_daemon();
	running_pair();
	fake_xs_rm("/local/domain/0/backend/console/5");
	fake_xs_rm("/local/domain/5");
	release(5);
	round_at(now + 1);
	assert_int_equal(fake_hv_crashes, 0);
	pass(LIFE_ALONE_MS);
	assert_int_equal(fake_hv_crashes, 1);
	assert_logged("without its guest");
}

static void died_while_daemon_was_down(void **state)
{
	(void)state;
	boot_daemon();
	running_pair();
	kill_daemon();
	fake_xs_rm("/local/domain/5");
	release(5);
	boot_daemon();
	pass(LIFE_ALONE_MS + 1000);
	assert_int_equal(fake_hv_crashes, 1);
	assert_logged("guest web1: its device model is gone");
}

static void all_gone_while_daemon_was_down(void **state)
{
	(void)state;
	boot_daemon();
	running_pair();
	kill_daemon();
	destroy(5, 4);
	boot_daemon();
	assert_non_null(fake_xs_get(REC(5)));
	pass(LIFE_GRACE_MS + 1000);
	assert_null(fake_xs_get(REC(5)));
	assert_int_equal(count(), 0);
	assert_int_equal(fake_hv_crashes, 0);
}

/* The number belongs to somebody else by the time it is looked at. */
static void number_in_use_again(void **state)
{
	(void)state;
	boot_daemon();
	running_pair();
	kill_daemon();
	destroy(5, 4);
	fake_hv_add(5, false, 2);
	fake_xs_set("/local/domain/5/vm", "/vm/other");
	fake_xs_set("/local/domain/0/backend/console/5/0/state", "4");
	fake_xs_set("/local/domain/0/device-model/5/state", "running");
	fake_hv_add(4, true, 2)->cpu_ns = 5;
	boot_daemon();
	pass(100000);
	assert_int_equal(fake_hv_crashes, 0);
	assert_string_equal(fake_xs_get("/local/domain/5/vm"), "/vm/other");
	assert_string_equal(fake_xs_get("/local/domain/0/backend/console/5/0/state"), "4");
	assert_string_equal(fake_xs_get("/local/domain/0/device-model/5/state"), "running");
	assert_null(fake_xs_get(REC(5)));
	assert_int_equal(count(), 0);
}

static void number_reused_by_a_stubdomain(void **state)
{
	(void)state;
	boot_daemon();
	running_pair();
	destroy(5, 4);
	fix_domains(5, 6, "web2");
	fake_hv_dom(5)->uuid[10] = 9;
	fix_consoles(5);
	round_at(now + 1);
	assert_string_equal(fake_xs_get(OUT2(5)), "null");
	pass(LIFE_GRACE_MS + 1000);
	assert_int_equal(count(), 1);
	/* the old one's clean-up did not take the new one's things */
	assert_non_null(fake_xs_get(REC(5)));
	assert_string_equal(fake_xs_get(OUT2(5)), "null");
	assert_string_equal(fake_xs_get("/local/domain/5/target"), "6");
}

static void stubdomain_without_guest(void **state)
{
	(void)state;
	boot_daemon();
	running_pair();
	release(4);
	pass(LIFE_LEFT_MS + 2000);
	assert_logged("stubdomain 5 is still there without its guest: run 'xl destroy 5'");
	assert_int_equal(fake_hv_crashes, 0);
}

static void leftovers_are_removed(void **state)
{
	(void)state;
	boot_daemon();
	running_pair();
	destroy(5, 4);
	/* what a slow QEMU writes after its nodes were removed */
	fake_xs_set("/local/domain/0/backend/console/5/0/state", "6");
	fake_xs_set("/local/domain/5/console/tty", "/dev/pts/3");
	fake_xs_set("/local/domain/0/device-model/5/state", "running");
	fake_xs_set("/local/domain/0/backend/console/55/0/state", "4");
	fake_xs_set("/local/domain/0/backend/vbd/5/51712/state", "6");
	pass(LIFE_GRACE_MS + 2000);
	assert_null(fake_xs_get("/local/domain/0/backend/console/5"));
	assert_null(fake_xs_get("/local/domain/5"));
	assert_null(fake_xs_get("/local/domain/0/device-model/5"));
	assert_non_null(fake_xs_get("/local/domain/0/backend/console/55/0/state"));
	assert_non_null(fake_xs_get("/local/domain/0/backend/vbd/5/51712/state"));
}

/* A stubdomain that makes its QEMU write states as fast as it can. */
static void flood(void **state)
{
	unsigned int before, other;

	(void)state;
	boot_daemon();
	running_pair();
	before = fake_xs_changes();
	for (int i = 0; i < 2000; i++) {
		/* it also undoes the fix each time: it owns the directory */
		fake_xs_rm(OUT2(5));
		fake_xs_set("/local/domain/0/backend/console/5/1/state", i & 1 ? "1" : "2");
		now += i & 1;
		round_at(now);
	}
	assert_true(fake_xs_changes() - before < 100);
	assert_true(fix_lines <= 40);
	/* others are served as ever */
	fix_domains(7, 6, "web2");
	fix_consoles(7);
	other = fake_xs_changes();
	round_at(now);
	assert_string_equal(fake_xs_get(OUT2(7)), "null");
	assert_int_equal(fake_xs_changes(), other + 4);
	/* and it is looked at again when it is quiet */
	pass(1100);
	assert_string_equal(fake_xs_get(OUT2(5)), "null");
}

static void trouble_is_not_fatal(void **state)
{
	(void)state;
	boot_daemon();
	running_pair();
	fake_hv_fail(EPERM);
	fake_xs_fire("@releaseDomain");
	round_at(now + 1);
	assert_logged("asking the hypervisor");
	fake_hv_fail(0);
	fake_hv_dom(5)->shutdown = true;
	pass(1500);
	assert_int_equal(fake_hv_crashes, 1);

	fix_log_clear();
	fake_xs_fail(FAKE_XS_END, NULL, ENOSPC, 3);
	fix_domains(7, 6, "web2");
	fix_consoles(7);
	round_at(now + 1);
	assert_logged("setting its consoles up");
	pass(5000);
	assert_string_equal(fake_xs_get(OUT2(7)), "null");
}

static void failed_crash_is_tried_again(void **state)
{
	(void)state;
	boot_daemon();
	running_pair();
	fake_hv_dom(5)->dying = true;
	round_at(now + 1);
	fake_xs_fire("@releaseDomain");
	pass(LIFE_ALONE_MS + 1000);
	assert_int_equal(fake_hv_crashes, 1);
	fake_hv_dom(4)->shutdown = false;	/* as if it had not worked */
	pass(60000);
	assert_int_equal(fake_hv_crashes, 2);
}

static void nonsense_records(void **state)
{
	static const char *const values[] = {
		"", "x", "4", "4 00", "99999 0 0", "4 zz 00", "-4 1 1",
		"4 0500000001000000000000000000000g 04000000010000000000000000000000",
	};
	char path[64];

	(void)state;
	for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		fake_xs_setf(values[i], RECORD_DIR "/%u", i + 20);
	fake_xs_setf("4", RECORD_DIR "/abc");
	boot_daemon();
	assert_int_equal(count(), 0);
	assert_string_equal(fake_xs_get(RECORD_DIR), "");
	for (unsigned int i = 0; i < sizeof(values) / sizeof(values[0]); i++) {
		snprintf(path, sizeof(path), RECORD_DIR "/%u", i + 20);
		assert_null(fake_xs_get(path));
	}
	assert_null(fake_xs_get(RECORD_DIR "/abc"));
	assert_logged("malformed record");
}

static void paused_guest_is_dealt_with_when_it_goes_on(void **state)
{
	(void)state;
	boot_daemon();
	running_pair();
	fake_hv_dom(4)->paused = true;		/* xl pause */
	fake_hv_dom(5)->shutdown = true;
	fake_hv_dom(5)->reason = 3;
	fake_xs_fire("@releaseDomain");
	pass(10000);
	assert_int_equal(fake_hv_crashes, 0);
	assert_logged("its device model is gone: stubdomain 5 crashed");
	fake_hv_dom(4)->paused = false;		/* xl unpause: no event tells */
	pass(2000);
	assert_int_equal(fake_hv_crashes, 1);
}

/* libxl__domain_build() failed: the guest is destroyed, the new domain is not. */
static void guest_being_made(void)
{
	fake_hv_add(4, true, 1)->paused = true;
	fake_xs_set("/local/domain/4/name", "web1");
	fake_xs_set("/local/domain/4/vm", "/vm/guest");
	fake_xs_fire("@introduceDomain");
	round_at(now + 10);
}

static void stub_half_made(void)
{
	fake_hv_add(5, false, 1)->paused = true;
	fake_xs_set("/local/domain/5/name", "web1-dm");
	fake_xs_set("/local/domain/5/vm", "/vm/stub5");
	fake_xs_set("/vm/stub5/name", "web1-dm");
	fake_xs_set("/libxl/5/type", "pv");
	fake_xs_set("/local/domain/5/memory/static-max", "147456");
}

static void guest_is_given_up(void)
{
	fake_xs_rm("/local/domain/4");
	release(4);
}

static void left_by_libxl(void **state)
{
	(void)state;
	boot_daemon();
	guest_being_made();
	stub_half_made();
	pass(2 * ORPHAN_MS);
	assert_string_equal(fix_log, "");	/* being built */
	guest_is_given_up();
	pass(ORPHAN_MS - 1000);
	assert_non_null(fake_hv_dom(5));
	pass(2000);
	assert_null(fake_hv_dom(5));
	assert_null(fake_xs_get("/local/domain/5"));
	assert_null(fake_xs_get("/libxl/5"));
	assert_null(fake_xs_get("/vm/stub5"));
	assert_non_null(fake_xs_get("/vm"));
	assert_logged("<3>guest web1: xl could not build its stubdomain 5, and left it; destroyed it: ");
	fake_xs_fire("@releaseDomain");
	pass(100000);
	assert_int_equal(fix_lines, 1);
	assert_true(track_next(tr) == UINT64_MAX);
}

/* The daemon did not see how it came about: it says so, and leaves it. */
static void left_before_it_was_started(void **state)
{
	(void)state;
	stub_half_made();
	boot_daemon();
	pass(ORPHAN_MS + 1000);
	assert_logged("<3>guest web1: domain 5, with 144 MB, is left of a stubdomain that xl could not build: run 'xl destroy 5'");
	assert_non_null(fake_hv_dom(5));
	assert_non_null(fake_xs_get("/local/domain/5/name"));
	fake_xs_fire("@releaseDomain");
	pass(100000);
	assert_int_equal(fix_lines, 1);
	release(5);
	round_at(now + 1);
	assert_int_equal(fix_lines, 1);
}

/* It was there before the guest of that name: not libxl's doing. */
static void older_than_its_guest(void **state)
{
	(void)state;
	boot_daemon();
	stub_half_made();
	fake_xs_fire("@introduceDomain");
	round_at(now + 1);
	guest_being_made();
	guest_is_given_up();
	pass(10 * ORPHAN_MS);
	assert_non_null(fake_hv_dom(5));
}

/* The guest had run: its own stubdomain is another domain. */
static void guest_had_run(void **state)
{
	(void)state;
	boot_daemon();
	guest_being_made();
	fake_hv_dom(4)->paused = false;
	fake_hv_dom(4)->cpu_ns = 1;
	fake_xs_fire("@introduceDomain");
	round_at(now + 1);
	stub_half_made();
	guest_is_given_up();
	pass(10 * ORPHAN_MS);
	assert_non_null(fake_hv_dom(5));
}

/* xl create -p of a PV guest with such a name: libxl knows its configuration. */
static void guest_with_such_a_name(void **state)
{
	char root[] = "/tmp/stubdomd-test-XXXXXX", path[200];
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(root));
	host_root = root;
	for (int i = 0; i < 3; i++) {
		static const char *const dirs[] = { "/var", "/var/lib", "/var/lib/xen" };

		snprintf(path, sizeof(path), "%s%s", root, dirs[i]);
		assert_int_equal(mkdir(path, 0700), 0);
	}
	/* the uuid that fake_hv_add() makes of 5 and 1 */
	snprintf(path, sizeof(path), "%s/var/lib/xen/userdata-d.5.05000000-0100-0000-0000-000000000000.libxl-json", root);
	f = fopen(path, "w");
	assert_non_null(f);
	fclose(f);
	boot_daemon();
	guest_being_made();
	stub_half_made();
	guest_is_given_up();
	pass(10 * ORPHAN_MS);
	assert_non_null(fake_hv_dom(5));
	assert_non_null(fake_xs_get("/local/domain/5/name"));
	unlink(path);
	for (char *slash; (slash = strrchr(path, '/')) && slash > path + 4;) {
		*slash = '\0';
		rmdir(path);
	}
	assert_int_not_equal(access(root, F_OK), 0);
}

/* It becomes a stubdomain while it is being looked at. */
static void gets_its_target(enum fake_xs_op op, const char *path)
{
	(void)path;
	if (op == FAKE_XS_START)
		fake_xs_set("/local/domain/5/target", "4");
}

static void is_built_after_all(void **state)
{
	(void)state;
	boot_daemon();
	guest_being_made();
	stub_half_made();
	guest_is_given_up();
	pass(ORPHAN_MS - 1000);
	fake_xs_hook(gets_its_target);
	pass(5000);
	fake_xs_hook(NULL);
	assert_non_null(fake_hv_dom(5));
	assert_non_null(fake_xs_get("/local/domain/5/name"));
}

/* Domains that only look like it. */
static void not_left_by_libxl(void **state)
{
	(void)state;
	fake_hv_add(5, false, 1);			/* runs */
	fake_xs_set("/local/domain/5/name", "a-dm");
	fake_hv_add(6, false, 1)->paused = true;	/* ran */
	fake_hv_dom(6)->cpu_ns = 1;
	fake_xs_set("/local/domain/6/name", "b-dm");
	fake_hv_add(7, true, 1)->paused = true;		/* HVM */
	fake_xs_set("/local/domain/7/name", "c-dm");
	fake_hv_add(8, false, 1)->paused = true;
	fake_xs_set("/local/domain/8/name", "d-dm--incoming");
	fake_hv_add(9, false, 1)->paused = true;
	fake_xs_set("/local/domain/9/name", "-dm");
	fake_hv_add(10, false, 1)->paused = true;	/* no name */
	boot_daemon();
	pass(10 * ORPHAN_MS);
	assert_string_equal(fix_log, "");
}

static void guest_is_renamed(void **state)
{
	(void)state;
	boot_daemon();
	fix_domains(5, 4, "web1--incoming");
	fix_console(5, 0, "file:/var/log/xen/qemu-dm-web1--incoming.log");
	round_at(now);
	fix_running(5, 4);
	pass(2000);
	fake_xs_set("/local/domain/4/name", "web1");
	fake_hv_dom(5)->shutdown = true;
	fake_xs_fire("@releaseDomain");
	round_at(now + 1);
	assert_logged("<3>guest web1: its device model is gone");
	assert_logged("see /var/log/xen/qemu-dm-web1--incoming.log");
}

/* ---- detached network cards ---- */

#define VBACK(d) "/local/domain/0/backend/vif/" #d "/0"
#define VFRONT(d) "/local/domain/" #d "/device/vif/0"
#define VREC(d) "/libxl/" #d "/device/vif/0"
#define MAC "00:16:3e:00:00:21"

/* libxl makes the stubdomain's interface first, and the guest's when its QEMU runs. */
static void pair_with_vif(void)
{
	fix_domains(5, 4, "web1");
	fix_consoles(5);
	fix_vif(5, 0, 0, MAC, "xenbr0");
	round_at(now);
	fake_hv_dom(5)->paused = false;
	fake_hv_dom(5)->cpu_ns = 1000;
	pass(12000);
	fake_xs_set("/local/domain/5/device-model/4/state", "running");
	pass(2000);
	fix_vif(4, 0, 0, MAC, "xenbr0");
	pass(2000);
	fix_running(5, 4);
	pass(5000);
	assert_string_equal(fake_xs_get(VBACK(5) "/state"), "4");
	assert_string_equal(fake_xs_get(VBACK(5) "/online"), "1");
	assert_true(track_next(tr) == UINT64_MAX);
	fix_log_clear();
}

static void detach_from_guest(void)
{
	fake_xs_rm(VFRONT(4));
	fake_xs_rm(VREC(4));
	fake_xs_rm(VBACK(4));
}

static void a_detached_card(void **state)
{
	(void)state;
	boot_daemon();
	pair_with_vif();
	detach_from_guest();
	round_at(now + 1);
	assert_string_equal(fake_xs_get(VBACK(5) "/online"), "0");
	assert_string_equal(fake_xs_get(VBACK(5) "/state"), "5");
	assert_logged("<5>guest web1: network card 0 was detached");
	/* the stubdomain's kernel and netback do their part */
	fake_xs_set(VFRONT(5) "/state", "6");
	fake_xs_set(VBACK(5) "/state", "6");
	pass(100000);
	assert_int_equal(fix_lines, 1);
	assert_true(track_next(tr) == UINT64_MAX);
	/* libxl cleans it up with the rest */
	assert_non_null(fake_xs_get(VREC(5) "/backend"));
	/* a restart has nothing more to say of it */
	kill_daemon();
	boot_daemon();
	pass(100000);
	assert_not_logged("<4>");
	assert_string_equal(fake_xs_get(VBACK(5) "/state"), "6");
	/* the guest's own card, attached again, changes nothing here */
	fix_vif(4, 0, 0, MAC, "xenbr0");
	pass(5000);
	assert_string_equal(fake_xs_get(VBACK(5) "/state"), "6");
	assert_int_equal(fake_hv_crashes, 0);
}

static void a_stubdomain_that_holds_on(void **state)
{
	(void)state;
	boot_daemon();
	pair_with_vif();
	detach_from_guest();
	round_at(now + 1);
	pass(3000);
	/* it plays with its state, and netback follows */
	fake_xs_set(VBACK(5) "/state", "4");
	pass(2000);
	assert_string_equal(fake_xs_get(VBACK(5) "/state"), "5");
	assert_non_null(fake_xs_get(VFRONT(5)));
	pass(6000);
	assert_null(fake_xs_get(VFRONT(5)));
	assert_logged("<4>guest web1: stubdomain 5 does not close its interface for network card 0");
	assert_int_equal(fix_lines, 2);
	pass(8000);
	assert_non_null(fake_xs_get(VBACK(5)));
	pass(4000);
	assert_null(fake_xs_get(VBACK(5)));
	assert_int_equal(fix_lines, 3);
	pass(100000);
	assert_int_equal(fix_lines, 3);
	assert_true(track_next(tr) == UINT64_MAX);
}

static void detached_and_attached_before_a_look(void **state)
{
	(void)state;
	boot_daemon();
	pair_with_vif();
	detach_from_guest();
	fix_vif(4, 0, 0, MAC, "xenbr1");
	round_at(now + 1);
	assert_string_equal(fake_xs_get(VBACK(5) "/state"), "5");
	assert_string_equal(fake_xs_get(VBACK(4) "/state"), "4");
}

static void detached_while_it_was_down(void **state)
{
	(void)state;
	boot_daemon();
	pair_with_vif();
	kill_daemon();
	detach_from_guest();
	boot_daemon();
	assert_string_equal(fake_xs_get(VBACK(5) "/state"), "5");
	/* restarted in the middle: the time runs from then on */
	pass(5000);
	kill_daemon();
	fix_log_clear();
	boot_daemon();
	pass(8000);
	assert_non_null(fake_xs_get(VFRONT(5)));
	pass(4000);
	assert_null(fake_xs_get(VFRONT(5)));
	assert_not_logged("<5>");
}

/* libxl pauses both, and only then removes what the guest has. */
static void a_destroyed_guest_is_not_a_detached_card(void **state)
{
	(void)state;
	boot_daemon();
	pair_with_vif();
	fake_hv_dom(5)->paused = true;
	fake_hv_dom(4)->paused = true;
	detach_from_guest();
	pass(10000);
	assert_string_equal(fake_xs_get(VBACK(5) "/state"), "4");
	destroy(5, 4);
	pass(LIFE_GRACE_MS + 2000);
	assert_int_equal(count(), 0);
	assert_not_logged("detached");
}

static void detached_from_a_paused_guest(void **state)
{
	(void)state;
	boot_daemon();
	pair_with_vif();
	fake_hv_dom(4)->paused = true;
	detach_from_guest();
	round_at(now + 1);
	assert_string_equal(fake_xs_get(VBACK(5) "/state"), "5");
}

/* ---- CD drives without a medium ---- */

static void an_empty_drive(void **state)
{
	(void)state;
	boot_daemon();
	fix_domains(5, 4, "web1");
	fix_cd(5, 5632, "aio:");
	fix_consoles(5);
	round_at(now + 1);
	assert_null(fake_xs_get("/local/domain/0/backend/qdisk/5/5632"));
	assert_null(fake_xs_get("/local/domain/5/device/vbd/5632"));
	assert_string_equal(fake_xs_get("/libxl/5/device/vbd/5632/type"), "phy");
	assert_logged("<6>guest web1: 1 empty CD drive:");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(a_whole_life), T(restart_loses_nothing),
		T(lying_stubdomain_is_not_called_slow), T(made_while_it_was_down),
		T(too_late_for_qemu), T(minios_and_others_are_left_alone),
		T(dead_device_model), T(dies_while_starting), T(does_not_come_up),
		T(destroyed_by_hand), T(died_while_daemon_was_down),
		T(all_gone_while_daemon_was_down), T(number_in_use_again),
		T(number_reused_by_a_stubdomain), T(stubdomain_without_guest),
		T(leftovers_are_removed), T(flood), T(trouble_is_not_fatal),
		T(failed_crash_is_tried_again), T(nonsense_records),
		T(paused_guest_is_dealt_with_when_it_goes_on),
		T(left_by_libxl), T(left_before_it_was_started), T(older_than_its_guest),
		T(guest_had_run), T(guest_with_such_a_name), T(is_built_after_all),
		T(not_left_by_libxl), T(guest_is_renamed),
		T(a_detached_card), T(a_stubdomain_that_holds_on),
		T(detached_and_attached_before_a_look), T(detached_while_it_was_down),
		T(a_destroyed_guest_is_not_a_detached_card),
		T(detached_from_a_paused_guest), T(an_empty_drive),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
