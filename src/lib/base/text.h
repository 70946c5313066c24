/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small texts of lines "KEY VALUE": an image's info file, a manifest.  Pure. */
#ifndef XE_TEXT_H
#define XE_TEXT_H

#include <stddef.h>

/*
 * The value of the first line of @key, without the blanks around it: *@len bytes
 * inside @text.  NULL when there is no such line.
 */
const char *text_find(const char *text, const char *key, size_t *len);

/* The same as a string.  -ENOENT when there is no such key, -E2BIG when it does not fit. */
int text_value(const char *text, const char *key, char *out, size_t size);

#endif
