/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XE_HOSTCHECK_H
#define XE_HOSTCHECK_H

#include "cli/findings.h"
#include "xlcfg.h"

/* Everything about this host; @host: what a guest's config is held against. */
void hostcheck(struct findings *fs, struct xlcfg_host *host);

#endif
