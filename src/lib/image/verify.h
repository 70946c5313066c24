/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The manifest of an image on disk, and whether the image is what it says. */
#ifndef XE_VERIFY_H
#define XE_VERIFY_H

#include "manifest.h"

/*
 * As manifest_parse(), of a file; or what file_read() says.
 * manifest_free() in any case.
 */
int manifest_read(const char *path, struct manifest *m, unsigned int *line);

/*
 * Is the file what its manifest says?  0; -EBADMSG when it is not; or what
 * sha256_file() says when it cannot be read.
 */
int manifest_verify(const struct manifest_output *out, const char *path);

#endif
