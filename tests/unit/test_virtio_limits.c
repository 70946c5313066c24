// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/cli/limits.c src/lib/cli/findings.c src/lib/cli/host.c src/lib/cli/process.c src/lib/virtio/nodes.c src/lib/virtio/spec.c src/lib/virtio/ids.c src/lib/xen/xs_util.c src/lib/base/file.c src/lib/base/log.c src/lib/xen/domain.c tests/unit/fake_xenstore.c */
/* test-pkgs: json-c */
/* trust-07: xen-virtio check adds up what all guests use of the host's tables. */
#include "virtiod_fixture.h"

#include "virtio/cli/limits.h"

static struct findings fs;
static struct vd_store st;

static int t_setup(void **state)
{
	fix_setup(state);
	st = (struct vd_store){ .xs = xs_open(0), .own = 0 };
	return 0;
}

static int t_teardown(void **state)
{
	findings_free(&fs);
	return fix_teardown(state);
}

static void device(const char *dir, const char *state, const char *hint, const char *pages)
{
	fix_virtio(dir, "virtio,device4");
	fix_node(dir, "state", state);
	fix_node(dir, "pool-hint-pages", hint);
	if (pages)
		fix_node(dir, "pool-pages", pages);
}

static void add(struct pools *p, uint32_t domid)
{
	struct vd_node *list;
	unsigned int n;

	assert_int_equal(vd_nodes_list(&st, domid, &list, &n), 0);
	pools_add(p, &st, domid, list, n);
	free(list);
}

static void trust_07_adds_up(void **state)
{
	struct pools p = { 0 };

	(void)state;
	device(VIRTIO(3, 0), "4", "512", "516");
	device(VIRTIO(3, 1), "4", "16", "18");
	device(VIRTIO(3, 2), "2", "16", "18");	/* as it was, once */
	device(VIRTIO(4, 0), "2", "512", NULL);
	device(VIRTIO(5, 0), "4", "x", "99999999");
	add(&p, 3);
	assert_int_equal(p.guests, 1);
	assert_int_equal(p.devices, 2);
	assert_int_equal(p.pages, 534);
	assert_int_equal(p.most, 640 + 20 + 20 + 2048);
	add(&p, 4);
	add(&p, 5);
	add(&p, 6);
	assert_int_equal(p.guests, 1);
	assert_int_equal(p.pages, 534);
	assert_int_equal(p.most, 640 + 20 + 20 + 640 + 3 * 2048);
}

static void frames(void **state)
{
	(void)state;
	assert_int_equal(maptrack_frames(""), 1024);
	assert_int_equal(maptrack_frames("placeholder dom0_mem=2G"), 1024);
	assert_int_equal(maptrack_frames("gnttab_max_maptrack_frames=4096\n"), 4096);
	assert_int_equal(maptrack_frames("a gnttab_max_maptrack_frames=4096 gnttab_max_maptrack_frames=0x1000 b"), 4096);
	assert_int_equal(maptrack_frames("no-gnttab_max_maptrack_frames=7"), 1024);
	assert_int_equal(maptrack_frames("gnttab_max_maptrack_frames="), 1024);
}

static void says(enum level level, const char *text, const char *fix)
{
	assert_int_equal(fs.n, 1);
	assert_int_equal(fs.f[0].level, level);
	assert_string_equal(fs.f[0].text, text);
	if (fix)
		assert_string_equal(fs.f[0].fix, fix);
	else
		assert_null(fs.f[0].fix);
	findings_free(&fs);
}

static void trust_07_maptrack(void **state)
{
	struct pools p = { .guests = 3, .devices = 9, .pages = 5000, .most = 12000 };

	(void)state;
	check_maptrack(&fs, &p, 0, 1024, 2);
	says(FINE, "pools of 9 devices of 3 guests use 10000 of 262144 maptrack entries", NULL);
	p.most = 200000;
	check_maptrack(&fs, &p, 0, 1024, 1);
	says(FINE, "pools of 9 devices of 3 guests use 5000 of 262144 maptrack entries", NULL);
	check_maptrack(&fs, &p, 0, 1024, 2);
	says(ADVICE, "pools of 9 devices use 10000 of 262144 maptrack entries; if all guests take what they may have, it is 400000",
	     "boot Xen with gnttab_max_maptrack_frames=2048");
	p.pages = 120000;
	check_maptrack(&fs, &p, 0, 1024, 2);
	says(BROKEN, "pools of 9 devices use 240000 of 262144 maptrack entries, which other backends need too",
	     "boot Xen with gnttab_max_maptrack_frames=2048");
	check_maptrack(&fs, &p, 7, 512, 2);
	says(BROKEN, "pools of 9 devices use 240000 of 131072 maptrack entries, which other backends need too",
	     "give this domain max_maptrack_frames=2048 in its configuration");
}

static void trust_07_aio(void **state)
{
	(void)state;
	check_aio(&fs, 2048, 1048576);
	says(FINE, "2048 of 1048576 AIO requests are taken", NULL);
	check_aio(&fs, 60000, 65536);
	says(BROKEN, "60000 of 65536 AIO requests are taken: a disk with aio=native takes 1024",
	     "run 'sysctl -w fs.aio-max-nr=1048576', which xen-virtio-utils sets at boot");
	check_aio(&fs, 70000, 65536);
	assert_int_equal(findings_worst(&fs), BROKEN);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, t_setup, t_teardown)
	const struct CMUnitTest tests[] = {
		T(trust_07_adds_up), T(frames), T(trust_07_maptrack), T(trust_07_aio),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
