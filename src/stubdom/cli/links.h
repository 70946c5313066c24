/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The two names libxl looks up in a Xen's firmware directory, as links to the
 * current image of that version.
 *
 * A package may own them (xen-stubdom-linux-<V> does): then they are right
 * already.  Links made here are written down in <state dir>/links, and only
 * those are ever changed or removed.
 */
#ifndef XE_LINKS_H
#define XE_LINKS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct links {
	char **path;		/* absolute, without --root, sorted */
	size_t n;
	bool changed;
};

/* What was written down; nothing when that file is not there. */
int links_load(struct links *l, struct error **err);
/* Write it back if it changed; no file when it is empty. */
int links_save(struct links *l, struct error **err);
void links_free(struct links *l);

/*
 * Make both names in @dir point to the current image of @xen.
 * -EEXIST when one of them is somebody else's; it stays and is named.
 */
int links_make(struct links *l, const char *dir, const char *xen, struct error **err);
/* Remove those of ours that point to the image of @xen; NULL: all. */
int links_remove(struct links *l, const char *xen, struct error **err);
/*
 * Remove those of ours whose directory is not among @dirs: the Xen is gone.
 * Directories left empty by that go too.
 */
int links_prune(struct links *l, const char *const *dirs, size_t n, struct error **err);

#endif
