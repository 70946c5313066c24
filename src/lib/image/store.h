/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where images are kept (src/include/stubdom.h): one directory per Xen
 * version, one per generation of the image in it, and `current`, a symlink
 * that is replaced by rename: whoever opens current/kernel finds the old image
 * or the new one, never a part of one.
 *
 * The lock is on the state directory itself, so there is no lock file to leave.
 *
 * An image that a package brings lies in STUBDOM_PREBUILT_DIR instead, and comes
 * first.
 */
#ifndef XE_STORE_H
#define XE_STORE_H

#include "base/error.h"
#include "manifest.h"

struct store {
	char *state;		/* <root>/var/lib/xen-stubdom */
	char *dir;		/* <state>/<xen version>; NULL: the whole */
	int lock;
};

/* Make what is missing and lock it, waiting for another one who has it. */
int store_open(struct store *s, const char *xen, struct error **err);
/* Unlock; directories that are empty go away. */
void store_close(struct store *s);

/* A new directory to build in; the path is to free(). */
int store_new(struct store *s, char **tmp, struct error **err);
/* Make @tmp, which holds all of an image, generation @key and current. */
int store_commit(struct store *s, const char *tmp, const char *key, struct error **err);

/*
 * The manifest of the current image of @xen, without a lock; -ENOENT when it is
 * not found.  manifest_free() in any case.
 */
int store_manifest(const char *xen, struct manifest *m, struct error **err);
/* Kernel and rootfs as the manifest says: 0, -ENOENT, -EBADMSG. */
int store_verify(const char *xen, const struct manifest *m);

/* The Xen versions that have an image, sorted; *@v and each of it to free(). */
int store_versions(char ***v, size_t *n);
/* Remove the images of @xen that were built here. */
int store_remove(struct store *s, const char *xen, struct error **err);

/* Write a manifest into a directory and make it durable. */
int store_write_manifest(const char *dir, const struct manifest *m, struct error **err);
/* Another manifest for the current image, in one step. */
int store_replace_manifest(struct store *s, const struct manifest *m, struct error **err);

/* A package brings the image of @xen whole; nothing is built for it here. */
bool store_is_prebuilt(const char *xen);
/* The directory of the image that @xen's names lead to, without --root; to free(). */
char *store_place(const char *xen);

#endif
