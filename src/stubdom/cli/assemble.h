/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a plan to the files of an image. */
#ifndef XE_ASSEMBLE_H
#define XE_ASSEMBLE_H

#include "image.h"

/*
 * Put kernel, rootfs and manifest of the planned @img into @dir, which is empty.
 * -EINTR, without an error, after a signal; what is in @dir after a failure is the caller's to remove.
 */
int assemble(struct image *img, const struct image_opts *o, const char *dir, struct error **err);

#endif
