// SPDX-License-Identifier: GPL-2.0-or-later
#include "xlcfg.h"

#include <errno.h>
#include <libxl.h>
#include <libxlutil.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "cfgfacts.h"
#include "cli.h"
#include "cli/xlread.h"

/* libxl_internal.h: LIBXL_LINUX_STUBDOM_MEM */
#define DEFAULT_MEMORY 128
/* Linux has hvc0-hvc7; 0-2 are log, save and restore. */
#define SERIAL_MAX 5
/* /dev/xvda to /dev/xvdz: libxl leaves out what comes after. */
#define EMULATED_MAX 26
#define IDE_MAX 4
#define DISKS_MAX 256

struct cfg {
	XLU_Config *xlu;
	struct findings *fs;
	const struct xlcfg_host *host;
};

static const char *get(const struct cfg *c, const char *key)
{
	const char *v;

	return xlu_cfg_get_string(c->xlu, key, &v, 1) ? NULL : v;
}

static long number(const struct cfg *c, const char *key, long none)
{
	long v;

	return xlu_cfg_get_long(c->xlu, key, &v, 1) ? none : v;
}

/* "a12" -> 12 for letters, as the kernel counts disks: a-z, aa, ab, ... */
static const char *letters(const char *s, unsigned int *index)
{
	unsigned int n = 0;

	if (*s < 'a' || *s > 'z')
		return NULL;
	for (; *s >= 'a' && *s <= 'z'; s++) {
		n = n * 26 + (unsigned int)(*s - 'a') + 1;
		if (n > 1 << 20)
			return NULL;
	}
	*index = n - 1;
	return s;
}

static bool digits_to_end(const char *s)
{
	return strspn(s, "0123456789") == strlen(s);
}

int vdev_parse(const char *vdev, unsigned int *index, char *kind)
{
	const char *rest = NULL;

	if (!strncmp(vdev, "xvd", 3)) {
		*kind = 'x';
		rest = letters(vdev + 3, index);
	} else if (!strncmp(vdev, "hd", 2) || !strncmp(vdev, "sd", 2)) {
		*kind = vdev[0];
		rest = letters(vdev + 2, index);
	} else if (vdev[0] == 'd' && vdev[1] >= '0' && vdev[1] <= '9') {
		char *end;
		unsigned long n = strtoul(vdev + 1, &end, 10);

		if (n > 1 << 20)
			return -EINVAL;
		*kind = 'x';
		*index = (unsigned int)n;
		rest = *end == 'p' && end[1] ? end + 1 : *end ? NULL : end;
	}
	return rest && digits_to_end(rest) ? 0 : -EINVAL;
}

static bool check_type(const struct cfg *c)
{
	const char *type = get(c, "type"), *builder = get(c, "builder");

	if ((type && !strcmp(type, "hvm")) || (builder && !strcmp(builder, "hvm"))) {
		found(c->fs, FINE, "cfg-type", NULL, "it is an HVM guest");
		return true;
	}
	found(c->fs, BROKEN, "cfg-type", "type = \"hvm\"",
	      "only an HVM guest has a device model to put into a stubdomain");
	return false;
}

static void check_switches(const struct cfg *c)
{
	const char *version = get(c, "device_model_version");
	unsigned int minor = c->host->xen_minor;

	if (number(c, "device_model_stubdomain_override", 0))
		found(c->fs, FINE, "cfg-override", NULL,
		      "its device model runs in a stubdomain");
	else
		found(c->fs, BROKEN, "cfg-override",
		      "device_model_stubdomain_override = 1",
		      "its device model runs in dom0");
	if (version && !strcmp(version, "qemu-xen"))
		found(c->fs, FINE, "cfg-version", NULL, "it asks for qemu-xen");
	else if (version)
		found(c->fs, BROKEN, "cfg-version",
		      "device_model_version = \"qemu-xen\"",
		      "device_model_version is not for a Linux stubdomain");
	else if (minor >= 21)
		found(c->fs, FINE, "cfg-version", NULL,
		      "qemu-xen is what this Xen takes by itself");
	else
		found(c->fs, BROKEN, "cfg-version",
		      "device_model_version = \"qemu-xen\"",
		      "before Xen 4.21 a stubdomain is MiniOS (ioemu-stubdom.gz) unless told otherwise");
}

static void check_memory(const struct cfg *c)
{
	long mem = number(c, "stubdomain_memory", DEFAULT_MEMORY);
	unsigned int min = c->host->memory_min;
	char fix[64];

	snprintf(fix, sizeof(fix), "stubdomain_memory = %u", min);
	if (!min)
		return;
	if (mem >= (long)min)
		found(c->fs, FINE, "cfg-memory", NULL,
		      "the stubdomain gets %ld MiB, the image needs %u", mem, min);
	else
		found(c->fs, BROKEN, "cfg-memory", fix,
		      "the stubdomain gets %ld MiB, the image needs %u", mem, min);
}

static void check_paths(const struct cfg *c)
{
	static const char *const keys[] = { "stubdomain_kernel", "stubdomain_ramdisk" };

	for (int i = 0; i < 2; i++) {
		const char *v = get(c, keys[i]);

		if (v)
			found(c->fs, ADVICE, "cfg-image", "remove the line to use the registered image", "%s = \"%s\" is used instead of the registered one, without updates",
			      keys[i], v);
		if (v && v[0] != '/')
			found(c->fs, BROKEN, "cfg-image-path", "give the whole path",
			      "%s: xl looks relative names up nowhere", keys[i]);
	}
}

static void check_boot(const struct cfg *c)
{
	if (get(c, "kernel") || get(c, "ramdisk"))
		found(c->fs, BROKEN, "cfg-direct-boot", "boot from a disk, or device_model_stubdomain_override = 0",
		      "kernel= and ramdisk= name files of dom0: the device model in a stubdomain cannot open them");
	else
		found(c->fs, FINE, "cfg-direct-boot", NULL,
		      "it boots from its disks or network");
}

static void check_serial(const struct cfg *c)
{
	XLU_ConfigList *list;
	int n = 0;

	if (xlu_cfg_get_list(c->xlu, "serial", &list, &n, 1) || n <= SERIAL_MAX)
		return;
	found(c->fs, BROKEN, "cfg-serial", "list at most 5 in serial=",
	      "%d serial ports: a stubdomain can have %d", n, SERIAL_MAX);
}

struct seen {
	char *at[DISKS_MAX];	/* vdev of each index */
	unsigned int ide;
};

static void check_cd(const struct cfg *c, const libxl_device_disk *d)
{
	bool phy = d->backend == LIBXL_DISK_BACKEND_PHY;
	unsigned int minor = c->host->xen_minor;

	/* libxl_disk.c:libxl__device_disk_setdefault() of that time */
	if (minor && minor < 19 && phy) {
		found(c->fs, BROKEN, "cfg-cd-phy", "remove backendtype=phy",
		      "disk %s: before Xen 4.19 xl has CDs served by QEMU only",
		      d->vdev);
		return;
	}
	if (minor && minor < 20) {
		found(c->fs, ADVICE, "cfg-cd-fixed", "give it the medium that it needs before the guest starts",
		      "disk %s: before Xen 4.20 the CD of a guest with a stubdomain cannot be changed while it runs", d->vdev);
		return;
	}
	/* A drive that starts empty is made one of dom0's kernel by xen-stubdomd. */
	if (d->format != LIBXL_DISK_FORMAT_EMPTY && !phy)
		found(c->fs, ADVICE, "cfg-cd-qdisk", "add backendtype=phy",
		      "disk %s: its medium cannot be changed: xl's cd-insert and cd-eject fail unless the CD is served by the kernel of dom0",
		      d->vdev);
}

static void check_disk_kind(const struct cfg *c, const libxl_device_disk *d,
			    unsigned int index, char kind, struct seen *seen)
{
	const char *hdtype = get(c, "hdtype");
	bool ahci = hdtype && !strcmp(hdtype, "ahci");

	if (index >= EMULATED_MAX)
		found(c->fs, ADVICE, "cfg-disk-count", "use xvda to xvdz for disks the firmware or installer must see",
		      "disk %s is only visible to PV drivers", d->vdev);
	/* xvdX is emulated as IDE for the first four. */
	if (kind != 's' && index < IDE_MAX)
		seen->ide++;
	if (kind == 'h' && index >= IDE_MAX && !ahci)
		found(c->fs, BROKEN, "cfg-disk-ide", "use xvd names, or hdtype = \"ahci\"",
		      "disk %s: only hda to hdd can be emulated as IDE", d->vdev);
	if (kind != 's' && index < IDE_MAX && !d->is_cdrom && !d->readwrite)
		found(c->fs, BROKEN, "cfg-disk-readonly", "make it 'rw', an sd name, or a CD ('devtype=cdrom')",
		      "disk %s: qemu-xen emulates no read-only IDE disk", d->vdev);
	if (d->is_cdrom)
		check_cd(c, d);
	if (!d->is_cdrom && (d->format == LIBXL_DISK_FORMAT_QCOW2 ||
			     d->backend == LIBXL_DISK_BACKEND_QDISK))
		found(c->fs, ADVICE, "cfg-disk-qdisk", "use a raw image or a block device with backendtype=phy",
		      "disk %s: served by a QEMU in dom0, which has no backend for the guest's own PV driver", d->vdev);
}

static void check_disk(const struct cfg *c, const char *spec, struct seen *seen)
{
	libxl_device_disk d;
	unsigned int index;
	char kind;

	libxl_device_disk_init(&d);
	if (xlu_disk_parse(c->xlu, 1, &spec, &d) || !d.vdev) {
		found(c->fs, BROKEN, "cfg-disk", "see xl-disk-configuration(5)",
		      "disk '%s' is not understood by xl", spec);
	} else if (vdev_parse(d.vdev, &index, &kind)) {
		found(c->fs, BROKEN, "cfg-disk", "use xvda to xvdz",
		      "disk '%s': %s is no virtual device", spec, d.vdev);
	} else {
		if (index < DISKS_MAX && seen->at[index])
			found(c->fs, BROKEN, "cfg-disk-clash", "give one of them another letter", "disks %s and %s are both /dev/xvd%c in the stubdomain", seen->at[index],
			      d.vdev, 'a' + (int)(index % 26));
		else if (index < DISKS_MAX)
			seen->at[index] = xstrdup(d.vdev);
		check_disk_kind(c, &d, index, kind, seen);
	}
	libxl_device_disk_dispose(&d);
}

static void check_disks(const struct cfg *c)
{
	struct seen seen = { .ide = 0 };
	size_t before = c->fs->n;
	XLU_ConfigList *list;
	int n = 0;

	if (xlu_cfg_get_list(c->xlu, "disk", &list, &n, 1))
		n = 0;
	for (int i = 0; i < n; i++) {
		const char *spec = xlu_cfg_get_listitem(list, i);

		if (spec)
			check_disk(c, spec, &seen);
	}
	if (c->fs->n == before)
		found(c->fs, FINE, "cfg-disk", NULL,
		      "its %d disks fit into a stubdomain", n);
	for (int i = 0; i < DISKS_MAX; i++)
		free(seen.at[i]);
}

static void check_nics(const struct cfg *c)
{
	XLU_ConfigList *list;
	int n = 0;

	if (xlu_cfg_get_list(c->xlu, "vif", &list, &n, 1))
		return;
	for (int i = 0; i < n; i++) {
		const char *spec = xlu_cfg_get_listitem(list, i);
		const char *model = spec ? strstr(spec, "model=") : NULL;
		char name[32];

		if (!model || sscanf(model, "model=%31[^, ]", name) != 1)
			continue;
		if (strcmp(name, "e1000") && strcmp(name, "rtl8139") &&
		    strcmp(name, "virtio-net"))
			found(c->fs, BROKEN, "cfg-nic", "model=e1000, rtl8139 or virtio-net", "network card %d: the stubdomain's device model has no %s", i, name);
	}
}

/* What libxl of Debian loads for bios="ovmf" (its configure's --with-system-ovmf). */
#define OVMF "/usr/share/ovmf/OVMF.fd"

static bool is_uefi(const char *v)
{
	return v && (!strcasecmp(v, "ovmf") || !strcmp(v, "uefi"));
}

/* libxl reads the firmware in dom0 and puts it into the guest's memory. */
static void check_firmware(const struct cfg *c)
{
	const char *firmware = get(c, "firmware"), *path = get(c, "bios_path_override");
	const char *key = path ? "bios_path_override" : get(c, "bios") ? "bios" : "firmware";
	bool uefi = is_uefi(get(c, "bios")) || is_uefi(firmware);
	char *host;

	if (!path && firmware && firmware[0] == '/')
		path = firmware;
	if (!path && uefi)
		path = OVMF;
	if (!path)
		return;
	host = host_path("%s", path);
	if (access(host, R_OK))
		found(c->fs, BROKEN, "cfg-firmware", strcmp(path, OVMF)
		      ? "give the path of a firmware" : "install ovmf, or give bios_path_override",
		      "%s: %s is missing, and 'xl create' fails", key, path);
	else if (uefi)
		found(c->fs, ADVICE, "cfg-uefi", "put the boot loader where a firmware without settings looks, EFI/BOOT/BOOTX64.EFI",
		      "%s: UEFI works with Debian 13's ovmf (older ones were not tried), but its settings are lost when the guest ends",
		      key);
	free(host);
}

int xlcfg_check(struct findings *fs, const char *name, const char *text,
		size_t len, const struct xlcfg_host *host)
{
	char *report = NULL, line[512];
	size_t report_len;
	FILE *f = open_memstream(&report, &report_len);
	struct cfg c = { .fs = fs, .host = host };
	int ret = -ENOMEM;

	if (f)
		c.xlu = xlu_cfg_init(f, name);
	if (c.xlu)
		ret = xlread(c.xlu, text, len);
	if (!ret && check_type(&c)) {
		check_switches(&c);
		check_memory(&c);
		check_paths(&c);
		check_boot(&c);
		check_disks(&c);
		check_nics(&c);
		check_serial(&c);
		check_firmware(&c);
		cfgfacts_check(fs, c.xlu, host);
	}
	if (f)
		fclose(f);
	if (ret) {
		char *nl = report ? strchr(report, '\n') : NULL;

		if (nl)
			*nl = '\0';
		found(fs, BROKEN, "cfg-syntax", "see xl.cfg(5)", "%s is not understood by xl%s%s", name, report && *report ? ": " : "",
		      report ? clean(line, sizeof(line), report) : "");
		ret = -EINVAL;
	}
	if (c.xlu)
		xlu_cfg_destroy(c.xlu);
	free(report);
	return ret;
}
