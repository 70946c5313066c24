/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What reading, keeping and writing entries share; see repack.h. */
#ifndef XE_REPACK_ENTRIES_H
#define XE_REPACK_ENTRIES_H

#include "repack.h"

/* "a/b" out of "./a//b/", to free(); NULL when it would leave the archive. */
char *repack_path(const char *path);
/* A new entry; takes @path.  Pointers to others may not be valid any more. */
struct repack_entry *repack_add(struct repack *r, char *path, mode_t mode);
void repack_sort(struct repack *r);
/* NULL: not found.  Sorts. */
struct repack_entry *repack_find(struct repack *r, const char *path);

#endif
