/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Nodes of devices and guests that are gone, where it is this domain's to remove them. */
#ifndef XE_VD_REMAINS_H
#define XE_VD_REMAINS_H

#include "guest.h"

/* After each look at a guest. */
void remains_remove(struct guest *g);

#endif
