// SPDX-License-Identifier: GPL-2.0-or-later
#include "plan.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"
#include "cli.h"
#include "cli/packages.h"
#include "elfdyn.h"

/* QEMU's closure is about 20 libraries; many more means a wrong file. */
#define PARTS_MAX 1024

const char *const plan_dirs[] = {
	"dev", "etc", "proc", "run", "sys", "tmp", "var", NULL
};

/*
 * Where the loader looks with neither a cache nor ld.so.conf, which the ramdisk
 * has not: Debian's multiarch directories, then Fedora's.
 */
static const char *const lib_dirs[] = {
	"/usr/lib/x86_64-linux-gnu", "/lib/x86_64-linux-gnu",
	"/usr/lib64", "/lib64", "/usr/lib", "/lib", NULL
};

/*
 * Option ROMs: QEMU refuses to create a device whose ROM is missing, so each
 * device xl can ask for has its own here.  hvmloader, SeaBIOS and OVMF are
 * loaded from dom0 by libxl, not from the ramdisk.
 */
struct rom {
	const char *name, *package;
	const char *dirs[4];
};

#define IPXE_DIRS { "/usr/lib/ipxe/qemu", "/usr/share/ipxe/qemu", "/usr/share/qemu" }
#define VGA_DIRS { "/usr/share/seabios", "/usr/share/seavgabios", "/usr/share/qemu" }

static const struct rom roms[] = {
	{ "vgabios-stdvga.bin", "seabios", VGA_DIRS },
	{ "vgabios-cirrus.bin", "seabios", VGA_DIRS },
	{ "efi-e1000.rom", "ipxe-qemu", IPXE_DIRS },
	{ "efi-rtl8139.rom", "ipxe-qemu", IPXE_DIRS },
	{ "efi-virtio.rom", "ipxe-qemu", IPXE_DIRS },
};

/* QEMU's compiled-in data directory (--prefix=/usr). */
#define ROM_DIR "usr/share/qemu"

static struct part *add_part(struct plan *p, const char *dst)
{
	struct part *part;

	p->part = xgrow(p->part, p->n, sizeof(*part));
	part = &p->part[p->n++];
	memset(part, 0, sizeof(*part));
	part->dst = xstrdup(dst + strspn(dst, "/"));
	part->mode = 0644;
	return part;
}

static struct part *add_file(struct plan *p, const char *src, const char *dst)
{
	struct part *part = add_part(p, dst);

	part->src = xstrdup(src);
	return part;
}

static bool have_dst(const struct plan *p, const char *dst)
{
	dst += strspn(dst, "/");
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->part[i].dst, dst))
			return true;
	return false;
}

static bool readable(const char *path)
{
	char *host = host_path("%s", path);
	struct stat st;
	bool ok = !stat(host, &st) && S_ISREG(st.st_mode) &&
		  !access(host, R_OK);

	free(host);
	return ok;
}

static int missing(const char *path, const char *package, struct error **err)
{
	char *fix = package_reinstall(package);

	error_add(err, -ENOENT, fix, "%s of package %s is missing", path,
		  package_name(package));
	free(fix);
	return -ENOENT;
}

void plan_add_text(struct plan *p, const char *dst, const char *text)
{
	add_part(p, dst)->text = xstrdup(text);
}

/* Map a file and read its dynamic section; munmap() when it returned 0. */
static int map_elf(const char *path, struct elf_dyn *dyn, void **map, size_t *len)
{
	char *host = host_path("%s", path);
	int fd = open(host, O_RDONLY | O_CLOEXEC);
	int ret = fd < 0 ? -errno : 0;
	struct stat st;

	free(host);
	if (ret)
		return ret;
	if (fstat(fd, &st))
		ret = -errno;
	else if (!S_ISREG(st.st_mode) || st.st_size <= 0 ||
		 (uint64_t)st.st_size > FILE_MAX_BYTES)
		ret = -ENOEXEC;
	if (!ret) {
		*len = (size_t)st.st_size;
		*map = mmap(NULL, *len, PROT_READ, MAP_PRIVATE, fd, 0);
		if (*map == MAP_FAILED)
			ret = -errno;
	}
	close(fd);
	if (ret)
		return ret;
	ret = elf_dyn_parse(*map, *len, dyn);
	if (ret)
		munmap(*map, *len);
	return ret;
}

static bool machine_matches(const char *path, uint16_t machine)
{
	struct elf_dyn *dyn = xcalloc(1, sizeof(*dyn));
	void *map;
	size_t len;
	bool ok = false;

	if (!map_elf(path, dyn, &map, &len)) {
		ok = dyn->machine == machine;
		munmap(map, len);
	}
	free(dyn);
	return ok;
}

/* As ld.so does it: the first one of the right machine. */
static char *find_library(const char *name, uint16_t machine)
{
	if (strchr(name, '/'))
		return NULL;
	for (const char *const *dir = lib_dirs; *dir; dir++) {
		char *path = xasprintf("%s/%s", *dir, name);

		if (readable(path) && machine_matches(path, machine))
			return path;
		free(path);
	}
	return NULL;
}

/* libxenctrl's soname is the version of the Xen it belongs to. */
static void note_xen_abi(struct plan *p, const char *lib)
{
	static const char stem[] = "libxenctrl.so.";

	if (!p->qemu_xen && !strncmp(lib, stem, sizeof(stem) - 1))
		p->qemu_xen = xstrdup(lib + sizeof(stem) - 1);
}

static int add_library(struct plan *p, const char *name, uint16_t machine,
		       const char *user, struct error **err)
{
	char *path, *fix;

	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(basename(p->part[i].dst), name))
			return 0;
	if (p->n >= PARTS_MAX)
		return error_add(err, -E2BIG, NULL, "%s needs more than %d libraries",
				 p->qemu, PARTS_MAX);
	path = find_library(name, machine);
	if (!path) {
		fix = xasprintf("install the package that has it (reinstalling the one of %s brings it)", user);
		error_add(err, -ENOENT, fix, "library %s, which %s needs, is missing in %s",
			  name, user, lib_dirs[0]);
		free(fix);
		return -ENOENT;
	}
	add_file(p, path, path);
	free(path);
	return 0;
}

/* The libraries of one part, which may add more parts behind it. */
static int add_needs(struct plan *p, size_t i, struct error **err)
{
	struct elf_dyn *dyn = xcalloc(1, sizeof(*dyn));
	const char *src = p->part[i].src;
	void *map;
	size_t len;
	int ret = map_elf(src, dyn, &map, &len);

	if (ret) {
		free(dyn);
		if (ret == -ENOEXEC)	/* a ROM */
			return 0;
		return error_add(err, ret, NULL, "%s: not a valid program or library: %s", src,
				 strerror(-ret));
	}
	if (dyn->interp && !have_dst(p, dyn->interp)) {
		if (readable(dyn->interp))
			add_file(p, dyn->interp, dyn->interp)->mode = 0755;
		else
			ret = missing(dyn->interp, "libc6", err);
		src = p->part[i].src;
	}
	for (unsigned int k = 0; !ret && k < dyn->count; k++) {
		if (!i)
			note_xen_abi(p, dyn->needed[k]);
		ret = add_library(p, dyn->needed[k], dyn->machine, src, err);
	}
	munmap(map, len);
	free(dyn);
	return ret;
}

static int add_rom(struct plan *p, const struct rom *rom, struct error **err)
{
	char *path = NULL, *dst;

	for (unsigned int i = 0; rom->dirs[i]; i++) {
		free(path);
		path = xasprintf("%s/%s", rom->dirs[i], rom->name);
		if (!readable(path))
			continue;
		dst = xasprintf(ROM_DIR "/%s", rom->name);
		add_file(p, path, dst);
		free(dst);
		free(path);
		return 0;
	}
	free(path);
	/* Its place differs between releases. */
	return missing(rom->name, rom->package, err);
}

static int add_program(struct plan *p, const char *src, const char *dst,
		       const char *package, struct error **err)
{
	if (!readable(src))
		return missing(src, package, err);
	add_file(p, src, dst)->mode = 0755;
	return 0;
}

static int add_debug(struct plan *p, struct error **err)
{
	static const char *const where[] = {
		"/usr/bin/busybox", "/bin/busybox", "/usr/sbin/busybox",
		"/sbin/busybox",
	};

	for (size_t i = 0; i < sizeof(where) / sizeof(where[0]); i++)
		if (readable(where[i]))
			return add_program(p, where[i], "bin/busybox", "busybox", err);
	return missing(where[0], "busybox", err);
}

int plan_make(struct plan *p, const char *kernel, const char *qemu,
	      const char *init, bool debug, struct error **err)
{
	int ret = 0, also;

	memset(p, 0, sizeof(*p));
	p->kernel = xstrdup(kernel ? kernel : STUBDOM_KERNEL);
	p->qemu = xstrdup(qemu ? qemu : STUBDOM_QEMU);
	p->init = xstrdup(init ? init : STUBDOM_INIT);
	p->debug = debug;

	/* Go on after an error: name all that is missing at once. */
	if (!readable(p->kernel))
		ret = missing(p->kernel, "xen-stubdom-kernel", err);
	also = add_program(p, p->qemu, STUBDOM_QEMU, "qemu-xen-extras", err);
	ret = ret ? ret : also;
	also = add_program(p, p->init, "init", "xen-stubdom-utils", err);
	ret = ret ? ret : also;
	for (size_t i = 0; i < sizeof(roms) / sizeof(roms[0]); i++) {
		also = add_rom(p, &roms[i], err);
		ret = ret ? ret : also;
	}
	if (debug) {
		also = add_debug(p, err);
		ret = ret ? ret : also;
	}
	if (ret)
		return ret;
	for (size_t i = 0; !ret && i < p->n; i++)
		ret = add_needs(p, i, err);
	/* glibc loads it by name when a thread ends (pthread_exit). */
	if (!ret)
		ret = add_library(p, "libgcc_s.so.1", EM_X86_64, p->qemu, err);
	return ret;
}

int plan_hash(struct plan *p, struct error **err)
{
	for (size_t i = 0; i < p->n; i++) {
		struct part *part = &p->part[i];
		int ret;

		if (*part->sha)
			continue;
		if (part->text) {
			part->size = strlen(part->text);
			ret = sha256_buf(part->text, part->size, part->sha);
		} else {
			char *host = host_path("%s", part->src);

			ret = sha256_file(host, FILE_MAX_BYTES, part->sha,
					  &part->size);
			free(host);
		}
		if (ret)
			return error_add(err, ret, NULL, "%s: cannot be read: %s",
					 part->src ? part->src : part->dst, strerror(-ret));
	}
	return 0;
}

static int by_dst(const void *a, const void *b)
{
	return strcmp(((const struct part *)a)->dst,
		      ((const struct part *)b)->dst);
}

void plan_sort(struct plan *p)
{
	qsort(p->part, p->n, sizeof(*p->part), by_dst);
}

void plan_free(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->part[i].src);
		free(p->part[i].dst);
		free(p->part[i].text);
	}
	free(p->part);
	free(p->kernel);
	free(p->qemu);
	free(p->init);
	free(p->qemu_xen);
	memset(p, 0, sizeof(*p));
}
