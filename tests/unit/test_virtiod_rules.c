// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/daemon/rules.c src/lib/base/file.c src/lib/virtio/spec.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/xen/domain.c */
/* What a backend may open, as systemd has to be told of it. */
#include "virtiod_fixture.h"

#include <errno.h>
#include <sys/sysmacros.h>

#include "virtio/daemon/rules.h"

#define DROPIN "systemd/system/xen-virtio-backend@3.service.d/50-xen-virtiod.conf"
#define CONTROL "systemd/system.control/xen-virtio-backend@3.service.d/50-DeviceAllow.conf"
#define HEAD "# Written by xen-virtiod for this guest's devices: see xen-virtiod(8).\n[Service]\n"

static int t_setup(void **state)
{
	fix_setup(state);
	fix_dir_enter();
	return 0;
}

static int t_teardown(void **state)
{
	fix_dir_leave();
	return fix_teardown(state);
}

static const struct vd_found file = { .dev = 0 };

static void add(struct vd_rules *r, const char *text, struct vd_found found)
{
	char error[VD_ERROR_MAX];
	struct vd_rule rule;
	struct vd_spec s;

	assert_int_equal(vd_spec_parse(text, &s, error), 0);
	assert_true(vd_rule_make(&rule, &s, &found));
	assert_int_equal(vd_rules_add(r, &rule), 0);
}

static void says(struct vd_rules *r, const char *lines)
{
	char *text = vd_rules_text(r), want[1024];

	snprintf(want, sizeof(want), HEAD "%s", lines);
	assert_string_equal(text, want);
	free(text);
	vd_rules_free(r);
}

static void what_needs_one(void **state)
{
	static const char *const none[] = {
		"virtio,device1;bridge=b;mac=00:16:3e:00:00:01", "virtio,device3", "virtio,device4",
	};
	char error[VD_ERROR_MAX];
	struct vd_rules r = { .n = 0 };
	struct vd_rule rule;
	struct vd_spec s;

	(void)state;
	for (unsigned int i = 0; i < 3; i++) {
		assert_int_equal(vd_spec_parse(none[i], &s, error), 0);
		assert_false(vd_rule_make(&rule, &s, &file));
	}
	says(&r, "");
	add(&r, "virtio,device2;path=/dev/vg/a", (struct vd_found){ .dev = makedev(253, 4) });
	add(&r, "virtio,device2;path=/dev/loop0;readonly", (struct vd_found){ .dev = makedev(7, 0) });
	/* A device node that is not in /dev has to be seen as well. */
	add(&r, "virtio,device2;path=/srv/node", (struct vd_found){ .dev = makedev(8, 1) });
	add(&r, "virtio,device2;path=/srv/a.qcow2;format=qcow2", file);
	add(&r, "virtio,device2;path=/srv/a.iso;readonly", file);
	add(&r, "virtio,device9;path=/srv/share;tag=t", file);
	add(&r, "virtio,device9;path=/srv/doc;tag=u;readonly", file);
	says(&r, "DeviceAllow=/dev/block/253:4 rw\n"
	     "DeviceAllow=/dev/block/7:0 r\n"
	     "DeviceAllow=/dev/block/8:1 rw\nBindPaths=\"/srv/node\"\n"
	     "BindPaths=\"/srv/a.qcow2\"\n"
	     "BindReadOnlyPaths=\"/srv/a.iso\"\n"
	     "BindPaths=\"/srv/share\"\n"
	     "BindReadOnlyPaths=\"/srv/doc\"\n");
}

/* Of two entries for one device systemd takes the last. */
static void one_device_twice(void **state)
{
	struct vd_found loop = { .dev = makedev(7, 1) };
	struct vd_rules r = { .n = 0 };

	(void)state;
	add(&r, "virtio,device2;path=/dev/loop1", loop);
	add(&r, "virtio,device2;path=/dev/disk/by-id/x;readonly", loop);
	says(&r, "DeviceAllow=/dev/block/7:1 rw\n");
	add(&r, "virtio,device2;path=/dev/loop1;readonly", loop);
	add(&r, "virtio,device2;path=/srv/node", loop);
	says(&r, "DeviceAllow=/dev/block/7:1 rw\nBindPaths=\"/srv/node\"\n");
}

/* Nothing in a path is taken for syntax: separators, specifiers, quotes. */
static void odd_paths(void **state)
{
	struct vd_rules r = { .n = 0 };

	(void)state;
	add(&r, "virtio,device2;path=/srv/a b:c:norbind", file);
	add(&r, "virtio,device2;path=/srv/%i$HOME", file);
	add(&r, "virtio,device2;path=/srv/a\"b\\c'd", file);
	says(&r, "BindPaths=\"/srv/a b:c:norbind\"\n"
	     "BindPaths=\"/srv/%%i$HOME\"\n"
	     "BindPaths=\"/srv/a\\\"b\\\\c'd\"\n");
}

static void on_disk(void **state)
{
	struct vd_rules r = { .n = 0 };

	(void)state;
	assert_int_equal(vd_rules_write(&r, 3), 0);
	assert_string_equal(fix_file(DROPIN), HEAD);
	/* What is left of an earlier guest with its number. */
	assert_int_equal(mkdir("systemd/system.control", 0700), 0);
	assert_int_equal(mkdir("systemd/system.control/xen-virtio-backend@3.service.d", 0700), 0);
	fclose(fopen(CONTROL, "w"));
	add(&r, "virtio,device2;path=/srv/a", file);
	assert_int_equal(vd_rules_write(&r, 3), 0);
	assert_string_equal(fix_file(DROPIN), HEAD "BindPaths=\"/srv/a\"\n");
	assert_int_not_equal(access(CONTROL, F_OK), 0);
	assert_int_not_equal(access(DROPIN ".new", F_OK), 0);
	vd_rules_remove(3);
	assert_int_not_equal(access("systemd/system/xen-virtio-backend@3.service.d", F_OK), 0);
	assert_int_not_equal(access("systemd/system.control/xen-virtio-backend@3.service.d", F_OK), 0);
	vd_rules_remove(3);
	assert_int_equal(rmdir("systemd/system"), 0);
	assert_int_equal(vd_rules_write(&r, 3), -ENOENT);
	vd_rules_free(&r);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, t_setup, t_teardown)
	const struct CMUnitTest tests[] = { T(what_needs_one), T(one_device_twice), T(odd_paths), T(on_disk) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
