// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/cli/xlcfg.c src/stubdom/cli/cfgfacts.c src/lib/cli/findings.c src/lib/cli/host.c src/lib/cli/packages.c src/lib/base/file.c src/lib/base/log.c */
/* test-pkgs: xlutil xenlight json-c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stubdom/cli/cli.h"
#include "cli/findings.h"
#include "stubdom/cli/cfgfacts.h"
#include "cli/packages.h"
#include "stubdom/cli/xlcfg.h"

#define GOOD \
	"name = \"web1\"\n" \
	"type = \"hvm\"\n" \
	"device_model_version = \"qemu-xen\"\n" \
	"device_model_stubdomain_override = 1\n" \
	"vkb_device = 0\n"

static struct findings fs;
static struct xlcfg_host host;

static int setup(void **state)
{
	(void)state;
	memset(&fs, 0, sizeof(fs));
	host = (struct xlcfg_host){ .xen_minor = 20, .memory_min = 96 };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	findings_free(&fs);
	return 0;
}

static int check(const char *text)
{
	findings_free(&fs);
	return xlcfg_check(&fs, "test.cfg", text, strlen(text), &host);
}

/* The finding called @id that is not FINE; NULL. */
static const struct finding *bad(const char *id)
{
	for (size_t i = 0; i < fs.n; i++)
		if (fs.f[i].level != FINE && !strcmp(fs.f[i].id, id))
			return &fs.f[i];
	return NULL;
}

/* GOOD and @more has this one thing wrong, of that level. */
static void wrong(const char *more, const char *id, enum level level)
{
	char *text = xasprintf(GOOD "%s\n", more);
	const struct finding *f;

	assert_int_equal(check(text), 0);
	f = bad(id);
	if (!f)
		findings_print(&fs, false);
	assert_non_null(f);
	assert_int_equal(f->level, level);
	assert_non_null(f->fix);
	for (size_t i = 0; i < fs.n; i++)
		if (fs.f[i].level != FINE)
			assert_string_equal(fs.f[i].id, id);
	free(text);
}

static void right(const char *more)
{
	char *text = xasprintf(GOOD "%s\n", more);

	assert_int_equal(check(text), 0);
	if (findings_worst(&fs) != FINE)
		findings_print(&fs, false);
	assert_int_equal(findings_worst(&fs), FINE);
	free(text);
}

static void good_ones(void **state)
{
	(void)state;
	right("");
	right("disk = [ \"/dev/vg/a,raw,hda,rw\", \"/dev/vg/b,raw,xvdb,rw\", "
	      "\"format=raw,vdev=hdc,access=ro,devtype=cdrom,backendtype=phy,target=/x.iso\", \"/dev/vg/s,raw,sdd,ro\" ]");
	right("vif = [ \"bridge=xenbr0,model=e1000\", \"bridge=xenbr0\", \"model=virtio-net\" ]");
	right("serial = \"pty\"");
	right("serial = [ \"pty\", \"pty\", \"pty\", \"pty\", \"pty\" ]");
	right("stubdomain_memory = 96");
	/* MiB of Xen's default */
	host.memory_min = 128;
	right("");
}

static void switches(void **state)
{
	(void)state;
	assert_int_equal(check("type = \"pvh\"\n"), 0);
	assert_non_null(bad("cfg-type"));
	assert_int_equal(check("builder = \"hvm\"\n"), 0);
	assert_null(bad("cfg-type"));
	assert_non_null(bad("cfg-override"));
	assert_non_null(bad("cfg-version"));
	host.xen_minor = 21;
	assert_int_equal(check("builder = \"hvm\"\n"), 0);
	assert_null(bad("cfg-version"));
	assert_int_equal(check("type=\"hvm\"\ndevice_model_version=\"qemu-xen-traditional\"\n"), 0);
	assert_non_null(bad("cfg-version"));
}

static void memory(void **state)
{
	(void)state;
	wrong("stubdomain_memory = 64", "cfg-memory", BROKEN);
	assert_string_equal(bad("cfg-memory")->fix, "stubdomain_memory = 96");
	host.memory_min = 129;
	wrong("", "cfg-memory", BROKEN);
	host.memory_min = 0;	/* no image yet */
	right("stubdomain_memory = 1");
}

static void disks(void **state)
{
	(void)state;
	wrong("disk = [ \"/dev/vg/a,raw,hda,rw\", \"/dev/vg/b,raw,xvda,rw\" ]",
	      "cfg-disk-clash", BROKEN);
	wrong("disk = [ \"/dev/vg/a,raw,sdb,rw\", \"/dev/vg/b,raw,hdb,rw\" ]",
	      "cfg-disk-clash", BROKEN);
	wrong("disk = [ \"/dev/vg/a,raw,hda,ro\" ]", "cfg-disk-readonly", BROKEN);
	wrong("disk = [ \"/dev/vg/a,raw,xvda,ro\" ]", "cfg-disk-readonly", BROKEN);
	wrong("disk = [ \"/dev/vg/a,raw,hde,rw\" ]", "cfg-disk-ide", BROKEN);
	right("hdtype = \"ahci\"\ndisk = [ \"/dev/vg/a,raw,hde,rw\" ]");
	wrong("disk = [ \"/dev/vg/a,raw,xvdaa,rw\" ]", "cfg-disk-count", ADVICE);
	wrong("disk = [ \"/a.qcow2,qcow2,xvda,rw\" ]", "cfg-disk-qdisk", ADVICE);
	wrong("disk = [ \"/a,raw,xvdA,rw\" ]", "cfg-disk", BROKEN);
	wrong("disk = [ \"nonsense=1,x\" ]", "cfg-disk", BROKEN);
	right("disk = [ \"format=empty,vdev=hdc,access=ro,devtype=cdrom\" ]");
	wrong("disk = [ \"/a.iso,raw,hdc,cdrom\" ]", "cfg-cd-qdisk", ADVICE);
	right("disk = [ \"format=raw,vdev=hdc,access=ro,devtype=cdrom,"
	      "backendtype=phy,target=/a.iso\" ]");
	right("disk = [ \"format=empty,vdev=hdc,access=ro,devtype=cdrom,"
	      "backendtype=phy\" ]");
	host.xen_minor = 17;
	wrong("disk = [ \"format=empty,vdev=hdc,access=ro,devtype=cdrom\" ]",
	      "cfg-cd-fixed", ADVICE);
	wrong("disk = [ \"/a.iso,raw,hdc,cdrom\" ]", "cfg-cd-fixed", ADVICE);
	wrong("disk = [ \"format=raw,vdev=hdc,access=ro,devtype=cdrom,"
	      "backendtype=phy,target=/a.iso\" ]", "cfg-cd-phy", BROKEN);
	host.xen_minor = 19;
	wrong("disk = [ \"format=raw,vdev=hdc,access=ro,devtype=cdrom,"
	      "backendtype=phy,target=/a.iso\" ]", "cfg-cd-fixed", ADVICE);
}

static void other_devices(void **state)
{
	(void)state;
	wrong("kernel = \"/boot/vmlinuz\"", "cfg-direct-boot", BROKEN);
	wrong("serial = [ \"pty\", \"pty\", \"pty\", \"pty\", \"pty\", \"pty\" ]",
	      "cfg-serial", BROKEN);
	wrong("vif = [ \"model=ne2k_pci\" ]", "cfg-nic", BROKEN);
	wrong("stubdomain_kernel = \"/srv/k\"", "cfg-image", ADVICE);
}

/* GOOD and @line: @id of that level, on a line that begins with the key; NULL: nothing. */
static const struct {
	const char *line, *id;
	enum level level;
} facts[] = {
	{ "vnc = 1", "cfg-vnc", BROKEN },
	{ "vnc = 0", NULL, FINE },
	{ "vnclisten = \"0.0.0.0\"", "cfg-vnc", BROKEN },
	{ "vnclisten = \"0.0.0.0\"\nvnc = 0", NULL, FINE },
	{ "vncdisplay = 3", "cfg-vnc", BROKEN },
	{ "vncunused = 1", "cfg-vnc", BROKEN },
	{ "vncpasswd = \"secret\"", "cfg-vncpasswd", BROKEN },
	{ "vncpasswd = \"\"", NULL, FINE },
	{ "vncpasswd = \"secret\"\nvnc = 0", NULL, FINE },
	{ "sdl = 1", "cfg-sdl", BROKEN },
	{ "sdl = 0", NULL, FINE },
	{ "spice = 1", "cfg-spice", BROKEN },
	{ "vga = \"qxl\"", "cfg-vga", BROKEN },
	{ "vga = \"QXL\"", "cfg-vga", BROKEN },
	{ "vga = \"stdvga\"", NULL, FINE },
	{ "keymap = \"de\"", "cfg-keymap", ADVICE },
	{ "vkb_device = 1", "cfg-vkb", ADVICE },
	{ "vkb_device = 1\nvkb = [ \"backend-type=linux\" ]", NULL, FINE },
	{ "vkb = [ \"backend-type=qemu\" ]", "cfg-vkb-qemu", BROKEN },
	{ "pci = [ \"00:03.0\" ]", "cfg-pci", BROKEN },
	{ "pci = [ ]", NULL, FINE },
	{ "gfx_passthru = 1", "cfg-pci", BROKEN },
	{ "gfx_passthru = \"igd\"", "cfg-pci", BROKEN },
	{ "gfx_passthru = 0", NULL, FINE },
	{ "usb = 1\nusbdevice = \"tablet\"", NULL, FINE },
	{ "usbdevice = [ \"tablet\", \"keyboard\" ]", NULL, FINE },
	{ "usbdevice = [ \"tablet\", \"host:8.2\" ]", "cfg-usbdevice", BROKEN },
	{ "usbversion = 3", NULL, FINE },
	{ "usbctrl = [ \"version=3\" ]", NULL, FINE },
	{ "usbctrl = [ \"type=devicemodel\" ]", NULL, FINE },
	{ "usbctrl = [ \"version=2, type=qusb\" ]", "cfg-usb", BROKEN },
	{ "usbctrl = [ \"type=pv\" ]", "cfg-usb", BROKEN },
	{ "usbdev = [ \"hostbus=1,hostaddr=2\" ]", "cfg-usb", BROKEN },
	{ "channel = [ \"connection=pty,name=a\" ]", "cfg-channel", BROKEN },
	{ "p9 = [ \"tag=a,path=/srv,security_model=none\" ]", "cfg-p9", BROKEN },
	{ "p9 = [ \"tag=a,path=/srv,security_model=none,type=xen_9pfsd\" ]", NULL, FINE },
	{ "soundhw = \"sb16\"", "cfg-soundhw", BROKEN },
	{ "soundhw = \"hda\"", "cfg-sound", ADVICE },
	{ "soundhw = \"AC97\"", "cfg-sound", ADVICE },
	{ "dm_restrict = 1", "cfg-dm-restrict", ADVICE },
	{ "device_model_user = \"xen\"", "cfg-dm-user", ADVICE },
	{ "device_model_override = \"/srv/qemu\"", "cfg-dm-override", ADVICE },
	{ "device_model_override = \"/usr/libexec/xen-extras/xen-stubdom-pv\"", NULL, FINE },
	{ "device_model_args = [ \"-x\" ]", "cfg-dm-args", ADVICE },
	{ "device_model_args_pv = [ \"-x\" ]", "cfg-dm-args", ADVICE },
	{ "device_model_args_hvm = [ \"-x\" ]", NULL, FINE },
	/* What has nothing to do with where the device model runs. */
	{ "acpi = 0\nhpet = 0\nviridian = 1\nnestedhvm = 1\nlocaltime = 1", NULL, FINE },
	{ "boot = \"dc\"\nvendor_device = \"xenserver\"\nxen_platform_pci = 0", NULL, FINE },
	{ "vtpm = [ \"backend=v\" ]\nnographic = 1\nvideoram = 32", NULL, FINE },
	{ "bios = \"seabios\"", NULL, FINE },
};

static void keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(facts) / sizeof(facts[0]); i++) {
		size_t key = strcspn(facts[i].line, " ");
		bool named = false;

		if (!facts[i].id) {
			right(facts[i].line);
			continue;
		}
		wrong(facts[i].line, facts[i].id, facts[i].level);
		for (size_t n = 0; n < fs.n; n++)
			named |= fs.f[n].level != FINE &&
				 !strncmp(fs.f[n].text, facts[i].line, key) &&
				 fs.f[n].text[key] == ':';
		if (!named)
			print_error("%s\n", facts[i].line);
		assert_true(named);
	}
	/* A kernel with a backend for PV USB: then it works. */
	host.usbback = true;
	right("usbctrl = [ \"type=pv\" ]\nusbdev = [ \"hostbus=1,hostaddr=2\" ]");
	wrong("usbdev = [ \"hostbus=1,hostaddr=2\" ]", "cfg-usb", BROKEN);
}

/* device_model_args_hvm = [ @list ] */
static void wrong_args(const char *list, enum level level)
{
	char *line = xasprintf("device_model_args_hvm = [ %s ]", list);

	wrong(line, "cfg-dm-args", level);
	free(line);
}

static void arguments(void **state)
{
	(void)state;
	wrong_args("\"-device\", \"edu\"", BROKEN);
	wrong_args("\"-device\", \"usb-host,hostbus=1,hostaddr=2\"", BROKEN);
	wrong_args("\"--device\", \"megasas\"", ADVICE);
	wrong_args("\"-kernel\", \"/boot/vmlinuz\"", BROKEN);
	wrong_args("\"-vnc\", \":1\"", BROKEN);
	wrong_args("\"-display\", \"gtk\"", BROKEN);
	wrong_args("\"-audiodev\", \"pa,id=a\"", BROKEN);
	wrong_args("\"-netdev\", \"user,id=n\"", BROKEN);
	wrong_args("\"-drive\", \"file=/srv/a.img,if=none,id=a\"", BROKEN);
	wrong_args("\"-drive\", \"a=/dev/xvda,file=/srv/a.img\"", BROKEN);
	wrong_args("\"-cdrom\", \"/srv/a.iso\"", BROKEN);
	wrong_args("\"-sandbox\", \"off\"", ADVICE);
	wrong_args("\"-daemonize\"", ADVICE);
	wrong_args("\"-monitor\", \"tcp::4444\"", ADVICE);
	wrong_args("\"-runas\"", ADVICE);
	right("device_model_args_hvm = [ \"-device\", \"virtio-blk-pci,drive=v\", \"-drive\", \"file=/dev/xvde,if=none,id=v\" ]");
	right("device_model_args_hvm = [ \"-display\", \"none\", \"-device\", \"VGA\", \"-device\" ]");
	right("device_model_args_hvm = [ ]");
	/* Nothing of the file goes to the terminal as it is. */
	wrong_args("\"-device\", \"\x1b[31m\"", ADVICE);
	assert_null(strchr(bad("cfg-dm-args")->text, '\x1b'));
	/* dom0's QEMU ends with a device that ours has. */
	wrong("device_model_args = [ \"-device\", \"e1000\" ]", "cfg-dm-args", ADVICE);
	assert_int_equal(findings_worst(&fs), BROKEN);
}

/* The lists in the code are those that the build of QEMU is held against. */
static void devices_are_qemus(void **state)
{
	static const struct {
		const char *file, *const *names;
	} lists[] = {
		{ "src/qemu/required.list", cfgfacts_devices_there },
		{ "src/qemu/forbidden.list", cfgfacts_devices_missing },
	};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char *text;

		assert_int_equal(host_slurp(lists[i].file, 1 << 16, &text, NULL), 0);
		for (const char *const *n = lists[i].names; *n; n++) {
			char *line = xasprintf("\ndevice %s\n", *n);

			if (!strstr(text, line))
				print_error("%s: not in %s\n", *n, lists[i].file);
			assert_non_null(strstr(text, line));
			free(line);
		}
		free(text);
	}
}

static void firmware(void **state)
{
	char root[] = "/tmp/test-cli-XXXXXX", *dir, *file;
	FILE *f;

	(void)state;
	assert_non_null(mkdtemp(root));
	host_set_root(root);
	wrong("bios = \"ovmf\"", "cfg-firmware", BROKEN);
	wrong("firmware = \"uefi\"", "cfg-firmware", BROKEN);
	dir = xasprintf("%s/usr/share/ovmf", root);
	assert_int_equal(host_mkdirs(dir), 0);
	file = xasprintf("%s/OVMF.fd", dir);
	f = fopen(file, "w");
	assert_non_null(f);
	fclose(f);
	wrong("bios = \"ovmf\"", "cfg-uefi", ADVICE);
	wrong("firmware = \"uefi\"", "cfg-uefi", ADVICE);
	assert_int_equal(strncmp(bad("cfg-uefi")->text, "firmware: ", 10), 0);
	wrong("bios = \"ovmf\"\nbios_path_override = \"/srv/a.fd\"", "cfg-firmware", BROKEN);
	wrong("firmware = \"/srv/a.fd\"", "cfg-firmware", BROKEN);
	right("bios_path_override = \"/usr/share/ovmf/OVMF.fd\"");
	free(dir);
	free(file);
	host_rmtree(root);
	host_set_root("/");
}

static void syntax(void **state)
{
	(void)state;
	assert_int_equal(check("disk = [ \"never closed\n"), -EINVAL);
	assert_non_null(bad("cfg-syntax"));
	assert_non_null(strstr(bad("cfg-syntax")->text, "test.cfg"));
	assert_int_equal(check("\x1b[31m"), -EINVAL);
	assert_null(strchr(bad("cfg-syntax")->text, '\x1b'));
}

static void vdevs(void **state)
{
	static const struct {
		const char *vdev;
		int index;
		char kind;
	} t[] = {
		{ "xvda", 0, 'x' }, { "xvdz", 25, 'x' }, { "xvdaa", 26, 'x' },
		{ "hdc", 2, 'h' }, { "hdc1", 2, 'h' }, { "sdb15", 1, 's' },
		{ "d0", 0, 'x' }, { "d12p3", 12, 'x' },
		{ "", -1, 0 }, { "xvd", -1, 0 }, { "xvd1", -1, 0 }, { "hdA", -1, 0 },
		{ "vda", -1, 0 }, { "d", -1, 0 }, { "d1x", -1, 0 }, { "d1p", -1, 0 },
		{ "xvda 1", -1, 0 }, { "d99999999999999999999", -1, 0 },
		{ "xvdzzzzzzzzzzzzzzz", -1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		unsigned int index;
		char kind;
		int ret = vdev_parse(t[i].vdev, &index, &kind);

		if (ret != (t[i].index < 0 ? -EINVAL : 0))
			print_error("%s\n", t[i].vdev);
		assert_int_equal(ret, t[i].index < 0 ? -EINVAL : 0);
		if (!ret) {
			assert_int_equal(index, t[i].index);
			assert_int_equal(kind, t[i].kind);
		}
	}
}

static void touch(const char *root, const char *name)
{
	char *path = xasprintf("%s/usr/bin/%s", root, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fclose(f);
	chmod(path, 0755);
	free(path);
}

static void packages(void **state)
{
	char root[] = "/tmp/test-cli-XXXXXX", *bin, *fix;

	(void)state;
	assert_non_null(mkdtemp(root));
	host_set_root(root);
	bin = xasprintf("%s/usr/bin", root);
	assert_int_equal(host_mkdirs(bin), 0);
	free(bin);
	touch(root, "rpm");
	fix = package_install("dracut-core");
	assert_string_equal(fix, "run 'dnf install dracut'");
	free(fix);
	/* rpm is installed on many Debian hosts */
	touch(root, "dpkg");
	fix = package_reinstall("dracut-core");
	assert_string_equal(fix, "run 'apt install --reinstall dracut-core'");
	free(fix);
	host_rmtree(root);
	host_set_root("/");
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(good_ones),
		T(switches),
		T(memory),
		T(disks),
		T(other_devices),
		T(keys),
		T(arguments),
		T(devices_are_qemus),
		T(firmware),
		T(syntax),
		T(vdevs),
		T(packages),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
