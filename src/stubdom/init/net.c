// SPDX-License-Identifier: GPL-2.0-or-later
#include "net.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "mounts.h"
#include "net/rtnl.h"
#include "net/tap.h"

int net_find_eth(const char *sys, unsigned int devid, char name[IFNAMSIZ])
{
	char path[512], node[64], want[64];
	struct dirent *de;
	int ret = -ENODEV;
	DIR *d;

	snprintf(path, sizeof(path), "%s/class/net", sys);
	d = opendir(path);
	if (!d)
		return -errno;
	snprintf(want, sizeof(want), "device/vif/%u\n", devid);
	while (ret == -ENODEV && (de = readdir(d))) {
		if (de->d_name[0] == '.' || strlen(de->d_name) >= IFNAMSIZ)
			continue;
		snprintf(path, sizeof(path), "%s/class/net/%.16s/device/nodename",
			 sys, de->d_name);
		if (read_file(path, node, sizeof(node)) < 0 || strcmp(node, want))
			continue;
		strcpy(name, de->d_name);
		ret = 0;
	}
	closedir(d);
	return ret;
}

/*
 * One step after the other, *@what naming the present one.  The tap comes
 * first: its name can be taken, everything else is ours alone.
 */
int net_wire(struct rtnl *r, const struct net_wire *w, const char **what)
{
	/*
	 * The guest has the MAC that its vif has.  A port with that address
	 * would make the bridge keep the guest's frames for itself.
	 */
	const uint8_t mac[6] = { 0xfe, 0xff, 0xff, 0xfe, w->index >> 8, w->index };
	int eth, tap, br, ret;

	*what = "create the tap";
	ret = tap_make(w->tap, w->owner, false, NULL);
	if (ret)
		return ret;
	*what = "create the bridge";
	ret = rtnl_add_bridge(r, w->bridge);
	if (ret)
		return ret;
	eth = if_nametoindex(w->eth);
	tap = if_nametoindex(w->tap);
	br = if_nametoindex(w->bridge);
	*what = "find the interfaces";
	if (!eth || !tap || !br)
		return -ENODEV;
	*what = "change the PV interface's address";
	ret = rtnl_set_mac(r, eth, mac);
	if (ret)
		return ret;
	*what = "set the MTU";
	if (w->mtu && ((ret = rtnl_set_mtu(r, eth, w->mtu)) ||
		       (ret = rtnl_set_mtu(r, tap, w->mtu))))
		return ret;
	*what = "bridge the PV interface";
	ret = rtnl_set_port(r, eth, br);
	if (ret)
		return ret;
	*what = "bridge the tap";
	ret = rtnl_set_port(r, tap, br);
	if (ret)
		return ret;
	*what = "bring the interfaces up";
	if ((ret = rtnl_set_up(r, eth)) || (ret = rtnl_set_up(r, tap)))
		return ret;
	return rtnl_set_up(r, br);
}
