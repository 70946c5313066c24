// SPDX-License-Identifier: GPL-2.0-or-later
#include "image.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "image/verify.h"

static void at_fault(struct image *out, enum image_state state, const char *path)
{
	out->state = state;
	snprintf(out->file, sizeof(out->file), "%s", path);
}

static void check_file(const char *path, bool is_kernel, const struct manifest *m,
		       const char *xen, struct image *out)
{
	int ret = manifest_verify(is_kernel ? &m->kernel : &m->rootfs, path);

	if (ret) {
		at_fault(out, ret == -EBADMSG ? IMAGE_DAMAGED : IMAGE_MISSING, path);
		return;
	}
	out->state = IMAGE_GOOD;
	/* QEMU, which is bound to one Xen and needs the memory, is in the rootfs. */
	if (is_kernel)
		return;
	out->need_mib = m->memory_min;
	snprintf(out->xen, sizeof(out->xen), "%s", m->xen);
	if (xen[0] && strcmp(xen, m->xen))
		out->state = IMAGE_OTHER_XEN;
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
		at_fault(out, IMAGE_MISSING, path);
		return;
	}
	snprintf(beside, sizeof(beside), "%.*s/manifest",
		 (int)(strrchr(real, '/') - real), real);
	if (!manifest_read(beside, &m, NULL))
		check_file(path, is_kernel, &m, xen, out);
	manifest_free(&m);
}

void image_check(const char *kernel, const char *rootfs, const char *xen,
		 struct image *out)
{
	memset(out, 0, sizeof(*out));
	check_one(kernel, true, xen, out);
	if (out->state == IMAGE_UNKNOWN || out->state == IMAGE_GOOD)
		check_one(rootfs, false, xen, out);
}
