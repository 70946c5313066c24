/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The few rtnetlink requests that bridging needs, over libmnl. */
#ifndef RTNL_H
#define RTNL_H

#include <stdint.h>

struct rtnl;

/* NULL with errno. */
struct rtnl *rtnl_open(void);
void rtnl_close(struct rtnl *r);

/* All return 0 or negative errno. */
/* A bridge that forwards at once (no STP, no delay) and link-local frames too. */
int rtnl_add_bridge(struct rtnl *r, const char *name);
/* Make @ifindex a port of @bridge. */
int rtnl_set_master(struct rtnl *r, int ifindex, int bridge);
/* Make @ifindex a port of @bridge that learns nothing: with two ports the
 * bridge is a wire, and a MAC seen on both sides cannot make it lose frames. */
int rtnl_set_port(struct rtnl *r, int ifindex, int bridge);
/* Change the address; the interface must be down. */
int rtnl_set_mac(struct rtnl *r, int ifindex, const uint8_t mac[6]);
/* What `ip link' shows as its alias. */
int rtnl_set_alias(struct rtnl *r, int ifindex, const char *alias);
int rtnl_set_mtu(struct rtnl *r, int ifindex, uint32_t mtu);
int rtnl_set_up(struct rtnl *r, int ifindex);
/* The kernel gives it no IPv6 address by itself. */
int rtnl_no_address(struct rtnl *r, int ifindex);
int rtnl_del(struct rtnl *r, int ifindex);

#endif
