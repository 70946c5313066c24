/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network of the emulated cards: for card n a bridge br<n> of two ports,
 * the PV interface that libxl gave this domain for it (device/vif/<n>) and a
 * tap, made for QEMU's unprivileged user, under the name libxl chose.
 */
#ifndef NET_H
#define NET_H

#include <net/if.h>
#include <stdint.h>
#include <sys/types.h>

struct rtnl;

struct net_wire {
	const char *eth;	/* the PV interface */
	const char *tap;	/* made by net_wire() */
	const char *bridge;	/* likewise */
	unsigned int index;	/* makes the PV interface's own MAC unique */
	uint32_t mtu;		/* 0: leave it */
	uid_t owner;		/* who may open the tap */
};

/*
 * Wire one card.  0 or negative errno, with *@what naming the step that
 * failed (a constant string).
 */
int net_wire(struct rtnl *r, const struct net_wire *w, const char **what);

/*
 * The interface whose xenbus device is device/vif/@devid; -ENODEV while it
 * is missing.  @sys is "/sys" but in tests.
 */
int net_find_eth(const char *sys, unsigned int devid, char name[IFNAMSIZ]);

#endif
