// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/daemon/diag.c src/stubdom/daemon/image.c src/lib/image/verify.c src/lib/image/manifest.c src/lib/xen/stubdomain.c src/lib/base/sha256.c src/lib/xen/xs_util.c src/lib/base/file.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_hv.c src/lib/xen/domain.c */
/* test-pkgs: libcrypto */
/* One line that names the guest, the cause and the fix. */
#include "stubdomd_fixture.h"

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"
#include "stubdom.h"
#include "stubdom/daemon/diag.h"

static const struct stub_id id = { .stub = 5, .guest = 4, .name = "web1" };
static char dir[64];
static struct hv_dom *stub;

static void file(const char *name, const char *text)
{
	char path[128];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	assert_int_equal(fclose(f), 0);
}

#define SHA "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define MANIFEST "xen-stubdom-manifest 1\nxen %s\nkey " SHA "\nqemu 10.0.13\nkernel-version 6.12\n" \
	"memory-min %u\ngenerator 0.1.0\ndebug 0\ninput " SHA " /usr/bin/xen 1.0\n" \
	"output kernel %s %ju\noutput rootfs %s %ju\n"

/* An image as xen-stubdom makes it; libxl was given a link to it. */
static void image(const char *xen, unsigned int memory)
{
	char path[128], link[128], kernel[65], rootfs[65], text[640];
	uint64_t ks, rs;

	file("kernel", "a kernel");
	file("rootfs", "a root file system");
	snprintf(path, sizeof(path), "%s/kernel", dir);
	assert_int_equal(sha256_file(path, 1000, kernel, &ks), 0);
	snprintf(link, sizeof(link), "%s/boot/qemu-stubdom-linux-kernel", dir);
	assert_int_equal(symlink(path, link), 0);
	fake_xs_set("/vm/stub5/image/kernel", link);
	snprintf(path, sizeof(path), "%s/rootfs", dir);
	assert_int_equal(sha256_file(path, 1000, rootfs, &rs), 0);
	snprintf(link, sizeof(link), "%s/boot/qemu-stubdom-linux-rootfs", dir);
	assert_int_equal(symlink(path, link), 0);
	fake_xs_set("/vm/stub5/image/ramdisk", link);
	snprintf(text, sizeof(text), MANIFEST, xen, memory, kernel, (uintmax_t)ks, rootfs, (uintmax_t)rs);
	file("manifest", text);
}

static int setup(void **state)
{
	char boot[80];

	fix_setup(state);
	strcpy(dir, "/tmp/stubdomd-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(boot, sizeof(boot), "%s/boot", dir);
	assert_int_equal(mkdir(boot, 0700), 0);
	fix_domains(5, 4, "web1");
	stub = fake_hv_dom(5);
	stub->shutdown = true;
	stub->reason = 3;
	return 0;
}

static int teardown(void **state)
{
	static const char *const names[] = {
		"kernel", "rootfs", "manifest", "boot/rootfs", "boot/manifest", "boot/qemu-stubdom-linux-kernel",
		"boot/qemu-stubdom-linux-rootfs", "boot", "",
	};
	char path[160];

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		snprintf(path, sizeof(path), "%s/%s", dir, names[i]);
		remove(path);
	}
	assert_int_not_equal(access(dir, F_OK), 0);
	return fix_teardown(state);
}

static void say(enum diag_kind kind, const struct hv_dom *dom)
{
	fix_log_clear();
	diag_say(xs_open(0), hv_open(), &id, kind, dom);
	diag_wait();
	assert_int_equal(fix_lines, 1);
	assert_logged("<3>guest web1: ");
}

static void too_little_memory(void **state)
{
	(void)state;
	image("4.20", 160);
	say(DIAG_FAILED, stub);		/* it has 144, 16 of them for video */
	assert_logged("stubdomain 5 crashed before its device model ran: stubdomain_memory is too small (it has 144 MB, its image needs 160 MB): set stubdomain_memory to at least 144 in");
	say(DIAG_SLOW, NULL);
	assert_logged("has not started its device model in 20 s: stubdomain_memory is too small");
	/* exactly enough */
	fake_xs_set("/local/domain/5/memory/static-max", "163840");
	say(DIAG_FAILED, stub);
	assert_not_logged("too small");
}

/* So little that libxl could not load it: only Xen knows how much it was. */
static void too_little_to_build(void **state)
{
	struct diag d;
	char text[400];

	(void)state;
	fake_xs_rm("/local/domain/5/memory");
	stub->max_kib = 33 << 10;
	diag_collect(xs_open(0), hv_open(), &id, DIAG_REMOVED, stub, &d);
	assert_int_equal(d.mem_mib, 33);
	d.image.need_mib = 64;
	diag_text(&d, text, sizeof(text));
	assert_non_null(strstr(text, "xl could not build its stubdomain 5"));
	assert_non_null(strstr(text, "stubdomain_memory is too small (it has 33 MB, its image needs 64 MB): set stubdomain_memory to at least"));
	/* not when the host is short of memory */
	stub->max_kib = 145 << 10;
	diag_collect(xs_open(0), hv_open(), &id, DIAG_REMOVED, stub, &d);
	d.image.need_mib = 64;
	diag_text(&d, text, sizeof(text));
	assert_null(strstr(text, "too small"));
}

static void damaged(void **state)
{
	(void)state;
	image("4.20", 64);
	say(DIAG_FAILED, stub);
	assert_not_logged("damaged");
	assert_logged("its init reported nothing: see /var/log/xen/qemu-dm-web1.log");
	file("rootfs", "a root file sYstem");
	say(DIAG_FAILED, stub);
	assert_logged("boot/qemu-stubdom-linux-rootfs is damaged");
	assert_logged("run 'xen-stubdom build --force'");
	file("rootfs", "a root file system and more");
	say(DIAG_FAILED, stub);
	assert_logged("is damaged");
	file("kernel", "");
	say(DIAG_SLOW, NULL);
	assert_logged("boot/qemu-stubdom-linux-kernel is damaged");
}

static void missing(void **state)
{
	char path[128];

	(void)state;
	image("4.20", 64);
	snprintf(path, sizeof(path), "%s/rootfs", dir);
	unlink(path);
	say(DIAG_FAILED, stub);
	assert_logged("qemu-stubdom-linux-rootfs cannot be read: run 'xen-stubdom build'");
	snprintf(path, sizeof(path), "%s/kernel", dir);
	unlink(path);
	say(DIAG_FAILED, stub);
	assert_logged("qemu-stubdom-linux-kernel cannot be read");
}

static void other_xen(void **state)
{
	(void)state;
	image("4.17", 64);
	say(DIAG_FAILED, stub);
	assert_logged("its image was built for Xen 4.17, and Xen 4.20 runs: run 'xen-stubdom build'");
}

static void no_manifest(void **state)
{
	char path[128];

	(void)state;
	image("4.20", 4096);
	snprintf(path, sizeof(path), "%s/manifest", dir);
	unlink(path);
	say(DIAG_FAILED, stub);
	assert_logged("its init reported nothing");
	file("manifest", "output kernel zz 7\noutput rootfs\nmemory-min 999999999\n");
	say(DIAG_FAILED, stub);
	assert_logged("its init reported nothing");
}

static void stages(void **state)
{
	(void)state;
	image("4.20", 64);
	fake_xs_set("/local/domain/5/" STUBDOM_DATA "/stage", STUBDOM_STAGE_QEMU);
	say(DIAG_SLOW, NULL);
	assert_logged("its QEMU was started: see /var/log/xen/qemu-dm-web1.log");
	fake_xs_set("/local/domain/5/" STUBDOM_DATA "/stage", STUBDOM_STAGE_WIRE);
	say(DIAG_SLOW, NULL);
	assert_logged("it was setting up disks and NICs: ");
}

/* What a broken image says of itself is the consequence, not the cause. */
static void image_comes_before_its_words(void **state)
{
	(void)state;
	image("4.17", 64);
	fake_xs_set("/local/domain/5/" STUBDOM_DATA "/stage", STUBDOM_STAGE_END);
	fake_xs_set("/local/domain/5/" STUBDOM_DATA "/error", "no ioreq server");
	say(DIAG_FAILED, stub);
	assert_logged("its image was built for Xen 4.17, and Xen 4.20 runs: run 'xen-stubdom build'");
	/* but not when it had worked */
	say(DIAG_ENDED, stub);
	assert_logged("it says: no ioreq server");
}

/* stubdomain_ramdisk names another image; the kernel is the registered one. */
static void rootfs_from_elsewhere(void **state)
{
	char path[128], hex[65], text[640];
	uint64_t size;

	(void)state;
	image("4.20", 64);
	snprintf(path, sizeof(path), "%s/boot/rootfs", dir);
	file("boot/rootfs", "another");
	assert_int_equal(sha256_file(path, 100, hex, &size), 0);
	snprintf(text, sizeof(text), MANIFEST, "4.99", 500, hex, (uintmax_t)1, hex, (uintmax_t)size);
	file("boot/manifest", text);
	fake_xs_set("/vm/stub5/image/ramdisk", path);
	say(DIAG_FAILED, stub);
	assert_logged("its image was built for Xen 4.99, and Xen 4.20 runs");
	file("boot/rootfs", "anothe");
	say(DIAG_FAILED, stub);
	assert_logged("boot/rootfs is damaged");
}

static void own_words(void **state)
{
	char big[4000];

	(void)state;
	fake_xs_set("/local/domain/5/" STUBDOM_DATA "/stage", STUBDOM_STAGE_END);
	fake_xs_set("/local/domain/5/" STUBDOM_DATA "/error", "no vif 1\nguest other: gone");
	stub->reason = 0;
	say(DIAG_FAILED, stub);
	assert_logged("stubdomain 5 powered off before its device model ran: it says: no vif 1?guest other: gone: see");
	say(DIAG_ENDED, stub);
	assert_logged("its device model is gone: stubdomain 5 powered off: it says: no vif 1");
	memset(big, 'e', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	fake_xs_set("/local/domain/5/" STUBDOM_DATA "/error", big);
	fake_xs_set("/local/domain/5/" STUBDOM_DATA "/stage", big);
	say(DIAG_ENDED, stub);
	assert_true(strlen(fix_log) < 500);
	fake_xs_set_raw("/local/domain/5/" STUBDOM_DATA "/error", "a\0b", 3);
	say(DIAG_ENDED, stub);
	assert_not_logged("it says");
}

static void disk_not_connected(void **state)
{
	(void)state;
	fake_xs_set("/libxl/5/device/vbd/51712/backend", "/local/domain/0/backend/vbd/5/51712");
	fake_xs_set("/local/domain/0/backend/vbd/5/51712/state", "4");
	fake_xs_set("/libxl/5/device/vbd/51728/backend", "/local/domain/3/backend/vbd/5/51728");
	fake_xs_set("/local/domain/3/backend/vbd/5/51728/state", "2");
	fake_xs_set("/local/domain/3/backend/vbd/5/51728/params", "/dev/vg/swap");
	/* what the stubdomain itself claims does not count */
	fake_xs_set("/local/domain/5/device/vbd/51712/backend", "/local/domain/0/secret");
	fake_xs_set("/local/domain/5/" STUBDOM_DATA "/stage", STUBDOM_STAGE_WIRE);
	say(DIAG_SLOW, NULL);
	assert_logged("its disk 51728 (/dev/vg/swap) is not connected (backend state 2): check that its target exists");
	fake_xs_set("/local/domain/3/backend/vbd/5/51728/hotplug-error", "device busy\n");
	say(DIAG_SLOW, NULL);
	assert_logged("(backend state 2: device busy?)");
	fake_xs_rm("/local/domain/3/backend/vbd/5/51728");
	fake_xs_set("/local/domain/3/error/backend/vbd/5/51728/error", "19 creating vbd structure");
	say(DIAG_SLOW, NULL);
	assert_logged("disk 51728 (nothing in it) is not connected (backend state -1: 19 creating vbd structure)");
	fake_xs_set("/local/domain/3/backend/vbd/5/51728/state", "4");
	say(DIAG_SLOW, NULL);
	assert_not_logged("not connected");
}

static void nic_not_connected(void **state)
{
	(void)state;
	fake_xs_set("/libxl/5/device/vif/0/backend", "/local/domain/0/backend/vif/5/0");
	fake_xs_set("/local/domain/0/backend/vif/5/0/state", "2");
	fake_xs_set("/local/domain/0/backend/vif/5/0/mac", "00:16:3e:00:00:01");
	fake_xs_set("/local/domain/5/" STUBDOM_DATA "/stage", STUBDOM_STAGE_WIRE);
	say(DIAG_SLOW, NULL);
	assert_logged("its NIC 0 (00:16:3e:00:00:01) is not connected (backend state 2): check that its bridge exists");
	/* A dead one has lost all its connections: no sign of anything. */
	say(DIAG_ENDED, stub);
	assert_not_logged("not connected");
}

static void destroyed(void **state)
{
	(void)state;
	image("4.17", 4096);
	stub->shutdown = false;
	say(DIAG_ENDED, stub);
	assert_logged("stubdomain 5 was destroyed: without its guest");
}

static void long_texts_are_cut(void **state)
{
	struct diag d;
	char buf[64];

	(void)state;
	memset(&d, 0, sizeof(d));
	d.id = id;
	memset(d.error, 'e', sizeof(d.error) - 1);
	for (size_t size = 1; size < sizeof(buf); size++) {
		memset(buf, 'x', sizeof(buf));
		diag_text(&d, buf, size);
		assert_true(memchr(buf, '\0', size));
		assert_int_equal(buf[size], 'x');
	}
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(too_little_memory), T(too_little_to_build), T(damaged), T(missing), T(other_xen),
		T(no_manifest), T(stages), T(image_comes_before_its_words),
		T(rootfs_from_elsewhere), T(own_words),
		T(disk_not_connected), T(nic_not_connected), T(destroyed),
		T(long_texts_are_cut),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
