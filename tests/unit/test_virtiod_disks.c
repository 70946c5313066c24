// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/virtio/probe.c src/lib/virtio/size.c src/lib/virtio/spec.c src/lib/virtio/ids.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/xen/domain.c */
/* test-pkgs: json-c */
/* Disks: sector sizes and sizes of block devices, the kernel's words about them, and what QEMU may be told. */
#include "virtiod_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define VD_SYS_BLOCK "."
#include "virtio/blockdev.c"
#include "virtio/probe.h"
#include "virtio/size.h"
#include "virtio/daemon/uevent.c"

static char dir[64];

static int t_setup(void **state)
{
	fix_setup(state);
	strcpy(dir, "/tmp/virtiod-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	return 0;
}

static int t_teardown(void **state)
{
	char command[96];

	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	return fix_teardown(state);
}

static void put(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "%s\n", text);
	fclose(f);
}

/* A disk 8:0 and its partition 8:1, as sysfs has them. */
static void a_disk_in_sysfs(const char *logical, const char *physical)
{
	mkdir("sda", 0755);
	mkdir("sda/queue", 0755);
	mkdir("sda/sda1", 0755);
	put("sda/queue/logical_block_size", logical);
	put("sda/queue/physical_block_size", physical);
	put("sda/size", "4096");
	put("sda/sda1/size", "2048");
	(void)!symlink("sda", "8:0");
	(void)!symlink("sda/sda1", "8:1");
}

static void sectors(void **state)
{
	struct vd_sectors s;
	uint64_t bytes;

	(void)state;
	a_disk_in_sysfs("4096", "16384");
	assert_int_equal(blockdev_sectors(makedev(8, 0), &s), 0);
	assert_int_equal(s.logical, 4096);
	assert_int_equal(s.physical, 16384);
	assert_int_equal(blockdev_sectors(makedev(8, 1), &s), 0);
	assert_int_equal(s.logical, 4096);
	assert_int_equal(blockdev_bytes(makedev(8, 0), &bytes), 0);
	assert_int_equal(bytes, 2 << 20);
	assert_int_equal(blockdev_bytes(makedev(8, 1), &bytes), 0);
	assert_int_equal(bytes, 1 << 20);
	assert_int_equal(blockdev_sectors(makedev(9, 0), &s), -ENOENT);
	assert_int_equal(blockdev_bytes(makedev(9, 0), &bytes), -ENOENT);
	/* What QEMU would not take: the hint is left out, the size is not. */
	a_disk_in_sysfs("512", "4194304");
	assert_int_equal(blockdev_sectors(makedev(8, 0), &s), 0);
	assert_int_equal(s.physical, 512);
	a_disk_in_sysfs("4096", "512");
	assert_int_equal(blockdev_sectors(makedev(8, 0), &s), 0);
	assert_int_equal(s.physical, 4096);
	a_disk_in_sysfs("520", "520");
	assert_int_equal(blockdev_sectors(makedev(8, 0), &s), -EINVAL);
	a_disk_in_sysfs("many", "520");
	assert_true(blockdev_sectors(makedev(8, 0), &s) < 0);
}

static void probe(void **state)
{
	char path[80], error[VD_ERROR_MAX], type[160];
	struct vd_found found;
	struct vd_spec s;

	(void)state;
	snprintf(path, sizeof(path), "%s/disk", dir);
	if (mknod(path, S_IFBLK | 0600, makedev(8, 0))) {
		print_message("no block device can be made here: %s\n", strerror(errno));
		skip();
	}
	snprintf(type, sizeof(type), "virtio,device2;path=%s", path);
	assert_int_equal(vd_spec_parse(type, &s, error), 0);
	assert_int_equal(vd_probe(&s, false, &found, error), -ENOENT);
	assert_non_null(strstr(error, "/disk: its sector size cannot be read in /sys/dev/block: see 'lsblk -t'"));
	a_disk_in_sysfs("4096", "4096");
	assert_int_equal(vd_probe(&s, false, &found, error), 0);
	assert_int_equal(found.dev, makedev(8, 0));
	assert_int_equal(found.sectors.logical, 4096);
	/* The sectors of what is in an image do not depend on what it lies on. */
	s.format = VD_QCOW2;
	assert_int_equal(vd_probe(&s, false, &found, error), 0);
	assert_int_equal(found.dev, makedev(8, 0));
	assert_int_equal(found.sectors.logical, 0);
}

static void sectors_that_are_kept(void **state)
{
	struct vd_found f = { .sectors = { 4096, 8192 } };

	(void)state;
	assert_int_equal(vd_found_keep(&f, 0), 0);
	assert_int_equal(vd_found_keep(&f, 4096), 0);
	assert_int_equal(f.sectors.logical, 4096);
	assert_int_equal(vd_found_keep(&f, 512), 4096);
	assert_int_equal(f.sectors.logical, 512);
	assert_int_equal(f.sectors.physical, 8192);
	f.sectors = (struct vd_sectors){ 0, 0 };
	assert_int_equal(vd_found_keep(&f, 512), 0);
	assert_int_equal(f.sectors.logical, 0);
	assert_int_equal(vd_found_keep(&f, 4096), 512);
	assert_int_equal(f.sectors.logical, 4096);
	assert_int_equal(f.sectors.physical, 4096);
}

/* Fields, each with its NUL. */
#define CHANGED(text) uevent_changed(text, sizeof(text), &dev)

static void uevents(void **state)
{
	dev_t dev = 0;

	(void)state;
	assert_true(CHANGED("change@/devices/virtual/block/loop0\0ACTION=change\0SUBSYSTEM=block\0RESIZE=1\0MAJOR=7\0MINOR=5\0SEQNUM=1"));
	assert_int_equal(dev, makedev(7, 5));
	/* LVM's have no RESIZE. */
	assert_true(CHANGED("change@/devices/virtual/block/dm-0\0ACTION=change\0SUBSYSTEM=block\0DM_COOKIE=1\0MAJOR=253\0MINOR=0"));
	assert_int_equal(dev, makedev(253, 0));
	assert_false(CHANGED("add@/x\0ACTION=add\0SUBSYSTEM=block\0MAJOR=7\0MINOR=5"));
	assert_false(CHANGED("change@/x\0ACTION=change\0SUBSYSTEM=net\0MAJOR=7\0MINOR=5"));
	assert_false(CHANGED("change@/x\0ACTION=change\0SUBSYSTEM=block\0MAJOR=7"));
	assert_false(CHANGED("change@/x\0ACTION=change\0SUBSYSTEM=block\0MAJOR=7\0MINOR=x"));
	assert_false(CHANGED("change@/x\0ACTION=change\0SUBSYSTEM=block\0MAJOR=7\0MINOR=99999999999"));
	assert_false(CHANGED("change@/x\0ACTION=change\0SUBSYSTEM=block\0MAJOR=0\0MINOR=0"));
	/* Cut off, or nothing. */
	assert_false(uevent_changed("ACTION=change\0SUBSYSTEM=block\0MAJOR=7\0MINOR=5", 44, &dev));
	assert_false(uevent_changed("", 0, &dev));
}

static unsigned int heard;

static void hear(void *arg, dev_t dev)
{
	(void)arg;
	(void)dev;
	heard++;
}

/* Only what the kernel says counts. */
static void uevents_of_others(void **state)
{
	static const char text[] = "change@/x\0ACTION=change\0SUBSYSTEM=block\0MAJOR=7\0MINOR=5";
	struct sockaddr_nl to = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	struct pollfd p;
	int fd = uevent_open(), other;

	(void)state;
	if (fd < 0) {
		print_message("no netlink here: %s\n", strerror(-fd));
		skip();
	}
	other = socket(AF_NETLINK, SOCK_DGRAM, NETLINK_KOBJECT_UEVENT);
	if (other < 0 || sendto(other, text, sizeof(text), 0, (struct sockaddr *)&to, sizeof(to)) < 0)
		print_message("not allowed to send: %s\n", strerror(errno));
	p = (struct pollfd){ .fd = fd, .events = POLLIN };
	poll(&p, 1, 100);
	heard = 0;
	assert_int_equal(uevent_take(fd, hear, NULL), 0);
	assert_int_equal(heard, 0);
	close(other);
	close(fd);
	assert_int_equal(uevent_take(fd, hear, NULL), -EBADF);
}

static void sizes_in_qmp(void **state)
{
	struct json_object *o = json_tokener_parse(
		"[{\"device\":\"\"}, 7, {\"inserted\":{\"node-name\":\"virtio-1\",\"image\":{\"virtual-size\":-5}}},"
		"{\"inserted\":{\"node-name\":\"virtio_disk-51712\",\"image\":{\"virtual-size\":4398046511104}}}]");

	(void)state;
	assert_non_null(o);
	assert_int_equal(vd_size_of(o, (struct vd_id){ VD_KIND_DISK, 51712 }), UINT64_C(4) << 40);
	assert_int_equal(vd_size_of(o, (struct vd_id){ VD_KIND_VIRTIO, 1 }), 0);
	assert_int_equal(vd_size_of(o, (struct vd_id){ VD_KIND_VIRTIO, 2 }), 0);
	assert_int_equal(vd_size_of(NULL, (struct vd_id){ VD_KIND_VIRTIO, 2 }), 0);
	json_object_put(o);
}

static void sizes_of_people(void **state)
{
	static const char *const bad[] = { "", "G", "0", "0G", "1g", "1GB", "1.5G", "-1", " 1", "1 G", "9000000T", "99999999999999999999999999" };
	uint64_t n;

	(void)state;
	assert_int_equal(vd_size_parse("4096", &n), 0);
	assert_int_equal(n, 4096);
	assert_int_equal(vd_size_parse("20G", &n), 0);
	assert_int_equal(n, UINT64_C(20) << 30);
	assert_int_equal(vd_size_parse("3K", &n), 0);
	assert_int_equal(n, 3072);
	assert_int_equal(vd_size_parse("8388607T", &n), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(vd_size_parse(bad[i], &n), -EINVAL);
}

/* The plan: a number of MB, or a piece of what is wrong. */
static void plan(const char *type, bool blockdev, unsigned int have, unsigned int now, unsigned int asked,
		 unsigned int want, const char *wrong)
{
	char error[VD_ERROR_MAX];
	struct vd_spec s;
	uint64_t to = 0;

	assert_int_equal(vd_spec_parse(type, &s, error), 0);
	if (vd_size_plan(&(struct vd_resize){ &s, blockdev, (uint64_t)have << 20, (uint64_t)now << 20, (uint64_t)asked << 20 }, &to, error)) {
		if (!wrong || !strstr(error, wrong))
			fail_msg("refused: %s", error);
	} else {
		assert_null(wrong);
		assert_int_equal(to, (uint64_t)want << 20);
	}
}

static void plans(void **state)
{
	static const char raw[] = "virtio,device2;path=/x", qcow2[] = "virtio,device2;path=/x;format=qcow2",
			  ro[] = "virtio,device2;path=/x;readonly";
	struct vd_resize odd;
	char error[VD_ERROR_MAX];
	struct vd_spec s;
	uint64_t to;

	(void)state;
	plan(raw, true, 64, 128, 0, 128, NULL);
	plan(raw, true, 64, 64, 0, 64, NULL);
	plan(raw, true, 64, 32, 0, 0, "is not made smaller: make its device or image as big as it was");
	plan(raw, true, 64, 128, 128, 0, "a block device has the size it has");
	plan(raw, false, 64, 128, 0, 128, NULL);
	plan(raw, false, 64, 64, 128, 128, NULL);
	plan(raw, false, 64, 256, 128, 0, "the image has 268435456 bytes, more than that");
	plan(raw, false, 64, 32, 0, 0, "is not made smaller");
	plan(raw, false, 64, 32, 48, 0, "is not made smaller: give a greater size");
	plan(qcow2, false, 64, 1, 0, 0, "give the new size");
	plan(qcow2, false, 64, 1, 128, 128, NULL);
	plan(qcow2, true, 64, 512, 128, 128, NULL);
	plan(qcow2, false, 64, 1, 32, 0, "is not made smaller");
	plan(ro, false, 64, 128, 0, 0, "detach and attach it");
	/* As QEMU counts an image that ends within a sector. */
	assert_int_equal(vd_spec_parse(raw, &s, error), 0);
	odd = (struct vd_resize){ .spec = &s, .have = 1024, .now = 1000 };
	assert_int_equal(vd_size_plan(&odd, &to, error), 0);
	assert_int_equal(to, 1024);
	odd.asked = 5000;
	assert_int_equal(vd_size_plan(&odd, &to, error), -EINVAL);
	assert_string_equal(error, "a size must be a multiple of 4096 bytes");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, t_setup, t_teardown)
	const struct CMUnitTest tests[] = {
		T(sectors), T(sectors_that_are_kept), T(probe), T(uevents), T(uevents_of_others), T(sizes_in_qmp), T(sizes_of_people), T(plans),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
