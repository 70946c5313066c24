/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a guest's backend may open: the rules of its devices, as systemd is told of them. */
#ifndef XE_VD_ACCESS_H
#define XE_VD_ACCESS_H

#include "guest.h"

/* Write the rules of all devices for the next start of the unit.  Negative errno. */
int access_write(struct guest *g);
/*
 * 0: the running backend may open @d, which is prepared.  -EINPROGRESS: not yet; the
 * guest will be looked at again.  Else the device has failed.
 */
int access_grant(struct guest *g, struct dev *d);
/* Take back what was for removed devices (g->revoke): they may become another guest's. */
void access_withdraw(struct guest *g);

#endif
