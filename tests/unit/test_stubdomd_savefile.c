// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/daemon/track.c src/stubdom/daemon/bounds.c src/stubdom/daemon/states.c src/stubdom/daemon/statenodes.c src/stubdom/daemon/transfer.c src/lib/state/words.c tests/unit/fake_helper.c src/stubdom/daemon/life.c src/stubdom/daemon/orphan.c src/stubdom/daemon/clean.c src/stubdom/daemon/savefile.c src/stubdom/daemon/diag.c src/stubdom/daemon/image.c src/lib/image/verify.c src/lib/image/manifest.c src/stubdom/daemon/consoles.c src/stubdom/daemon/drives.c src/stubdom/daemon/vifs.c src/lib/xen/stubdomain.c src/stubdom/daemon/events.c src/lib/base/sha256.c src/lib/xen/xs_util.c src/lib/base/file.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_hv.c src/stubdom/daemon/stub.c src/stubdom/daemon/record.c src/stubdom/daemon/observe.c src/stubdom/daemon/devices.c src/stubdom/daemon/saves.c src/stubdom/daemon/root.c src/lib/xen/domain.c src/lib/daemon/watches.c */
/* test-pkgs: libcrypto */
/*
 * The states of one stubdomain on their way to libxl: a file that is opened
 * once and written to at its end, as dom0's QEMU does, and the daemon over it.
 */
#include "stubdomd_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xen/sched.h>

#include "stubdom.h"
#include "stubdom/daemon/clean.h"
#include "stubdom/daemon/record.h"
#include "stubdom/daemon/root.h"
#include "stubdom/daemon/diag.h"
#include "stubdom/daemon/savefile.h"
#include "stubdom/daemon/track.h"

#define ASK "/local/domain/5/" STUBDOM_DATA "/save"
#define ANSWER "/local/domain/5/" STUBDOM_DATA "/saved"
#define TAG1 "00112233445566778899aabbccddeeff"
#define TAG2 "ffeeddccbbaa99887766554433221100"

static char root[64];
static struct xs_handle *xs;
static struct track *tr;
static uint64_t now;
static int qemu;		/* dom0's QEMU: never opens it again */

static char *file(const char *end)
{
	static char path[2][160];
	static int n;

	n = !n;
	snprintf(path[n], sizeof(path[n]), "%s/var/lib/xen/qemu-save.4%s", root, end);
	return path[n];
}

static bool have(const char *end)
{
	return !access(file(end), F_OK);
}

static void boot_daemon(void)
{
	xs = xs_open(0);
	tr = track_new(xs, hv_open());
	assert_int_equal(track_scan(tr, now), 0);
	diag_wait();
}

static void kill_daemon(void)
{
	diag_wait();
	track_free(tr);
	xs_close(xs);
}

static void pass(uint64_t ms)
{
	for (uint64_t end = now + ms; track_next(tr) <= end;) {
		now = track_next(tr);
		track_tick(tr, now);
	}
	diag_wait();
}

static void write_all(int fd, const char *text)
{
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void holds(const char *text)
{
	char buf[256] = "";
	int fd = open(file(""), O_RDONLY);

	assert_true(fd >= 0);
	assert_true(read(fd, buf, sizeof(buf) - 1) >= 0);
	close(fd);
	assert_string_equal(buf, text);
}

static void suspend(void)
{
	fake_hv_dom(4)->shutdown = true;
	fake_hv_dom(4)->reason = SHUTDOWN_suspend;
	track_sweep(tr, ++now);
}

/* xl save failed, or it was xl save -c. */
static void resume(void)
{
	fake_hv_dom(4)->shutdown = false;
	fake_xs_rm(ASK);
	fake_xs_rm(ANSWER);
	now += 100;
	track_sweep(tr, now);
	assert_true(track_next(tr) == UINT64_MAX);
}

static void ask(const char *state, const char *tag)
{
	char text[64];

	snprintf(text, sizeof(text), "%zu %s", strlen(state), tag);
	fake_xs_set(ASK, text);
}

static int setup(void **state)
{
	static const char *const dirs[] = { "/var", "/var/lib", "/var/lib/xen" };
	char path[160];

	fix_setup(state);
	strcpy(root, "/tmp/savefile-test-XXXXXX");
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
	boot_daemon();
	qemu = open(file(""), O_WRONLY | O_CREAT | O_TRUNC, 0600);
	fix_running(5, 4);
	pass(5000);
	fix_log_clear();
	return qemu < 0;
}

static int teardown(void **state)
{
	char cmd[128];

	kill_daemon();
	close(qemu);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	return system(cmd) || fix_teardown(state);
}

/* One save, all of it: what libxl then finds. */
static void save(const char *state, const char *tag)
{
	suspend();
	assert_true(have(SAVEFILE_ALL));
	ask(state, tag);
	write_all(qemu, state);
	pass(200);
	assert_null(fake_xs_get(ANSWER));	/* not all is there */
	write_all(qemu, tag);
	pass(200);
	assert_non_null(fake_xs_get(ANSWER));
	assert_string_equal(fake_xs_get(ANSWER), tag);
	holds(state);
	assert_false(have(SAVEFILE_NEW));
	resume();
}

static void each_save_is_alone(void **state)
{
	struct stat st;

	(void)state;
	save("the first", TAG1);
	save("the second, longer", TAG2);
	assert_int_equal(stat(file(SAVEFILE_ALL), &st), 0);
	assert_int_equal(st.st_size, 9 + 18 + 2 * STUBDOM_TAG_LEN);
	assert_not_logged("<3>");
	assert_not_logged("<4>");
}

/* libxl removes its file when a save failed, and dom0's QEMU does not see it. */
static void after_a_failed_save(void **state)
{
	(void)state;
	suspend();
	ask("half a state", TAG1);
	write_all(qemu, "half");
	pass(200);
	assert_int_equal(unlink(file("")), 0);
	resume();
	/* what was still on its way comes first */
	write_all(qemu, " a state" TAG1);
	save("the next", TAG2);
	save("the last", TAG1);
}

static void a_restart_loses_nothing(void **state)
{
	(void)state;
	save("the first", TAG1);
	kill_daemon();
	boot_daemon();
	assert_true(have(SAVEFILE_ALL));
	save("the second", TAG2);
}

static void removed_before_it_was_kept(void **state)
{
	(void)state;
	assert_int_equal(unlink(file("")), 0);
	suspend();
	ask("the second", TAG1);
	write_all(qemu, "the firstthe second" TAG1);
	pass(200);
	assert_string_equal(fake_xs_get(ANSWER), TAG1 " /var/lib/xen/qemu-save.4: libxl removed it when an earlier save failed: shut the guest down and start it again");
	assert_logged("<3>guest web1: its device state is not saved: /var/lib/xen/qemu-save.4: libxl removed it");
	assert_false(have(""));
}

static void what_an_earlier_domain_left(void **state)
{
	(void)state;
	kill_daemon();
	fake_xs_rm(RECORD_DIR);
	close(open(file(SAVEFILE_ALL), O_CREAT | O_WRONLY, 0600));
	boot_daemon();
	assert_false(have(SAVEFILE_ALL));
	save("the first", TAG1);
}

/* A stubdomain that its guest owns can do this to itself only. */
static void nonsense_and_floods(void **state)
{
	static const char *const bad[] = {
		"", " ", "9", "9 ", "-9 " TAG1, "0 " TAG1, "9  " TAG1, "9 " TAG1 " ", "9 " TAG1 "0",
		"25165825 " TAG1, "99999999999999999999 " TAG1, "9 00112233445566778899AABBCCDDEEFF",
		"9 ../../../../etc/00112233445566778", "0x9 " TAG1,
	};
	struct save_ask a;
	char tag[STUBDOM_TAG_LEN + 1], text[64];
	unsigned int n = 0;

	(void)state;
	assert_int_equal(savefile_parse("25165824 " TAG1, &a), 0);
	assert_int_equal(a.len, STUBDOM_STATE_MAX);
	suspend();
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(savefile_parse(bad[i], &a), -EINVAL);
		fake_xs_set(ASK, bad[i]);
		pass(100);
	}
	assert_null(fake_xs_get(ANSWER));
	/* longer than the file: it waits, and asks no less often than it should */
	fake_xs_set(ASK, "20000000 " TAG1);
	write_all(qemu, TAG1);
	pass(1000);
	assert_null(fake_xs_get(ANSWER));
	for (int i = 0; i < 100; i++) {
		snprintf(tag, sizeof(tag), "%032d", i);
		snprintf(text, sizeof(text), "1 %s", tag);
		write_all(qemu, "x");
		write_all(qemu, tag);
		fake_xs_set(ASK, text);
		pass(50);
		n += fake_xs_get(ANSWER) && !strcmp(fake_xs_get(ANSWER), tag);
	}
	assert_in_range(n, 1, 12);		/* two a second, in five seconds */
	assert_not_logged("<3>");
}

/* The stubdomain went away meanwhile: no node is made below it. */
static void gone_meanwhile(void **state)
{
	(void)state;
	suspend();
	write_all(qemu, "state" TAG1);
	ask("state", TAG1);
	fake_xs_rm("/local/domain/5/vm");
	pass(200);
	assert_null(fake_xs_get(ANSWER));
}

static void nothing_stays(void **state)
{
	(void)state;
	save("the first", TAG1);
	fake_hv_remove(4);
	fake_hv_remove(5);
	fake_xs_rm("/local/domain/4");
	fake_xs_rm("/local/domain/5");
	track_sweep(tr, ++now);
	pass(30000);
	assert_false(have("") || have(SAVEFILE_ALL) || have(SAVEFILE_NEW));
}

/* Polling ends with the save; a guest that stays suspended is looked at seldom. */
static void it_costs_little(void **state)
{
	unsigned int looks = 0;

	(void)state;
	suspend();
	for (uint64_t end = now + 600000; now < end; looks++) {
		now = track_next(tr);
		track_tick(tr, now);
	}
	assert_in_range(looks, 1000, 2000);
	resume();
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(each_save_is_alone), T(after_a_failed_save), T(a_restart_loses_nothing),
		T(removed_before_it_was_kept), T(what_an_earlier_domain_left),
		T(nonsense_and_floods), T(gone_meanwhile), T(nothing_stays),
		T(it_costs_little),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
