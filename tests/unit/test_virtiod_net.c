// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/daemon/net.c src/lib/virtio/ids.c src/lib/virtio/mark.c src/lib/net/rtnl.c src/lib/net/tap.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/xen/domain.c */
/* test-pkgs: libmnl */
/*
 * Taps and bridges, for real, in a network namespace; the test is QEMU at the
 * tap.  Skipped where namespaces may not be made.
 */
#include "virtiod_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "net/rtnl.h"
#include "net/tap.h"
#include "virtio/daemon/net.h"

static bool can;

static const char *read_net(const char *name, const char *what)
{
	static char buf[64];
	char path[128];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, what);
	fd = open(path, O_RDONLY);
	n = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (fd >= 0)
		close(fd);
	buf[n < 0 ? 0 : n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

/* As QEMU does it, for one queue. */
static int open_tap(const char *name, bool multi)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (multi)
		ifr.ifr_flags |= IFF_MULTI_QUEUE;
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &ifr)) {
		close(fd);
		return -errno;
	}
	return fd;
}

static int group_setup(void **state)
{
	struct rtnl *r;

	(void)state;
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL) || access("/dev/net/tun", R_OK | W_OK))
		return 0;
	r = rtnl_open();
	can = r && !rtnl_add_bridge(r, "xenbr0") && !rtnl_add_bridge(r, "xenbr1");
	rtnl_close(r);
	return 0;
}

static int t_setup(void **state)
{
	fix_setup(state);
	return 0;
}

#define NEEDS_NAMESPACE() do { if (!can) skip(); } while (0)

static void one_queue(void **state)
{
	struct vd_spec s = { .type = VD_NET, .queues = 1, .bridge = "xenbr0", .mtu = 1400 };
	char error[VD_ERROR_MAX] = "", link[128];
	int a, b;

	(void)state;
	NEEDS_NAMESPACE();
	if (vd_net_up(3, 0, &s, error))
		fail_msg("%s", error);
	assert_string_equal(read_net("vx3.0", "address"), "fe:ff:ff:ff:ff:ff");
	assert_string_equal(read_net("vx3.0", "mtu"), "1400");
	assert_int_equal(strtol(read_net("vx3.0", "flags"), NULL, 16) & IFF_UP, IFF_UP);
	memset(link, 0, sizeof(link));
	assert_true(readlink("/sys/class/net/vx3.0/master", link, sizeof(link) - 1) > 0);
	assert_non_null(strstr(link, "xenbr0"));
	/* QEMU opens it, and it stays when QEMU dies. */
	a = open_tap("vx3.0", false);
	assert_true(a >= 0);
	b = open_tap("vx3.0", false);
	assert_int_equal(b, -EBUSY);
	/* Again, while it is in use: nothing happens. */
	assert_int_equal(vd_net_up(3, 0, &s, error), 0);
	close(a);
	a = open_tap("vx3.0", false);
	assert_true(a >= 0);
	close(a);
	/* Into another bridge. */
	strcpy(s.bridge, "xenbr1");
	assert_int_equal(vd_net_up(3, 0, &s, error), 0);
	memset(link, 0, sizeof(link));
	assert_true(readlink("/sys/class/net/vx3.0/master", link, sizeof(link) - 1) > 0);
	assert_non_null(strstr(link, "xenbr1"));
	assert_int_equal(vd_net_down(3, 0), 0);
	assert_int_equal(if_nametoindex("vx3.0"), 0);
	assert_int_equal(vd_net_down(3, 0), 0);
}

static void more_queues(void **state)
{
	struct vd_spec s = { .type = VD_NET, .queues = 2, .bridge = "xenbr0" };
	char error[VD_ERROR_MAX] = "";
	int a, b;

	(void)state;
	NEEDS_NAMESPACE();
	if (vd_net_up(3, 1, &s, error))
		fail_msg("%s", error);
	a = open_tap("vx3.1", true);
	b = open_tap("vx3.1", true);
	assert_true(a >= 0 && b >= 0);
	assert_int_equal(open_tap("vx3.1", false), -EINVAL);
	close(a);
	close(b);
	assert_int_equal(vd_net_down(3, 1), 0);
}

static void no_bridge(void **state)
{
	struct vd_spec s = { .type = VD_NET, .queues = 1, .bridge = "nobr0" };
	char error[VD_ERROR_MAX] = "";

	(void)state;
	NEEDS_NAMESPACE();
	assert_int_equal(vd_net_up(3, 2, &s, error), -ENODEV);
	assert_string_equal(error, "bridge=nobr0: no such bridge: create it, or give one of 'ip link show type bridge'");
	/* An interface, but no bridge. */
	strcpy(s.bridge, "lo");
	assert_int_equal(vd_net_up(3, 2, &s, error), -ENODEV);
	assert_int_equal(if_nametoindex("vx3.2"), 0);
}

static bool keep_3(void *arg, uint32_t domid, uint32_t devid)
{
	(void)arg;
	(void)devid;
	return domid == 3;
}

static void sweep(void **state)
{
	struct vd_spec s = { .type = VD_NET, .queues = 1, .bridge = "xenbr0" };
	char error[VD_ERROR_MAX];

	(void)state;
	NEEDS_NAMESPACE();
	assert_int_equal(vd_net_up(3, 3, &s, error), 0);
	assert_int_equal(vd_net_up(4, 0, &s, error), 0);
	vd_net_sweep(keep_3, NULL);
	assert_int_not_equal(if_nametoindex("vx3.3"), 0);
	assert_int_equal(if_nametoindex("vx4.0"), 0);
	assert_int_not_equal(if_nametoindex("xenbr0"), 0);
	assert_logged("interface vx4.0 of a guest that is gone: removed");
}

/* trust-08: whatever it is called, what we have not made is left alone. */
static void trust_08_of_others(void **state)
{
	struct vd_spec s = { .type = VD_NET, .queues = 1, .bridge = "xenbr0" };
	char error[VD_ERROR_MAX] = "";
	struct rtnl *r = NULL;

	(void)state;
	NEEDS_NAMESPACE();
	r = rtnl_open();
	assert_non_null(r);
	assert_int_equal(rtnl_add_bridge(r, "vx5.0"), 0);
	assert_int_equal(tap_make("vx5.1", 0, false, NULL), 0);
	assert_int_equal(tap_make("vx5.2", 0, false, "xen-virtiod2"), 0);
	assert_int_equal(rtnl_set_alias(r, (int)if_nametoindex("vx5.0"), "uplink"), 0);
	vd_net_sweep(keep_3, NULL);
	for (uint32_t devid = 0; devid < 3; devid++) {
		char name[IFNAMSIZ];

		snprintf(name, sizeof(name), "vx5.%u", devid);
		assert_int_not_equal(if_nametoindex(name), 0);
		assert_int_equal(vd_net_up(5, devid, &s, error), -EEXIST);
		assert_non_null(strstr(error, "exists, and is not one that xen-virtiod has made: give it another name"));
		assert_int_equal(vd_net_down(5, devid), 0);
		assert_int_not_equal(if_nametoindex(name), 0);
		assert_int_equal(rtnl_del(r, (int)if_nametoindex(name)), 0);
	}
	assert_not_logged("removed");
	rtnl_close(r);
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, t_setup, fix_teardown)
	const struct CMUnitTest tests[] = {
		T(one_queue), T(more_queues), T(no_bridge), T(sweep), T(trust_08_of_others),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
