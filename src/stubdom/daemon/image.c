// SPDX-License-Identifier: GPL-2.0-or-later
#include "image.h"

#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/sha256file.h"

/* Nobody's ramdisk is longer; a file put in its place must not keep us busy. */
#define FILE_MAX (1ull << 30)
/* It names each input of the image on a line; what is read of it stands there too. */
#define MANIFEST_MAX (1u << 20)

struct output {
	char sha[SHA256_HEX_LEN + 1];
	uint64_t size;
};

/* The four facts used here; src/lib/image/manifest.h tells all of them. */
struct manifest {
	char xen[16];
	unsigned int need_mib;
	struct output kernel, rootfs;
};

static void parse_line(const char *line, struct manifest *m)
{
	struct output o;
	char what[8];

	if (sscanf(line, "output %7s %64[0-9a-f] %" SCNu64, what, o.sha, &o.size) == 3) {
		if (!strcmp(what, "kernel"))
			m->kernel = o;
		else if (!strcmp(what, "rootfs"))
			m->rootfs = o;
	} else if (sscanf(line, "memory-min %5u", &m->need_mib) != 1) {
		sscanf(line, "xen %15[0-9.]", m->xen);
	}
}

static int read_manifest(const char *path, struct manifest *m)
{
	FILE *f = fopen(path, "re");
	size_t total = 0;
	char line[512];

	memset(m, 0, sizeof(*m));
	if (!f)
		return -errno;
	while (total < MANIFEST_MAX && fgets(line, sizeof(line), f)) {
		total += strlen(line);
		parse_line(line, m);
	}
	fclose(f);
	return m->kernel.size && m->rootfs.size ? 0 : -EPROTO;
}

/* False, and what is wrong in @out, when @path is not as the manifest says. */
static bool same(const char *path, const struct output *want, struct image *out)
{
	char hex[SHA256_HEX_LEN + 1];
	uint64_t size;
	int ret = sha256_file(path, FILE_MAX, hex, &size);

	if (!ret && size == want->size && !strcmp(hex, want->sha))
		return true;
	out->state = ret && ret != -EFBIG ? IMAGE_MISSING : IMAGE_DAMAGED;
	snprintf(out->file, sizeof(out->file), "%s", path);
	return false;
}

/*
 * One of the two files, against the manifest beside the file that the links
 * lead to: the guest's configuration may name an image of its own for each.
 */
static void check_one(const char *path, bool is_kernel, const char *xen,
		      struct image *out)
{
	char real[PATH_MAX], beside[PATH_MAX + 16];
	struct manifest m;

	if (!realpath(path, real) || access(real, R_OK)) {
		out->state = IMAGE_MISSING;
		snprintf(out->file, sizeof(out->file), "%s", path);
		return;
	}
	snprintf(beside, sizeof(beside), "%.*s/manifest",
		 (int)(strrchr(real, '/') - real), real);
	if (read_manifest(beside, &m))
		return;
	if (!same(path, is_kernel ? &m.kernel : &m.rootfs, out))
		return;
	out->state = IMAGE_GOOD;
	/* QEMU, which is bound to one Xen and needs the memory, is in the rootfs. */
	if (is_kernel)
		return;
	out->need_mib = m.need_mib;
	snprintf(out->xen, sizeof(out->xen), "%s", m.xen);
	if (xen[0] && m.xen[0] && strcmp(xen, m.xen))
		out->state = IMAGE_OTHER_XEN;
}

void image_check(const char *kernel, const char *rootfs, const char *xen,
		 struct image *out)
{
	memset(out, 0, sizeof(*out));
	check_one(kernel, true, xen, out);
	if (out->state == IMAGE_UNKNOWN || out->state == IMAGE_GOOD)
		check_one(rootfs, false, xen, out);
}
