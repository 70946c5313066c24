/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done about one device outside of QEMU: its nodes, and what QEMU will need for it. */
#ifndef XE_VD_DEVICE_H
#define XE_VD_DEVICE_H

#include <stdbool.h>

#include "guest.h"

/* Close it, and say why: in its nodes and in the log. */
void dev_fail(struct guest *g, struct dev *d, const char *why);
/* State 6: no backend has it. */
void dev_close(struct guest *g, struct dev *d);
/*
 * 0: what QEMU will need is made, or is there: d->found.  -EINPROGRESS: the guest will be looked
 * at again.  Else the device has failed.
 */
int dev_prepare(struct guest *g, struct dev *d);
/* Find out what devices are made of that QEMU had before we knew of it. */
void devs_learn(struct guest *g);
/* What was made for it alone; QEMU, if it runs, has closed it. */
void dev_release(struct guest *g, struct dev *d);

#endif
