/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The unit of a guest's backend: started, stopped, and what its state means for the guest. */
#ifndef XE_VD_GUEST_UNIT_H
#define XE_VD_GUEST_UNIT_H

#include "guest.h"

/* Learn its state; with another one, all that was known of its QEMU is over. */
void unit_observe(struct guest *g);
/* Its devices are prepared. */
void unit_start(struct guest *g);
void unit_stop(struct guest *g);

#endif
