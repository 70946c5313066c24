/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two processes keep of root's rights: confine.h, and which system calls. */
#ifndef PV_RIGHTS_H
#define PV_RIGHTS_H

#include "daemon/confine.h"

/* @user: who to be.  0 or negative errno, and *@what failed. */
int rights_worker(const struct confine *user, const char **what);
int rights_serve(const struct confine *user, const char **what);

#endif
