/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef XE_TAP_H
#define XE_TAP_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Make the tap @name, as QEMU opens it (IFF_VNET_HDR), for a process of @owner
 * that has no power over the network; it stays when this one ends.  @multi_queue:
 * QEMU asks for that when it has more than one queue, and only then.  @mark: its alias
 * from the beginning, by which it is known for ours; NULL: none.  Negative errno.
 */
int tap_make(const char *name, uid_t owner, bool multi_queue, const char *mark);
/* A queue of that tap, for its owner: an open file, closed on exec.  Negative errno. */
int tap_open(const char *name, bool multi_queue);

#endif
