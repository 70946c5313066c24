// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/cli/xlcfg.c src/virtio/cli/domains.c src/virtio/cli/list.c src/virtio/cli/args.c src/lib/cli/options.c src/lib/virtio/nodes.c src/lib/virtio/spec.c src/lib/virtio/ids.c src/lib/virtio/probe.c src/lib/virtio/blockdev.c src/lib/cli/host.c src/lib/cli/findings.c src/lib/cli/xlread.c src/lib/xen/xs_util.c src/lib/base/file.c src/lib/base/log.c tests/unit/fake_xenstore.c src/virtio/cli/device_nodes.c src/virtio/cli/spec_text.c src/lib/xen/domain.c src/lib/xen/xenbus.c */
/* test-pkgs: json-c xlutil xenlight */
/* xen-virtio: nodes as xl makes them, names as people give them, and what check says of an xl.cfg. */
#include "virtiod_fixture.h"

#include <errno.h>
#include <getopt.h>
#include <unistd.h>

#include "virtio/cli/device_nodes.h"
#include "virtio/cli/spec_text.h"
#include "virtio/cli/vcli.h"
#include "virtio/cli/xlcfg.h"

static struct vd_store st;

static int t_setup(void **state)
{
	fix_setup(state);
	st = (struct vd_store){ .xs = xs_open(0), .own = 0 };
	return 0;
}

/* ---- what is given ---- */

static void type(const char *given, const char *want)
{
	char *got = spec_type(given);

	assert_string_equal(got, want);
	free(got);
}

static void types(void **state)
{
	(void)state;
	type("type=virtio,device1;bridge=b;mac=00:16:3e:00:00:01,transport=mmio", "virtio,device1;bridge=b;mac=00:16:3e:00:00:01");
	type("virtio,device4", "virtio,device4");
	type("virtio,device4,backend=0,transport=mmio", "virtio,device4");
	type("device4", "virtio,device4");
	type("rng", "virtio,device4");
	type("rng;rate=5", "virtio,device4;rate=5");
	type("net;bridge=b", "virtio,device1;bridge=b");
	type("disk;path=/a,b", "virtio,device2;path=/a,b");
	type("block;path=/a", "virtio,device2;path=/a");
	type("9p;path=/a;tag=t", "virtio,device9;path=/a;tag=t");
	type("console", "virtio,device3");
	type("gpu", "gpu");
	type("", "");
}

static void backend(const char *given, const char *want)
{
	char *got = spec_backend(given);

	if (want)
		assert_string_equal(got, want);
	else
		assert_null(got);
	free(got);
}

static void backends(void **state)
{
	(void)state;
	backend("type=virtio,device4,backend=drv,transport=mmio", "drv");
	backend("disk;path=/a,backend=7", "7");
	backend("disk;path=/a", NULL);
}

static void devices(void **state)
{
	struct vd_id id;
	uint32_t domid = 0;

	(void)state;
	fix_guest(3, "web1");
	fix_guest(4, "db");
	fix_disk(DISK(3, 51712), "/dev/a");
	fix_virtio(VIRTIO(3, 1), "virtio,device4");
	assert_int_equal(domain_find(&st, "web1", &domid), 0);
	assert_int_equal(domid, 3);
	assert_int_equal(domain_find(&st, "4", &domid), 0);
	assert_int_equal(domid, 4);
	assert_int_equal(domain_find(&st, "nobody", &domid), -ENOENT);
	assert_logged("guest nobody: not found: see 'xl list'");
	fix_guest(5, "db");
	assert_int_equal(domain_find(&st, "db", &domid), -ENOENT);
	assert_logged("guest db: 2 guests have that name: give its number");
	assert_int_equal(device_find(&st, 3, "xvda", &id), 0);
	assert_int_equal(id.devid, 51712);
	assert_int_equal(device_find(&st, 3, "virtio_disk/51712", &id), 0);
	assert_int_equal(device_find(&st, 3, "1", &id), 0);
	assert_true(id.kind == VD_KIND_VIRTIO && id.devid == 1);
	assert_int_equal(device_find(&st, 3, "virtio/7", &id), -ENOENT);
	assert_int_equal(device_find(&st, 3, "xvdb", &id), -ENOENT);
	assert_logged("device xvdb: not found: see 'xen-virtio list'");
}

/* ---- nodes ---- */

static void owner(const char *path, unsigned int who, unsigned int reader)
{
	const struct xs_permissions *p;
	unsigned int n;

	p = fake_xs_perms(path, &n);
	assert_int_equal(n, 2);
	assert_int_equal(p[0].id, who);
	assert_int_equal(p[0].perms, XS_PERM_NONE);
	assert_int_equal(p[1].id, reader);
	assert_int_equal(p[1].perms, XS_PERM_READ);
}

static void attach(void **state)
{
	struct vd_id id;

	(void)state;
	fix_guest(3, "web1");
	fix_virtio(VIRTIO(3, 0), "virtio,device4");
	fake_xs_set("/libxl/3/device/virtio/1/backend", "another domain's");
	assert_int_equal(devnodes_add(&st, 3, "virtio,device4", &id), 0);
	assert_true(id.kind == VD_KIND_VIRTIO && id.devid == 2);
	assert_node(VIRTIO(3, 2), "frontend", "/local/domain/3/device/virtio/2");
	assert_node(VIRTIO(3, 2), "frontend-id", "3");
	assert_node(VIRTIO(3, 2), "online", "1");
	assert_node(VIRTIO(3, 2), "state", "1");
	assert_node(VIRTIO(3, 2), "type", "virtio,device4");
	assert_node(VIRTIO(3, 2), "transport", "mmio");
	assert_string_equal(fake_xs_get("/local/domain/3/device/virtio/2/backend"), VIRTIO(3, 2));
	assert_string_equal(fake_xs_get("/local/domain/3/device/virtio/2/backend-id"), "0");
	assert_string_equal(fake_xs_get("/local/domain/3/device/virtio/2/state"), "1");
	assert_string_equal(fake_xs_get("/libxl/3/device/virtio/2/backend"), VIRTIO(3, 2));
	assert_string_equal(fake_xs_get("/libxl/3/device/virtio/2/frontend"), "/local/domain/3/device/virtio/2");
	owner("/local/domain/3/device/virtio/2", 3, 0);
	owner("/local/domain/3/device/virtio/2/state", 3, 0);
	owner(VIRTIO(3, 2), 0, 3);
	owner(VIRTIO(3, 2) "/type", 0, 3);
	/* And away. */
	assert_int_equal(devnodes_close(&st, 3, id), 0);
	assert_node(VIRTIO(3, 2), "online", "0");
	assert_node(VIRTIO(3, 2), "state", "5");
	fix_node(VIRTIO(3, 2), "state", "6");
	assert_int_equal(devnodes_close(&st, 3, id), 0);
	assert_node(VIRTIO(3, 2), "state", "6");
	assert_int_equal(devnodes_remove(&st, 3, id), 0);
	assert_null(fake_xs_get(VIRTIO(3, 2)));
	assert_null(fake_xs_get("/local/domain/3/device/virtio/2"));
	assert_null(fake_xs_get("/libxl/3/device/virtio/2"));
	assert_non_null(fake_xs_get(VIRTIO(3, 0)));
	assert_int_equal(devnodes_close(&st, 3, id), -ENOENT);
	/* The last one: nothing of the guest is left in the backend's directory. */
	fake_xs_set("/local/domain/0/backend/virtio/4/0/state", "6");
	assert_non_null(fake_xs_get("/local/domain/0/backend/virtio/3"));
	assert_int_equal(devnodes_remove(&st, 3, (struct vd_id){ VD_KIND_VIRTIO, 0 }), 0);
	assert_null(fake_xs_get("/local/domain/0/backend/virtio/3"));
	assert_non_null(fake_xs_get("/local/domain/0/backend/virtio/4/0/state"));
}

static void xenstore_fails(void **state)
{
	struct vd_id id;

	(void)state;
	fix_guest(3, "web1");
	fake_xs_fail(FAKE_XS_WRITE, VIRTIO(3, 0), EACCES, 1);
	assert_int_equal(devnodes_add(&st, 3, "virtio,device4", &id), -EACCES);
	assert_null(fake_xs_get("/local/domain/3/device/virtio/0"));
	fake_xs_fail(FAKE_XS_END, NULL, EAGAIN, 3);
	assert_int_equal(devnodes_add(&st, 3, "virtio,device4", &id), 0);
}

/* ---- xl.cfg ---- */

static struct findings fs;

static void check(const char *cfg, unsigned int minor)
{
	findings_free(&fs);
	xlcfg_virtio(&fs, "guest.cfg", cfg, strlen(cfg), minor);
}

static bool says(enum level level, const char *text)
{
	for (size_t i = 0; i < fs.n; i++)
		if (fs.f[i].level == level && strstr(fs.f[i].text, text))
			return true;
	for (size_t i = 0; i < fs.n; i++)
		print_message("%d %s\n", fs.f[i].level, fs.f[i].text);
	return false;
}

static void configs(void **state)
{
	(void)state;
	check("name = 'a'\n", 20);
	assert_true(says(ADVICE, "no virtio device in disk= or virtio="));
	check("virtio = [ 'type=virtio,device4,transport=mmio' ]\n", 20);
	assert_true(says(FINE, "rng /dev/urandom"));
	assert_int_equal(findings_worst(&fs), FINE);
	check("virtio = [ 'type=virtio,device4' ]\n", 20);
	assert_true(says(BROKEN, "without transport=mmio xl cannot read it back"));
	check("virtio = [ 'type=virtio,device4,transport=mmio' ]\n", 17);
	assert_true(says(BROKEN, "virtio= needs Xen 4.18, this is Xen 4.17"));
	check("virtio = [ 'type=rng,transport=mmio' ]\n", 20);
	assert_true(says(BROKEN, "no virtio device"));
	check("virtio = [ 'type=virtio,device1;bridge=nobr0;mac=00:16:3e:00:00:01,transport=mmio' ]\n", 20);
	assert_true(says(BROKEN, "no such bridge: nobr0"));
	check("virtio = [ 'type=virtio,device1;mac=00:16:3e:00:00:01,transport=mmio' ]\n", 20);
	assert_true(says(BROKEN, "no bridge: add ;bridge=NAME"));
	check("disk = [ 'vdev=xvda,target=/dev/a' ]\n", 20);
	assert_true(says(ADVICE, "no virtio device"));
	check("bootloader = 'pygrub'\ndisk = [ 'vdev=xvda,backendtype=standalone,backend=d,specification=virtio,target=/dev/a' ]\n", 20);
	assert_true(says(BROKEN, "pygrub cannot open a disk that is in d"));
	check("bootloader = 'pygrub'\ndisk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=/dev/null' ]\n", 20);
	for (size_t i = 0; i < fs.n; i++)
		assert_null(strstr(fs.f[i].text, "pygrub"));
	check("type = 'hvm'\ndisk = [ 'vdev=xvda,backendtype=standalone,specification=virtio,target=/dev/a' ]\n", 20);
	assert_true(says(ADVICE, "firmware does not see virtio disks"));
	check("disk = [ 'unfinished\n", 20);
	assert_true(says(BROKEN, "guest.cfg is not understood by xl"));
	findings_free(&fs);
}

#define VIRTIO_DISK "specification=virtio,backendtype=standalone"

/* Every form of xl-disk-configuration(5) is read as xl reads it. */
static void disks(void **state)
{
	static const char *const forms[] = {
		/* key=value */
		"vdev=xvda," VIRTIO_DISK ",target=/nonexistent/a",
		"format=raw, vdev=xvda, access=rw, " VIRTIO_DISK ", target=/nonexistent/a",
		/* positional */
		"/nonexistent/a,raw,xvda,rw," VIRTIO_DISK,
		"/nonexistent/a,,xvda,," VIRTIO_DISK,
		VIRTIO_DISK ",/nonexistent/a,raw,xvda,r",
		/* mixed */
		"/nonexistent/a,vdev=xvda,no-discard," VIRTIO_DISK,
		"raw:/nonexistent/a,xvda,w," VIRTIO_DISK,
		/* xl takes this backend by itself */
		"/nonexistent/a,raw,xvda,rw,specification=virtio",
	};
	static const struct {
		const char *line, *says;
	} bad[] = {
		{ "vdev=xvda," VIRTIO_DISK, "is not understood by xl: no target specified (and device not removable)" },
		{ "/dev/a,raw," VIRTIO_DISK, "is not understood by xl: no vdev specified" },
		{ "/dev/a,raw,xvda,rw,more," VIRTIO_DISK, "is not understood by xl: too many positional parameters" },
		{ "/dev/a,raw,xvda,maybe," VIRTIO_DISK, "is not understood by xl: unknown value for access: near `maybe'" },
		{ "/dev/a,raw,xvda,rw,specification=virtual", "is not understood by xl: unknown value for specification: near `virtual'" },
		/* xl refuses the guest for any of its disks. */
		{ "/dev/a,raw,hda,rw,backendtype=any", "is not understood by xl: unknown value for backendtype: near `any'" },
		{ "/dev/a,raw,xvda,rw,specification=virtio,backendtype=phy", "disk xvda: virtio over XenBus has its own backend" },
		{ "/dev/a,qcow2,xvda,rw," VIRTIO_DISK, "disk xvda: xl takes a standalone disk only with format=raw" },
		{ "/dev/a,raw,xvda,rw,script=block-mine," VIRTIO_DISK, "disk xvda: xl takes a standalone disk only without script=" },
		{ "a.img,raw,xvda,rw," VIRTIO_DISK, "disk xvda: target=a.img is not an absolute path" },
		{ "/dev/a,raw,xvda,rw,devtype=cdrom," VIRTIO_DISK, "disk xvda: virtio has no CD drives" },
	};
	char cfg[256];

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		snprintf(cfg, sizeof(cfg), "disk = [ '%s' ]\n", forms[i]);
		check(cfg, 17);
		assert_true(says(BROKEN, "disk xvda: /nonexistent/a: no such file"));
		assert_int_equal(fs.n, 1);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		snprintf(cfg, sizeof(cfg), "disk = [ \"%s\" ]\n", bad[i].line);
		check(cfg, 20);
		assert_true(says(BROKEN, bad[i].says));
	}
	/* What xl says of one line is not said of the next. */
	check("disk = [ '/dev/a,raw,bad,rw,x,y', 'target=/b' ]\n", 20);
	assert_true(says(BROKEN, "'target=/b' is not understood by xl: no vdev specified"));
	check("disk = [ '/dev/null,raw,xvda,rw,specification=virtio' ]\n", 16);
	assert_true(says(BROKEN, "specification=virtio needs Xen 4.17, this is Xen 4.16"));
	check("disk = [ 'vdev=xvda," VIRTIO_DISK ",target=/dev/a,access=ro' ]\n", 20);
	assert_true(says(ADVICE, "xl takes everything after target= as the disk's path"));
	findings_free(&fs);
}

/* ---- list ---- */

static char *listed(const char *option)
{
	char *argv[] = { (char *)"list", (char *)option, NULL };
	char path[] = "/tmp/virtio-list-XXXXXX", *text;
	int fd = mkstemp(path), saved = dup(1);

	fflush(stdout);
	dup2(fd, 1);
	optind = 0;
	assert_int_equal(cmd_list(option ? 2 : 1, argv), 0);
	fflush(stdout);
	dup2(saved, 1);
	close(saved);
	close(fd);
	assert_int_equal(host_slurp(path, 1 << 16, &text, NULL), 0);
	unlink(path);
	return text;
}

static void list(void **state)
{
	char *text;

	(void)state;
	text = listed(NULL);
	assert_string_equal(text, "No virtio device.\n");
	free(text);
	fix_guest(3, "web1");
	fix_disk(DISK(3, 51712), "/dev/vg/web1");
	fix_node(DISK(3, 51712), "state", "4");
	fake_xs_set("/local/domain/3/device/virtio_disk/51712/state", "4");
	fix_virtio(VIRTIO(3, 0), "virtio,device77");
	text = listed(NULL);
	assert_string_equal(text,
		"GUEST                DOMID DEVICE             TYPE     BACKEND      FRONTEND     WHAT\n"
		"web1                     3 virtio/0           ?        initialising -            \n"
		"    error: device77 is not supported: choose one of 1 net, 2 block, 3 console, 4 rng, 9 9p\n"
		"web1                     3 virtio_disk/51712  block    connected    connected    /dev/vg/web1 raw\n");
	free(text);
	text = listed("--json");
	assert_non_null(strstr(text, "\"device\":\"virtio_disk/51712\""));
	assert_non_null(strstr(text, "\"backend_state\":4"));
	assert_non_null(strstr(text, "\"error\":null"));
	free(text);
	text = listed("web1");
	assert_non_null(strstr(text, "virtio_disk/51712"));
	free(text);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, t_setup, fix_teardown)
	const struct CMUnitTest tests[] = {
		T(types), T(backends), T(devices), T(attach), T(xenstore_fails), T(configs), T(disks), T(list),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
