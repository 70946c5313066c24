// SPDX-License-Identifier: GPL-2.0-or-later
#include "wire.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "failure.h"
#include "loop.h"
#include "net.h"
#include "net/rtnl.h"
#include "stubdom.h"
#include "vbd.h"
#include "xen/xs_util.h"

/* Poll every 20 ms until INIT_WIRE_DEADLINE_MS. */
static bool wait_more(void)
{
	struct timespec ts = { .tv_nsec = 20 * 1000 * 1000 };

	if (uptime_ms() >= INIT_WIRE_DEADLINE_MS)
		return false;
	nanosleep(&ts, NULL);
	return true;
}

int wire_devices(void)
{
	static const struct {
		const char *path;
		uid_t uid;
		gid_t gid;
		mode_t mode;
		int optional;
	} nodes[] = {
		{ "/dev/xen/evtchn", 0, STUBDOM_GID_XEN, 0660, 0 },
		{ "/dev/xen/xenbus", 0, STUBDOM_GID_XEN, 0660, 0 },
		{ "/dev/xen/privcmd", STUBDOM_UID_QEMU, 0, 0600, 0 },
		{ "/dev/xen/hypercall", STUBDOM_UID_QEMU, 0, 0600, 1 },
		{ "/dev/xen/gntdev", STUBDOM_UID_QEMU, 0, 0600, 1 },
		{ "/dev/xen/gntalloc", STUBDOM_UID_BROKER, 0, 0600, 0 },
		{ "/dev/net/tun", STUBDOM_UID_QEMU, 0, 0600, 1 },
	};

	for (unsigned int i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		if (!chown(nodes[i].path, nodes[i].uid, nodes[i].gid) &&
		    !chmod(nodes[i].path, nodes[i].mode))
			continue;
		if (nodes[i].optional && errno == ENOENT)
			continue;
		return init_fail(-errno, "%s: %s: the stubdomain's kernel lacks its driver",
				 nodes[i].path, strerror(errno));
	}
	return 0;
}

/* The vbd that Linux calls /dev/xvd<'a' + disk>, or negative errno. */
static int find_vbd(const unsigned int *ids, unsigned int n, unsigned int disk,
		    unsigned int *devid)
{
	unsigned int d, part, hits = 0, other = 0;
	char a[16], b[16];

	for (unsigned int i = 0; i < n; i++) {
		if (vbd_decode(ids[i], &d, &part) || d != disk || part)
			continue;
		other = *devid;
		*devid = ids[i];
		hits++;
	}
	if (hits < 2)
		return hits ? 0 : -ENOENT;
	vbd_vdev(other, a, sizeof(a));
	vbd_vdev(*devid, b, sizeof(b));
	return init_fail(-EEXIST, "disks %s and %s would both be /dev/xvd%c in the stubdomain: give one of them another letter in xl.cfg",
			 a, b, 'a' + disk);
}

static int open_disk(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC), ret = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISBLK(st.st_mode))
		ret = -ENOTBLK;
	else if (fchown(fd, STUBDOM_UID_QEMU, 0) || fchmod(fd, 0600))
		ret = -errno;
	close(fd);
	return ret;
}

static int wire_disk(struct xs_handle *xs, unsigned int disk, unsigned int devid)
{
	char path[32], vdev[16], be[512];
	int ret;

	snprintf(path, sizeof(path), "/dev/xvd%c", 'a' + disk);
	do {
		ret = open_disk(path);
	} while ((ret == -ENOENT || ret == -ENXIO || ret == -ENODEV) && wait_more());
	if (!ret)
		return 0;
	vbd_vdev(devid, vdev, sizeof(vdev));
	contract_backend(xs, "vbd", devid, be, sizeof(be));
	return init_fail(ret, "disk %s (vbd %u, %s): %s; %s: check its target in xl.cfg and the block script's log in dom0",
			 vdev, devid, path, strerror(-ret), be);
}

int wire_disks(struct xs_handle *xs, const struct args_plan *plan)
{
	unsigned int *ids, n, devid = 0;
	int ret;

	ret = contract_devices(xs, "vbd", &ids, &n);
	if (ret)
		return init_fail(ret, "xenstore device/vbd: %s", strerror(-ret));
	for (unsigned int i = 0; i < 26 && !ret; i++) {
		if (!(plan->disks & 1u << i))
			continue;
		ret = find_vbd(ids, n, i, &devid);
		if (ret == -ENOENT)
			ret = init_fail(ret, "QEMU is to use /dev/xvd%c, but libxl gave the stubdomain no such disk",
					'a' + i);
		else if (!ret)
			ret = wire_disk(xs, i, devid);
	}
	free(ids);
	return ret;
}

static int wire_nic(struct xs_handle *xs, struct rtnl *r,
		    const struct args_nic *nic)
{
	char eth[IFNAMSIZ], bridge[IFNAMSIZ], be[512];
	struct net_wire w = {
		.eth = eth, .tap = nic->ifname, .bridge = bridge,
		.index = nic->devid, .owner = STUBDOM_UID_QEMU,
	};
	const char *what;
	uint64_t mtu;
	int ret;

	do {
		ret = net_find_eth("/sys", nic->devid, eth);
	} while (ret == -ENODEV && wait_more());
	if (ret) {
		contract_backend(xs, "vif", nic->devid, be, sizeof(be));
		return init_fail(ret, "network card %u: no interface for it (%s); %s",
				 nic->devid, strerror(-ret), be);
	}
	snprintf(bridge, sizeof(bridge), "br%u", nic->devid);
	if (!xsu_read_uint(xs, XBT_NULL, &mtu, 65535, "device/vif/%u/mtu", nic->devid) &&
	    mtu >= 68)
		w.mtu = mtu;
	ret = net_wire(r, &w, &what);
	if (ret)
		return init_fail(ret, "network card %u (%s, tap %s): cannot %s: %s",
				 nic->devid, eth, nic->ifname, what, strerror(-ret));
	say_info("network card %u: %s and %s bridged", nic->devid, eth, nic->ifname);
	return 0;
}

int wire_nics(struct xs_handle *xs, const struct args_plan *plan)
{
	struct rtnl *r;
	int ret = 0;

	if (!plan->n_nics)
		return 0;
	r = rtnl_open();
	if (!r)
		return init_fail(-errno, "netlink: %s", strerror(errno));
	for (unsigned int i = 0; i < plan->n_nics && !ret; i++)
		ret = wire_nic(xs, r, &plan->nics[i]);
	rtnl_close(r);
	return ret;
}
