/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which package each input of an image is from, and what that was built of. */
#ifndef XE_ORIGIN_H
#define XE_ORIGIN_H

#include "image/manifest.h"

/*
 * Ask dpkg for the packages of @m's inputs and put them into it, sorted.  An
 * input that no package has (a developer's, or no dpkg here) has none then.
 */
void origin_find(struct manifest *m);

/* Is what @a and @b say about packages the same? */
bool origin_same(const struct manifest *a, const struct manifest *b);

/*
 * Pure: the output of "dpkg-query -S" ("NAME[:ARCH][, NAME...]: PATH" lines)
 * gives each input its owner; a path may have lost its "/usr" there.
 */
void origin_parse_owners(struct manifest *m, const char *text);
/*
 * Pure: lines "NAME VERSION ARCH SOURCE SOURCE-VERSION TAB BUILT-USING" make
 * the packages and what they are built of.
 */
void origin_parse_packages(struct manifest *m, const char *text);
/* Pure: the version of source @name in a field Built-Using, to free(), or NULL. */
char *built_using(const char *field, const char *name);

#endif
