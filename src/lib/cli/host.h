/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the command line programs need of the host: paths below --root, memory
 * that is there or ends the program, small files.  No daemon uses it.
 */
#ifndef XE_HOST_H
#define XE_HOST_H

#include <stddef.h>

/* Exit codes: 0 done, 1 failed or something to fix, 2 wrong usage. */
#define EXIT_USAGE 2

/* --root DIR: must be absolute; "" is the real system. */
int host_set_root(const char *dir);
const char *host_root(void);
/* The same path below --root; to free().  Exits when out of memory. */
char *host_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* asprintf that exits when out of memory. */
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void *xcalloc(size_t n, size_t size);
/* Room for one more element: the array, grown by doubling. */
void *xgrow(void *array, size_t n, size_t size);
char *xstrdup(const char *s);

/* As file_read(), but exits when out of memory. */
int host_slurp(const char *path, size_t max, char **out, size_t *len);
/* Remove a directory and all below it, without following links. */
int host_rmtree(const char *path);
/* mkdir -p; 0 when it is there. */
int host_mkdirs(const char *path);
/* fsync a directory, so that names in it survive a crash. */
int host_sync_dir(const char *path);
/* Text as a JSON or terminal program may print it: see log_clean(). */
const char *clean(char *dst, size_t max, const char *src);

#endif
