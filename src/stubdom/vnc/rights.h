/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef VNC_RIGHTS_H
#define VNC_RIGHTS_H

#include <sys/types.h>

/* What is kept of root's rights: confine.h, and which system calls.  0 or negative errno, and *@what failed. */
int rights_give_up(uid_t uid, gid_t gid, const char **what);

#endif
