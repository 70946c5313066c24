// SPDX-License-Identifier: GPL-2.0-or-later
#include "rtnl.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct rtnl {
	struct mnl_socket *nl;
	unsigned int seq;
	/* big enough for any request here and for the answer's error */
	char buf[8192] __attribute__((aligned(8)));
};

struct rtnl *rtnl_open(void)
{
	struct rtnl *r = calloc(1, sizeof(*r));

	if (!r)
		return NULL;
	r->nl = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!r->nl || mnl_socket_bind(r->nl, 0, MNL_SOCKET_AUTOPID) < 0) {
		int saved = errno;

		rtnl_close(r);
		errno = saved;
		return NULL;
	}
	r->seq = time(NULL);
	return r;
}

void rtnl_close(struct rtnl *r)
{
	if (r && r->nl)
		mnl_socket_close(r->nl);
	free(r);
}

/* A request about the interface @ifindex (0: one to be made). */
static struct nlmsghdr *request(struct rtnl *r, int flags, int ifindex,
				struct ifinfomsg **ifi)
{
	struct nlmsghdr *h = mnl_nlmsg_put_header(r->buf);

	h->nlmsg_type = RTM_NEWLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | flags;
	h->nlmsg_seq = ++r->seq;
	*ifi = mnl_nlmsg_put_extra_header(h, sizeof(**ifi));
	(*ifi)->ifi_family = AF_UNSPEC;
	(*ifi)->ifi_index = ifindex;
	return h;
}

static int talk(struct rtnl *r, struct nlmsghdr *h)
{
	unsigned int seq = h->nlmsg_seq, port = mnl_socket_get_portid(r->nl);
	ssize_t n;

	if (mnl_socket_sendto(r->nl, h, h->nlmsg_len) < 0)
		return -errno;
	n = mnl_socket_recvfrom(r->nl, r->buf, sizeof(r->buf));
	if (n < 0)
		return -errno;
	/* MNL_CB_STOP on the ACK; an error message sets errno. */
	return mnl_cb_run(r->buf, n, seq, port, NULL, NULL) < 0 ? -errno : 0;
}

int rtnl_add_bridge(struct rtnl *r, const char *name)
{
	struct nlattr *info, *data;
	struct ifinfomsg *ifi;
	struct nlmsghdr *h;

	h = request(r, NLM_F_CREATE | NLM_F_EXCL, 0, &ifi);
	mnl_attr_put_strz(h, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "bridge");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	mnl_attr_put_u32(h, IFLA_BR_FORWARD_DELAY, 0);
	mnl_attr_put_u32(h, IFLA_BR_STP_STATE, 0);
	/* 01:80:c2:00:00:03 and up (LLDP, 802.1X); 0 to 2 may not be. */
	mnl_attr_put_u16(h, IFLA_BR_GROUP_FWD_MASK, 0xfff8);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return talk(r, h);
}

int rtnl_set_master(struct rtnl *r, int ifindex, int bridge)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *h = request(r, 0, ifindex, &ifi);

	mnl_attr_put_u32(h, IFLA_MASTER, bridge);
	return talk(r, h);
}

int rtnl_set_port(struct rtnl *r, int ifindex, int bridge)
{
	struct nlattr *info, *data;
	struct ifinfomsg *ifi;
	struct nlmsghdr *h;
	int ret;

	ret = rtnl_set_master(r, ifindex, bridge);
	if (ret)
		return ret;
	h = request(r, 0, ifindex, &ifi);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_SLAVE_KIND, "bridge");
	data = mnl_attr_nest_start(h, IFLA_INFO_SLAVE_DATA);
	mnl_attr_put_u8(h, IFLA_BRPORT_LEARNING, 0);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	return talk(r, h);
}

int rtnl_set_mac(struct rtnl *r, int ifindex, const uint8_t mac[6])
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *h = request(r, 0, ifindex, &ifi);

	mnl_attr_put(h, IFLA_ADDRESS, 6, mac);
	return talk(r, h);
}

int rtnl_set_alias(struct rtnl *r, int ifindex, const char *alias)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *h = request(r, 0, ifindex, &ifi);

	mnl_attr_put_strz(h, IFLA_IFALIAS, alias);
	return talk(r, h);
}

int rtnl_set_mtu(struct rtnl *r, int ifindex, uint32_t mtu)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *h = request(r, 0, ifindex, &ifi);

	mnl_attr_put_u32(h, IFLA_MTU, mtu);
	return talk(r, h);
}

int rtnl_set_up(struct rtnl *r, int ifindex)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *h = request(r, 0, ifindex, &ifi);

	ifi->ifi_flags = IFF_UP;
	ifi->ifi_change = IFF_UP;
	return talk(r, h);
}

int rtnl_no_address(struct rtnl *r, int ifindex)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *h = request(r, 0, ifindex, &ifi);
	struct nlattr *spec = mnl_attr_nest_start(h, IFLA_AF_SPEC);
	struct nlattr *inet6 = mnl_attr_nest_start(h, AF_INET6);

	mnl_attr_put_u8(h, IFLA_INET6_ADDR_GEN_MODE, IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(h, inet6);
	mnl_attr_nest_end(h, spec);
	return talk(r, h);
}

int rtnl_del(struct rtnl *r, int ifindex)
{
	struct ifinfomsg *ifi;
	struct nlmsghdr *h = request(r, 0, ifindex, &ifi);

	h->nlmsg_type = RTM_DELLINK;
	return talk(r, h);
}
