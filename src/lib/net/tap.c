// SPDX-License-Identifier: GPL-2.0-or-later
#include "tap.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "rtnl.h"

static int set_mark(const char *name, const char *mark)
{
	struct rtnl *r = rtnl_open();
	int ret = r ? rtnl_set_alias(r, (int)if_nametoindex(name), mark) : -errno;

	rtnl_close(r);
	return ret;
}

int tap_open(const char *name, bool multi_queue)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd, ret;

	if (multi_queue)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (!ioctl(fd, TUNSETIFF, &ifr))
		return fd;
	ret = -errno;
	close(fd);
	return ret;
}

int tap_make(const char *name, uid_t owner, bool multi_queue, const char *mark)
{
	int fd = tap_open(name, multi_queue), ret = 0;

	if (fd < 0)
		return fd;
	if (ioctl(fd, TUNSETOWNER, (unsigned long)owner))
		ret = -errno;
	/* Before it is there to stay: one without a mark would be nobody's. */
	if (!ret && mark)
		ret = set_mark(name, mark);
	if (!ret && ioctl(fd, TUNSETPERSIST, 1UL))
		ret = -errno;
	close(fd);
	return ret;
}
