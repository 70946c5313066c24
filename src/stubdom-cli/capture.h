/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ask a function that logs what is wrong, and keep its first error as text
 * instead of printing it: `status` and `check` put it in a line of their own.
 */
#ifndef XE_CAPTURE_H
#define XE_CAPTURE_H

#include "image.h"

#define CAPTURE_MAX 1024

/* The level of everything else; see log.h. */
void capture_set_level(int normal);

void capture_begin(void);
/* Log as before; the first error or warning since, or "". */
const char *capture_end(void);

/*
 * Is the current image of @m->xen made of what is installed now?  1 yes, 0 no,
 * negative: it cannot be told; @why then says it (CAPTURE_MAX bytes).
 */
int image_is_current(const struct manifest *m, char *why);

#endif
