/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The licence of a Debian package as an SPDX licence expression. */
#ifndef XE_LICENSE_H
#define XE_LICENSE_H

/*
 * Pure: the licence of the paragraph "Files: *" of a machine-readable
 * debian/copyright, to free(); NULL when it is not there, or the file
 * is of another form.  A licence that SPDX has no name for becomes
 * "LicenseRef-<its name>".
 */
char *license_of_copyright(const char *text);
/* Pure: the same for one value of a field License ("GPL-2+ or Artistic"). */
char *license_expression(const char *dep5);

#endif
