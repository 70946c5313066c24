/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One look at a guest: what is so now, what is to be done (decide.h), and doing it. */
#ifndef XE_VD_LOOK_H
#define XE_VD_LOOK_H

#include "guest.h"

void guest_look(struct guest *g);
/* Is it there for xenstored? */
bool guest_is_alive(struct guest *g);
/* Nothing is left of it, and it can be forgotten. */
bool guest_over(const struct guest *g);

#endif
