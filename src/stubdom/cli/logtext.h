/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Text of a stubdomain's console for a terminal: lines and tabs stay, carriage
 * returns go, escape sequences and all else become '?'.
 */
#ifndef XE_LOGTEXT_H
#define XE_LOGTEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Longer lines are broken, so that no line is without an end. */
#define LOGTEXT_LINE_MAX 1000

struct logtext {
	size_t column;
};

/* At most what @n bytes of input become. */
#define LOGTEXT_OUT(n) (2 * (n))

/* Returns the length of @out, which has room for LOGTEXT_OUT(len). */
size_t logtext_clean(struct logtext *t, const char *in, size_t len, char *out);

#endif
