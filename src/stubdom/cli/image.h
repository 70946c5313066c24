/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An image: planned from what is installed, then built. */
#ifndef XE_IMAGE_H
#define XE_IMAGE_H

#include <stdbool.h>

#include "base/error.h"
#include "image/manifest.h"
#include "plan.h"

struct image_opts {
	const char *xen;	/* NULL: the one QEMU was built for */
	const char *kernel, *qemu, *init;	/* NULL: the installed ones */
	const char *module;	/* directory of the dracut module; NULL: installed */
	const char *output;	/* NULL: a generation in the state directory */
	bool debug, if_needed, force;
};

struct image {
	struct plan plan;
	struct manifest m;	/* all but the outputs once it is planned */
};

/*
 * Find and hash all inputs.  Each that is missing or does not fit is an error.
 * image_free() in any case.
 */
int image_plan(struct image *img, const struct image_opts *o, struct error **err);
void image_free(struct image *img);

/*
 * Build the image, or find that it is there (if_needed).  On any failure the
 * image in place stays and nothing else is left.
 */
int image_build(const struct image_opts *o, struct error **err);

/*
 * The installed device model: Xen version and QEMU version, from the lines
 * beside it.  To free(), also after an error.
 */
int image_qemu_info(const char *qemu, char **xen, char **version, struct error **err);

/* "6.12.107" out of a bzImage; -EINVAL when it is none. */
int bzimage_version(const void *buf, size_t len, char *out, size_t max);

#endif
