/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XE_ROOT_H
#define XE_ROOT_H

/* What stands before every path; tests put a directory of their own here. */
extern const char *host_root;

#endif
