/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XE_XLREAD_H
#define XE_XLREAD_H

#include <libxlutil.h>
#include <stddef.h>

/* Parse a guest's configuration, which may be anything.  -EFBIG, -EINVAL, or what libxlutil returns, negated. */
int xlread(XLU_Config *xlu, const char *text, size_t len);

#endif
