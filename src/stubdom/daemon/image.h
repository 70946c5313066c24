/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is the image that a stubdomain was started from what `xen-stubdom build` made? */
#ifndef XE_IMAGE_H
#define XE_IMAGE_H

#include <limits.h>

enum image_state {
	IMAGE_UNKNOWN,		/* not looked at, or no valid manifest beside it */
	IMAGE_GOOD,
	IMAGE_MISSING,		/* a file is not there or cannot be read */
	IMAGE_DAMAGED,		/* a file is not what the manifest says */
	IMAGE_OTHER_XEN,	/* built for another Xen than the one that runs */
};

struct image {
	enum image_state state;
	char file[PATH_MAX];	/* MISSING, DAMAGED: which one */
	char xen[16];		/* what it was built for */
	unsigned int need_mib;	/* memory-min; 0 is not known */
};

/*
 * @kernel, @rootfs: as libxl was given them; symlinks are followed, and a
 *	manifest stands beside the files that they lead to
 * @xen: the version that runs, "4.20", or ""
 *
 * Reads the files whole: up to a second of work on a slow host.
 */
void image_check(const char *kernel, const char *rootfs, const char *xen,
		 struct image *out);

#endif
