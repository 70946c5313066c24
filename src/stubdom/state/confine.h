/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CONFINE_H
#define CONFINE_H

#include <stdint.h>
#include <sys/types.h>

/*
 * Give up everything that serving a ring does not need: user and groups, new
 * privileges, limits, system calls.  @max_file: no file grows beyond.  What is open
 * stays.  0, or negative errno with *@what.
 */
int confine(uid_t uid, gid_t gid, uint64_t max_file, const char **what);

#endif
