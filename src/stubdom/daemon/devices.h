/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is done about a living stubdomain's devices, with a log line for each change;
 * what could not be done is tried again, at s->due.
 */
#ifndef XE_DEVICES_H
#define XE_DEVICES_H

#include "stub.h"

/* consoles.h and drives.h say what is wrong with them. */
void devices_fix_consoles(const struct host *h, struct stub *s);
void devices_fix_drives(const struct host *h, struct stub *s);
/* What the administrator detached from the guest goes from its stubdomain too. */
void devices_take_vifs(const struct host *h, struct stub *s);

#endif
