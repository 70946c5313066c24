/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU's key=value options.  Both return text to free(), or NULL: out of memory. */
#ifndef XE_VD_OPTION_H
#define XE_VD_OPTION_H

char *opt_fmt(const char *f, ...) __attribute__((format(printf, 1, 2)));
/* A value ends at a comma; two of them are one. */
char *opt_escape(const char *text);

#endif
