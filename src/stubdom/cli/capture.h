/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Ask a function that logs what is wrong, and keep its first error as text
 * instead of printing it: `status` and `check` put it in a line of their own.
 */
#ifndef XE_CAPTURE_H
#define XE_CAPTURE_H

#include "image.h"

#define CAPTURE_MAX 1024

void capture_begin(void);
/* Log as before; the first error or warning since, or "". */
const char *capture_end(void);

enum image_fit {
	FIT_UNKNOWN,		/* it cannot be told */
	FIT_CURRENT,		/* made of what is installed now */
	FIT_OUTDATED,		/* not so */
	FIT_KEPT,		/* of a Xen for which no device model is installed */
	FIT_PREBUILT,		/* a package's, and no file in it is here in another version */
	FIT_PREBUILT_OLD,	/* a package's; some are */
};

/*
 * How the image of @m->xen stands to what is installed now.
 *
 * @why: UNKNOWN: what is wrong; KEPT: the Xen version of the device model;
 *	PREBUILT_OLD: the packages that differ; else "" (CAPTURE_MAX bytes)
 */
enum image_fit image_fits(const struct manifest *m, char *why);

#endif
