/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What goes into the ramdisk: every file, where it comes from on this machine
 * and where it lies inside.  Made before dracut runs; what dracut hands back
 * is held against it (repack.h), so nothing of the host gets in by accident.
 */
#ifndef XE_PLAN_H
#define XE_PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "image/manifest.h"

struct part {
	char *src;		/* path on this machine, without --root */
	char *dst;		/* path in the ramdisk, no leading slash */
	char *text;		/* not NULL: content we write; src is NULL */
	unsigned int mode;
	char sha[SHA256_HEX_LEN + 1];
	uint64_t size;
};

struct plan {
	struct part *part;
	size_t n;
	char *kernel;		/* where the parts of the image come from */
	char *qemu;
	char *init;
	char *qemu_xen;		/* ABI QEMU links ("4.20"), or NULL: none */
	bool debug;
};

/* Directories the ramdisk starts with; all else is made at run time. */
extern const char *const plan_dirs[];

/*
 * Find all parts; each that is missing is an error with the package that has
 * it.  @kernel, @qemu, @init are absolute paths without --root, or NULL for
 * the installed ones.
 */
int plan_make(struct plan *p, const char *kernel, const char *qemu,
	      const char *init, bool debug, struct error **err);
/* A file of our own making. */
void plan_add_text(struct plan *p, const char *dst, const char *text);
/* Hash each part that has none yet. */
int plan_hash(struct plan *p, struct error **err);
/* By destination: the order of the ramdisk. */
void plan_sort(struct plan *p);
void plan_free(struct plan *p);

#endif
