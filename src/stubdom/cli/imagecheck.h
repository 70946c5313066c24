/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Are the images registered, intact and made of what is installed? */
#ifndef XE_IMAGECHECK_H
#define XE_IMAGECHECK_H

#include "cli/findings.h"
#include "xlcfg.h"

/* Those of the Xen that runs; @running is NULL: of each that is installed. */
void imagecheck(struct findings *fs, const char *running, struct xlcfg_host *host);

#endif
