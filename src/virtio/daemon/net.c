// SPDX-License-Identifier: GPL-2.0-or-later
#include "net.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "net/rtnl.h"
#include "net/tap.h"
#include "virtio/ids.h"
#include "xen/domain.h"
#include "xen/xs_util.h"

static bool is_bridge(const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/class/net/%s/bridge", name);
	return !access(path, F_OK);
}

static int wire(struct rtnl *r, const char *tap, const struct vd_spec *s, const char **what)
{
	/* As Xen's own scripts: above every other, so that the bridge never takes it. */
	static const uint8_t mac[6] = { 0xfe, 0xff, 0xff, 0xff, 0xff, 0xff };
	int bridge = (int)if_nametoindex(s->bridge), index = (int)if_nametoindex(tap), ret;

	*what = "find it";
	if (!index || !bridge)
		return -ENODEV;
	*what = "set its address";
	ret = rtnl_set_mac(r, index, mac);
	/* Refused while it is up: then it was set before. */
	if (ret && ret != -EBUSY)
		return ret;
	*what = "set its MTU";
	if (s->mtu && (ret = rtnl_set_mtu(r, index, s->mtu)))
		return ret;
	/* No IPv6 in this kernel: nothing to forbid. */
	rtnl_no_address(r, index);
	*what = "put it into the bridge";
	ret = rtnl_set_master(r, index, bridge);
	if (ret)
		return ret;
	*what = "bring it up";
	return rtnl_set_up(r, index);
}

int vd_net_up(uint32_t domid, uint32_t devid, const struct vd_spec *s, char *error)
{
	const char *what = "make it";
	char tap[IFNAMSIZ];
	struct rtnl *r;
	int ret;

	if (!if_nametoindex(s->bridge) || !is_bridge(s->bridge)) {
		snprintf(error, VD_ERROR_MAX, "bridge=%s: no such bridge: create it, or give one of 'ip link show type bridge'", s->bridge);
		return -ENODEV;
	}
	ret = vd_tap_name(tap, domid, devid);
	if (!ret && !if_nametoindex(tap))
		/* What opens it for QEMU is root without CAP_NET_ADMIN: being the owner, it may. */
		ret = tap_make(tap, 0, s->queues > 1);
	if (!ret) {
		r = rtnl_open();
		ret = r ? wire(r, tap, s, &what) : -errno;
		rtnl_close(r);
	}
	if (ret) {
		vd_net_down(domid, devid);
		snprintf(error, VD_ERROR_MAX, "interface %s: cannot %s: %s: see 'journalctl -u xen-virtiod'",
			 tap, what, strerror(-ret));
	}
	return ret;
}

int vd_net_down(uint32_t domid, uint32_t devid)
{
	char tap[IFNAMSIZ];
	struct rtnl *r;
	int index, ret = vd_tap_name(tap, domid, devid);

	index = ret ? 0 : (int)if_nametoindex(tap);
	if (!index)
		return 0;
	r = rtnl_open();
	if (!r)
		return -errno;
	ret = rtnl_del(r, index);
	rtnl_close(r);
	return ret;
}

int vd_net_parse(const char *name, uint32_t *domid, uint32_t *devid)
{
	char text[IFNAMSIZ], *dot;
	uint64_t a, b;

	if (strncmp(name, "vx", 2) || strlen(name) >= sizeof(text))
		return -EINVAL;
	strcpy(text, name + 2);
	dot = strchr(text, '.');
	if (!dot)
		return -EINVAL;
	*dot = '\0';
	if (xsu_parse_uint(text, DOMID_LIMIT - 1, &a) || xsu_parse_uint(dot + 1, UINT32_MAX, &b))
		return -EINVAL;
	*domid = (uint32_t)a;
	*devid = (uint32_t)b;
	return 0;
}

void vd_net_sweep(bool (*keep)(void *arg, uint32_t domid, uint32_t devid), void *arg)
{
	struct if_nameindex *list = if_nameindex();

	for (struct if_nameindex *i = list; i && i->if_name; i++) {
		uint32_t domid, devid;

		if (vd_net_parse(i->if_name, &domid, &devid) || keep(arg, domid, devid))
			continue;
		if (!vd_net_down(domid, devid))
			log_info(NULL, "interface %s of a guest that is gone: removed", i->if_name);
	}
	if (list)
		if_freenameindex(list);
}
