/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XE_XEN_VERSION_H
#define XE_XEN_VERSION_H

/*
 * The version of the Xen that runs, as its guests' kernels show it below @sys
 * ("/sys" but in tests).  -ENOENT or another negative errno when Xen does not run.
 */
int xen_version(const char *sys, unsigned int *major, unsigned int *minor);

#endif
