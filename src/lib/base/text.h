/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Small texts that more than one program reads; pure. */
#ifndef XE_BASE_TEXT_H
#define XE_BASE_TEXT_H

#include <stddef.h>

/*
 * The value of the line "KEY VALUE" in @text (STUBDOM_QEMU_INFO, STUBDOM_IMAGE_INFO):
 * 0, -ENOENT or -E2BIG when it does not fit.
 */
int info_get(const char *text, const char *key, char *out, size_t size);

#endif
