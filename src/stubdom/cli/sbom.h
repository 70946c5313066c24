/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bill of materials of an image, in SPDX 2.3, from its manifest. */
#ifndef XE_SBOM_H
#define XE_SBOM_H

#include <json-c/json.h>
#include <time.h>

#include "image/manifest.h"

/*
 * Pure but for @license, which gives a package's SPDX expression, to free(), or
 * NULL.  The same manifest, time and licences give the same document.
 *
 * @distro: what a package URL calls this one: "debian"
 */
json_object *sbom_make(const struct manifest *m, time_t created, const char *distro,
		       char *(*license)(const struct manifest_package *p));

#endif
