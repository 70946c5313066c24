/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Is what a device is to be made of there? */
#ifndef XE_VD_PROBE_H
#define XE_VD_PROBE_H

#include <stdbool.h>

#include "spec.h"

/*
 * 0 and what was @found; or negative errno and @error (VD_ERROR_MAX bytes), with
 * the cure.  @access: may this process open it as the backend has to?
 */
int vd_probe(const struct vd_spec *s, bool access, struct vd_found *found, char *error);

#endif
