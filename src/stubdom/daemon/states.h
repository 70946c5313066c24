/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stubdomain's state disk: transfer.h decides, this does. */
#ifndef XE_STATES_H
#define XE_STATES_H

#include "stub.h"

/* The stubdomain was found: remove what an earlier daemon left, and say that this one is there. */
void states_welcome(const struct host *h, struct stub *s);
/* Look at it; @room: another transfer may begin. */
void states_look(const struct host *h, struct stub *s, bool room);
/* It is known no more: nothing of it goes on. */
void states_forget(const struct host *h, struct stub *s);

/* A transfer is under way, and has a helper. */
bool states_is_busy(const struct stub *s);
/* It waits for one, and cannot wait long: its guest is suspended. */
bool states_wants(const struct stub *s);
/* It would have to give way to one whose guest is suspended. */
bool states_is_early(const struct stub *s);

#endif
