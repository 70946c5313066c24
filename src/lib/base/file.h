/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A whole file as text. */
#ifndef XE_FILE_H
#define XE_FILE_H

#include <stddef.h>

/*
 * Read a whole file into a NUL-terminated buffer, to free(), at most @max bytes of
 * it: -EFBIG for more, -ENOMEM, or what open(2) and read(2) say.  @len may be NULL.
 */
int file_read(const char *path, size_t max, char **out, size_t *len);

#endif
