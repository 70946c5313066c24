/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which package has what, and the command that installs it on this host. */
#ifndef XE_PACKAGES_H
#define XE_PACKAGES_H

/* @deb: Debian's name; what this host calls it. */
const char *package_name(const char *deb);
/* "run 'apt install NAME'", to free(). */
char *package_install(const char *deb);
/* The same for one that is installed but has a file missing or damaged. */
char *package_reinstall(const char *deb);

#endif
