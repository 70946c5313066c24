/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ask a program of the host (dpkg-query, apt-cache). */
#ifndef XE_PROCESS_H
#define XE_PROCESS_H

#include <stddef.h>

/*
 * Run @argv, found by PATH, with no input; what it says to stderr is dropped.
 *
 * @out: its output as text, at most @max bytes of it, to free(); NULL: dropped
 *
 * Its exit status; -ENOENT when it cannot be run, -EFBIG for too much output,
 * another negative errno when it was killed or could not be started.
 */
int command_run(const char *const *argv, size_t max, char **out);

#endif
