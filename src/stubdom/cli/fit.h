/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How an image stands to what is installed now. */
#ifndef XE_FIT_H
#define XE_FIT_H

#include "image.h"

enum image_fit {
	FIT_UNKNOWN,		/* a new one cannot even be planned */
	FIT_CURRENT,		/* made of what is installed now */
	FIT_OUTDATED,		/* not so */
	FIT_KEPT,		/* of a Xen for which no device model is installed */
	FIT_PREBUILT,		/* a package's, and no file in it is here in another version */
	FIT_PREBUILT_OLD,	/* a package's; some are */
};

/*
 * @detail: KEPT: the Xen version of the device model; PREBUILT_OLD: the packages
 *	that differ; to free(); else NULL
 * @err: UNKNOWN: why
 */
enum image_fit image_fits(const struct manifest *m, char **detail, struct error **err);

#endif
