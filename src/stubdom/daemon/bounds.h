/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The files that a stubdomain makes longer as it likes.
 *
 * dom0's QEMU writes what comes from a stubdomain's consoles to files that libxl named: console 0
 * to a log, console 1 to qemu-save.N, and console 2 of a guest that was restored to qemu-resume.N,
 * which it opens for both directions.  What it says itself, about frontends of the stubdomain's,
 * goes to a log of its own (XSA-180 was that).  Nobody bounds any of them.
 *
 * It has these files open at offsets of its own, so they cannot be replaced or made shorter.
 * What is too much becomes a hole instead: it takes no space, and the size stays.  A second
 * passes between two looks, so a file may for a moment be longer by what one second brings.
 */
#ifndef XE_BOUNDS_H
#define XE_BOUNDS_H

#include <stdbool.h>
#include <stdint.h>

#include "stub.h"

/* For track.c: how often to look. */
#define BOUNDS_LOOK_MS 1000

/* How much of a log there may be, in MiB. */
#define BOUNDS_LOG_MIB 16
#define BOUNDS_LOG_MIB_MIN 1
#define BOUNDS_LOG_MIB_MAX 4096

/*
 * Pure: is a log of @size bytes that takes @used too much for @max?  Then bytes @from to @to
 * are to go: an eighth of @max at its beginning stays, where it says how it started, and a half
 * at its end.
 */
bool bounds_cut_log(uint64_t max, uint64_t size, uint64_t used, uint64_t *from, uint64_t *to);

/* Pure: the name of the log in what libxl says of console 0, if that is one of Xen's logs. */
const char *bounds_log_name(const char *output);

void bounds_look(const struct host *h, struct stub *s);

#endif
