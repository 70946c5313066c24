/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XE_SAVES_H
#define XE_SAVES_H

#include "stub.h"

/*
 * While its guest is suspended: put the device state in place for libxl when the
 * stubdomain says that all of it was sent (savefile.h), and answer.
 */
void saves_take(const struct host *h, struct stub *s);

#endif
