/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files, where the system's own calls leave something to do. */
#ifndef XE_FILE_H
#define XE_FILE_H

#include <stddef.h>

/*
 * Read a whole file into a NUL-terminated buffer, to free(), at most @max bytes of
 * it: -EFBIG for more, -ENOMEM, or what open(2) and read(2) say.  @len may be NULL.
 */
int file_read(const char *path, size_t max, char **out, size_t *len);

/* All of it, however many write() calls that takes.  0, or negative errno. */
int write_all(int fd, const void *data, size_t len);

#endif
