/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The installed Xens: libxl looks its stubdomain image up in a directory that
 * is compiled into it, the one its hvmloader lies in.
 */
#ifndef XE_XENDIRS_H
#define XE_XENDIRS_H

#include <stddef.h>

struct xen_dir {
	char *path;		/* without --root */
	char *version;		/* "4.20" */
};

/*
 * All of them, in the order of the table in xendirs.c; two names of one
 * directory count once.  xendirs_free() in any case.
 */
int xendirs_find(struct xen_dir **dirs, size_t *n);
void xendirs_free(struct xen_dir *dirs, size_t n);

/* The version in @path where @pattern has its "*", or NULL: pure. */
char *xendirs_match(const char *pattern, const char *path);

/* The Xen that runs, "4.20", from sysfs; NULL when none does.  To free(). */
char *xen_running(void);

#endif
