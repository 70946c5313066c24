/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files, where the system's own calls leave something to do. */
#ifndef XE_FS_H
#define XE_FS_H

#include <stddef.h>

/* All of it, however many write() calls that takes.  0, or negative errno. */
int write_all(int fd, const void *data, size_t len);

#endif
