// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/daemon/track.c src/stubdom/daemon/bounds.c src/stubdom/daemon/states.c src/stubdom/daemon/statenodes.c src/stubdom/daemon/transfer.c src/lib/state/words.c tests/unit/fake_helper.c src/stubdom/daemon/life.c src/stubdom/daemon/orphan.c src/stubdom/daemon/clean.c src/stubdom/daemon/savefile.c src/stubdom/daemon/diag.c src/stubdom/daemon/image.c src/lib/image/verify.c src/lib/image/manifest.c src/stubdom/daemon/consoles.c src/stubdom/daemon/drives.c src/stubdom/daemon/vifs.c src/lib/xen/stubdomain.c src/stubdom/daemon/events.c src/lib/base/sha256.c src/lib/xen/xs_util.c src/lib/base/file.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_hv.c src/stubdom/daemon/stub.c src/stubdom/daemon/record.c src/stubdom/daemon/observe.c src/stubdom/daemon/devices.c src/stubdom/daemon/saves.c src/stubdom/daemon/root.c src/lib/xen/domain.c src/lib/daemon/watches.c */
/* test-pkgs: libcrypto */
/*
 * Files that grow as a stubdomain likes: opened once and written to at its own place, as dom0's
 * QEMU does, and the daemon that looks at them.
 */
#include "stubdomd_fixture.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stubdom.h"
#include "stubdom/daemon/bounds.h"
#include "stubdom/daemon/diag.h"
#include "stubdom/daemon/root.h"
#include "stubdom/daemon/savefile.h"
#include "stubdom/daemon/track.h"

#define MIB (1024 * 1024)
#define LOG "/var/log/xen/qemu-dm-web1.log"
#define DM_LOG "/var/log/xen/qemu-dm-web1-dm.log"
#define SAVE "/var/lib/xen/qemu-save.4"
#define RESUME "/var/lib/xen/qemu-resume.4"

static char root[64];
static struct xs_handle *xs;
static struct track *tr;
static uint64_t now;

static const char *file(const char *name)
{
	static char path[2][160];
	static int n;

	n = !n;
	snprintf(path[n], sizeof(path[n]), "%s%s", root, name);
	return path[n];
}

static int start_file(const char *name)
{
	int fd = open(file(name), O_RDWR | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	return fd;
}

/* @mib of them, each byte @c. */
static void grow(int fd, unsigned int mib, char c)
{
	static char block[MIB];

	memset(block, c, sizeof(block));
	while (mib--)
		assert_int_equal(write(fd, block, sizeof(block)), sizeof(block));
}

static uint64_t used(const char *name)
{
	struct stat st;

	return stat(file(name), &st) ? 0 : (uint64_t)st.st_blocks * 512;
}

static char byte_at(int fd, off_t at)
{
	char c = '?';

	assert_int_equal(pread(fd, &c, 1, at), 1);
	return c;
}

static void pass(uint64_t ms)
{
	for (uint64_t end = now + ms; track_next(tr) <= end;) {
		now = track_next(tr) > now ? track_next(tr) : now;
		track_tick(tr, now);
	}
	diag_wait();
}

static int setup(void **state)
{
	static const char *const dirs[] = { "/var", "/var/lib", "/var/lib/xen", "/var/log", "/var/log/xen" };

	fix_setup(state);
	strcpy(root, "/tmp/bounds-test-XXXXXX");
	if (!mkdtemp(root))
		return -1;
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		if (mkdir(file(dirs[i]), 0700))
			return -1;
	host_root = root;
	now = 1000;
	fix_domains(5, 4, "web1");
	fix_consoles(5);
	xs = xs_open(0);
	tr = track_new(xs, hv_open());
	track_serve_states(tr, 64 * MIB, MIB);
	if (track_scan(tr, now))
		return -1;
	fix_running(5, 4);
	pass(5000);
	fix_log_clear();
	return 0;
}

static int teardown(void **state)
{
	char cmd[128];

	diag_wait();
	track_free(tr);
	xs_close(xs);
	snprintf(cmd, sizeof(cmd), "rm -rf %s", root);
	return system(cmd) || fix_teardown(state);
}

static void what_of_a_log_goes(void **state)
{
	static const struct {
		uint64_t size, used;
		bool cut;
		uint64_t from, to;
	} cases[] = {
		{ 0, 0, false, 0, 0 },
		{ 8000, 8000, false, 0, 0 },
		{ 8001, 8001, true, 1000, 4001 },
		{ 90000, 12000, true, 1000, 86000 },
		{ 90000, 5000, false, 0, 0 },		/* was cut */
		{ 4000, 9000, false, 0, 0 },		/* more blocks than bytes */
		{ UINT64_MAX, 9000, true, 1000, UINT64_MAX - 4000 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t from = 0, to = 0;

		assert_int_equal(bounds_cut_log(8000, cases[i].size, cases[i].used, &from, &to), cases[i].cut);
		if (!cases[i].cut)
			continue;
		assert_int_equal(from, cases[i].from);
		assert_int_equal(to, cases[i].to);
	}
}

static void only_logs_of_xen(void **state)
{
	static const char *const no[] = {
		"", "f", "file:", "pty", "file:/var/log/xen/", "file:/var/log/xen", "file:/etc/shadow",
		"file:/var/log/xen/../../../etc/shadow", "file:/var/log/xen/..", "file:/var/log/xen/.hidden",
		"file:/var/log/xen/console/guest.log", "/var/log/xen/a.log", "pipe:/var/log/xen/a.log",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (bounds_log_name(no[i]))
			fail_msg("taken: %s", no[i]);
	assert_string_equal(bounds_log_name("file:/var/log/xen/a b.log"), "a b.log");
}

static void a_log_keeps_its_beginning_and_its_end(void **state)
{
	int qemu = start_file(LOG);
	struct stat st;

	(void)state;
	grow(qemu, 1, 'a');
	pass(3000);
	assert_not_logged("longer");
	for (int i = 0; i < 5; i++) {
		grow(qemu, 2, 'b');
		pass(2000);
		assert_true(used(LOG) <= MIB);
	}
	assert_int_equal(fstat(qemu, &st), 0);
	assert_int_equal(st.st_size, 11 * MIB);
	assert_int_equal(byte_at(qemu, 0), 'a');
	assert_int_equal(byte_at(qemu, MIB / 2), 0);
	assert_int_equal(byte_at(qemu, st.st_size - 1), 'b');
	assert_logged(LOG " longer than it may be");
	/* One in an hour. */
	assert_int_equal(fix_lines, 1);
	pass(3600000);
	grow(qemu, 2, 'b');
	pass(2000);
	assert_int_equal(fix_lines, 2);
	close(qemu);
}

static void what_qemu_says_about_it_too(void **state)
{
	int qemu = start_file(DM_LOG);

	(void)state;
	grow(qemu, 3, 'a');
	pass(2000);
	assert_true(used(DM_LOG) <= MIB);
	assert_logged(DM_LOG " longer than it may be");
	close(qemu);
}

/* A stubdomain that only floods: libxl gets no file instead of one that is as long as it likes. */
static void console_1_is_bounded(void **state)
{
	int qemu = start_file(SAVE);

	(void)state;
	grow(qemu, 24, 's');
	pass(2000);
	assert_int_equal(fix_lines, 0);
	assert_int_equal(access(file(SAVE), F_OK), 0);
	grow(qemu, 3, 's');
	pass(2000);
	assert_logged("longer than it may be");
	assert_int_not_equal(access(file(SAVE), F_OK), 0);
	assert_int_equal(used(SAVE SAVEFILE_ALL), 0);
	for (int i = 0; i < 3; i++) {
		grow(qemu, 26, 's');
		pass(2000);
		assert_int_equal(used(SAVE SAVEFILE_ALL), 0);
	}
	close(qemu);
}

/* The state that dom0 put there is another file: it stays. */
static void a_state_in_its_place_stays(void **state)
{
	int qemu = start_file(SAVE), disk;

	(void)state;
	assert_int_equal(savefile_keep(4), 0);
	disk = savefile_new(4);
	assert_true(disk >= 0);
	grow(disk, 40, 'd');
	close(disk);
	assert_int_equal(savefile_publish(4, 40 * MIB), 0);
	grow(qemu, 30, 's');
	pass(2000);
	assert_int_equal(used(SAVE SAVEFILE_ALL), 0);
	assert_true(used(SAVE) >= 40 * MIB);
	close(qemu);
}

/* Console 2 of a guest that was restored: QEMU has one descriptor for both directions. */
static void console_2_is_bounded(void **state)
{
	int qemu = start_file(RESUME);

	(void)state;
	grow(qemu, 64, 'r');
	pass(2000);
	assert_int_equal(fix_lines, 0);
	grow(qemu, 2, 'r');
	pass(2000);
	assert_int_equal(used(RESUME), 0);
	assert_logged(RESUME " longer than it may be");
	close(qemu);
}

/* What stands there in a log's place is not followed. */
static void only_files(void **state)
{
	int other = start_file("/var/lib/other");

	(void)state;
	grow(other, 3, 'o');
	assert_int_equal(symlink(file("/var/lib/other"), file(LOG)), 0);
	assert_int_equal(mkdir(file(SAVE), 0700), 0);
	pass(3000);
	assert_true(used("/var/lib/other") >= 3 * MIB);
	assert_int_equal(fix_lines, 0);
	close(other);
}

#define STORY(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_of_a_log_goes),
		cmocka_unit_test(only_logs_of_xen),
		STORY(a_log_keeps_its_beginning_and_its_end),
		STORY(what_qemu_says_about_it_too),
		STORY(console_1_is_bounded),
		STORY(a_state_in_its_place_stays),
		STORY(console_2_is_bounded),
		STORY(only_files),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
