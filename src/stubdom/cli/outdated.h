/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is the source our QEMU and kernel were built from the newest of this release? */
#ifndef XE_OUTDATED_H
#define XE_OUTDATED_H

#include "cli/findings.h"
#include "image/manifest.h"

/*
 * Hold what the image of @m was built from against what dpkg has installed and
 * apt could install; nothing on a host without dpkg.
 */
void outdated_check(struct findings *fs, const struct manifest *m);

/* Pure: the candidate in the output of "apt-cache policy PACKAGE" without the
 * number of a rebuild ("+b1"); to free(), NULL when not found. */
char *apt_candidate(const char *policy);

#endif
