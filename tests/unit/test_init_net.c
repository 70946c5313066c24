// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/net.c src/lib/net/rtnl.c src/lib/net/tap.c src/stubdom/init/mounts.c src/lib/base/log.c */
/* test-pkgs: libmnl */
/*
 * The bridges, for real, in a network namespace: one end of a veth pair is
 * the PV interface "eth<n>", the other is dom0, and this test is QEMU at the
 * tap.  Skipped where namespaces may not be made.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stubdom/init/failure.h"
#include "stubdom/init/net.h"
#include "net/rtnl.h"

struct log_about init_about = { .domid = -1 };

#define OWNER 990

static bool can, can_as_user;	/* namespaces, veth, bridge and tun work here */

static void read_text(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	buf[n < 0 ? 0 : n] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	if (fd >= 0)
		close(fd);
}

/* A pair of interfaces; the fixture's own code, init never makes one. */
static int make_veth(const char *a, const char *b)
{
	char buf[1024] __attribute__((aligned(8))) = "";
	struct nlmsghdr *h = mnl_nlmsg_put_header(buf);
	struct mnl_socket *nl = mnl_socket_open(NETLINK_ROUTE);
	struct nlattr *info, *data, *peer;
	struct ifinfomsg *ifi;
	int ret;

	h->nlmsg_type = RTM_NEWLINK;
	h->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	mnl_attr_put_strz(h, IFLA_IFNAME, a);
	info = mnl_attr_nest_start(h, IFLA_LINKINFO);
	mnl_attr_put_strz(h, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(h, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(h, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(h, sizeof(*ifi));
	mnl_attr_put_strz(h, IFLA_IFNAME, b);
	mnl_attr_nest_end(h, peer);
	mnl_attr_nest_end(h, data);
	mnl_attr_nest_end(h, info);
	if (!nl || mnl_socket_bind(nl, 0, MNL_SOCKET_AUTOPID) ||
	    mnl_socket_sendto(nl, h, h->nlmsg_len) < 0)
		return -1;
	ret = mnl_socket_recvfrom(nl, buf, sizeof(buf));
	ret = mnl_cb_run(buf, ret, 0, mnl_socket_get_portid(nl), NULL, NULL);
	mnl_socket_close(nl);
	return ret < 0 ? -1 : 0;
}

static int make_tap(const char *name, short flags)
{
	struct ifreq ifr = { .ifr_flags = IFF_TAP | IFF_NO_PI | flags };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK);

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%.15s", name);
	if (fd >= 0 && ioctl(fd, TUNSETIFF, &ifr)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* As it is in the stubdomain, whatever the machine lets other users than root do. */
static bool tun_for_all(void)
{
	char node[] = "/tmp/test-init-net-XXXXXX";
	struct stat st;
	int fd;
	bool done;

	if (stat("/dev/net/tun", &st))
		return false;
	if ((st.st_mode & 06) == 06)
		return true;
	fd = mkstemp(node);
	if (fd < 0)
		return false;
	close(fd);
	unlink(node);
	done = !mknod(node, S_IFCHR | 0600, st.st_rdev) && !chmod(node, 0666) &&
	       !mount(node, "/dev/net/tun", NULL, MS_BIND, NULL);
	unlink(node);
	return done;
}

static int group_setup(void **state)
{
	struct rtnl *r;
	int fd;

	(void)state;
	/* sysfs shows the network of whoever mounts it */
	if (unshare(CLONE_NEWNET | CLONE_NEWNS) ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("sysfs", "/sys", "sysfs", 0, NULL))
		return 0;
	r = rtnl_open();
	fd = make_tap("probe", 0);
	can_as_user = tun_for_all();
	can = r && fd >= 0 && !make_veth("p0", "p1") && !rtnl_add_bridge(r, "probe0");
	if (fd >= 0)
		close(fd);
	rtnl_close(r);
	return 0;
}

#define NEED() do { if (!can) { print_message("no network namespace here\n"); skip(); } } while (0)

/* Wire card @n; its dom0 end is "dom<n>". */
static int wire(unsigned int n, uint32_t mtu)
{
	char eth[16], dom[16], tap[16], br[16];
	struct net_wire w = {
		.eth = eth, .tap = tap, .bridge = br, .index = n, .mtu = mtu,
		.owner = OWNER,
	};
	struct rtnl *r = rtnl_open();
	const char *what;
	int ret;

	snprintf(eth, sizeof(eth), "eth%u", n);
	snprintf(dom, sizeof(dom), "dom%u", n);
	snprintf(tap, sizeof(tap), "vif7.%u-emu", n);
	snprintf(br, sizeof(br), "br%u", n);
	if (!if_nametoindex(eth))
		assert_int_equal(make_veth(eth, dom), 0);
	/* the guest's MAC, as netfront has it */
	rtnl_set_mac(r, if_nametoindex(eth), (const uint8_t[]){ 0, 0x16, 0x3e, 0, 0, n });
	rtnl_set_up(r, if_nametoindex(dom));
	ret = net_wire(r, &w, &what);
	if (ret)
		print_message("cannot %s: %s\n", what, strerror(-ret));
	rtnl_close(r);
	return ret;
}

static int open_raw(const char *name)
{
	struct sockaddr_ll sa = {
		.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL),
		.sll_ifindex = if_nametoindex(name),
	};
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_ALL));

	assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), 0);
	return fd;
}

/* A frame of @len bytes from @src to @dst, marked. */
static void frame(uint8_t *f, size_t len, uint8_t dst, uint8_t src, uint8_t mark)
{
	const uint8_t a[6] = { 0, 0x16, 0x3e, 0, 0, dst }, b[6] = { 0, 0x16, 0x3e, 0, 0, src };

	memset(f, mark, len);
	memcpy(f, a, 6);
	memcpy(f + 6, b, 6);
	f[12] = 0x88;
	f[13] = 0xb5;		/* for experiments */
}

/* Does a frame with @mark arrive?  Others are passed over. */
static bool arrives(int fd, size_t hdr, uint8_t mark, size_t len)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t buf[10000];

	while (poll(&p, 1, 500) == 1) {
		ssize_t n = read(fd, buf, sizeof(buf));

		if (n == (ssize_t)(len + hdr) && buf[hdr + 12] == 0x88 &&
		    buf[hdr + 20] == mark)
			return true;
	}
	return false;
}

static void wired_as_it_should(void **state)
{
	char text[64];

	(void)state;
	NEED();
	assert_int_equal(wire(0, 0), 0);
	read_text("/sys/class/net/eth0/address", text, sizeof(text));
	assert_string_equal(text, "fe:ff:ff:fe:00:00");
	read_text("/sys/class/net/vif7.0-emu/owner", text, sizeof(text));
	assert_int_equal(atoi(text), OWNER);
	read_text("/sys/class/net/eth0/brport/learning", text, sizeof(text));
	assert_string_equal(text, "0");
	read_text("/sys/class/net/vif7.0-emu/brport/learning", text, sizeof(text));
	assert_string_equal(text, "0");
	read_text("/sys/class/net/br0/bridge/stp_state", text, sizeof(text));
	assert_string_equal(text, "0");
	read_text("/sys/class/net/br0/bridge/forward_delay", text, sizeof(text));
	assert_string_equal(text, "0");
	read_text("/sys/class/net/br0/bridge/group_fwd_mask", text, sizeof(text));
	assert_string_equal(text, "0xfff8");
	assert_int_equal(access("/sys/class/net/br0/brif/eth0", F_OK), 0);
	assert_int_equal(access("/sys/class/net/br0/brif/vif7.0-emu", F_OK), 0);
	/* not twice */
	assert_int_equal(wire(0, 0), -EEXIST);
}

static void frames_pass_both_ways(void **state)
{
	uint8_t f[200];
	int tap, dom;

	(void)state;
	NEED();
	assert_int_equal(wire(1, 0), 0);
	tap = make_tap("vif7.1-emu", IFF_VNET_HDR);
	assert_true(tap >= 0);
	dom = open_raw("dom1");
	usleep(100000);		/* carrier of the tap */
	for (int i = 0; i < 3; i++) {
		uint8_t out[210] = { 0 };	/* virtio-net header of 10 bytes */

		frame(f, sizeof(f), 0x99, 1, 0x41 + i);
		memcpy(out + 10, f, sizeof(f));
		assert_int_equal(write(tap, out, sizeof(out)), sizeof(out));
		assert_true(arrives(dom, 0, 0x41 + i, sizeof(f)));
		frame(f, sizeof(f), 1, 0x99, 0x51 + i);
		assert_int_equal(send(dom, f, sizeof(f), 0), sizeof(f));
		assert_true(arrives(tap, 10, 0x51 + i, sizeof(f)));
	}
	close(tap);
	close(dom);
}

/*
 * The guest's PV card has the same MAC on dom0's bridge: its broadcasts come
 * back to us.  A bridge that learnt would then lose the guest behind eth.
 */
static void the_same_mac_on_both_sides(void **state)
{
	uint8_t f[100];
	int tap, dom;

	(void)state;
	NEED();
	assert_int_equal(wire(2, 0), 0);
	tap = make_tap("vif7.2-emu", 0);
	dom = open_raw("dom2");
	usleep(100000);
	frame(f, sizeof(f), 0x99, 2, 1);
	assert_int_equal(send(dom, f, sizeof(f), 0), sizeof(f));
	assert_true(arrives(tap, 0, 1, sizeof(f)));
	frame(f, sizeof(f), 2, 0x99, 2);
	assert_int_equal(send(dom, f, sizeof(f), 0), sizeof(f));
	assert_true(arrives(tap, 0, 2, sizeof(f)));
	frame(f, sizeof(f), 0x99, 2, 3);
	assert_int_equal(write(tap, f, sizeof(f)), sizeof(f));
	assert_true(arrives(dom, 0, 3, sizeof(f)));
	close(tap);
	close(dom);
}

static void jumbo_frames(void **state)
{
	static uint8_t f[8000];
	int tap, dom;
	struct rtnl *r;

	(void)state;
	NEED();
	assert_int_equal(wire(3, 9000), 0);
	r = rtnl_open();
	assert_int_equal(rtnl_set_mtu(r, if_nametoindex("dom3"), 9000), 0);
	rtnl_close(r);
	tap = make_tap("vif7.3-emu", 0);
	dom = open_raw("dom3");
	usleep(100000);
	frame(f, sizeof(f), 0x99, 3, 7);
	assert_int_equal(write(tap, f, sizeof(f)), sizeof(f));
	assert_true(arrives(dom, 0, 7, sizeof(f)));
	close(tap);
	close(dom);
}

/* QEMU's user may open the tap, another may not. */
static void only_the_owner_opens_the_tap(void **state)
{
	static const uid_t uids[] = { OWNER, OWNER + 1 };

	(void)state;
	NEED();
	if (!can_as_user)
		skip();
	assert_int_equal(wire(4, 0), 0);
	for (int i = 0; i < 2; i++) {
		int status;
		pid_t pid = fork();

		if (!pid) {
			if (setresgid(uids[i], uids[i], uids[i]) ||
			    setresuid(uids[i], uids[i], uids[i]))
				_exit(9);
			_exit(make_tap("vif7.4-emu", IFF_VNET_HDR) >= 0 ? 0 : 1);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_int_equal(WEXITSTATUS(status), i);
	}
}

static void no_interface(void **state)
{
	struct net_wire w = { .eth = "none", .tap = "vif7.9-emu", .bridge = "br9" };
	const char *what;
	struct rtnl *r;

	(void)state;
	NEED();
	r = rtnl_open();
	assert_int_equal(net_wire(r, &w, &what), -ENODEV);
	assert_string_equal(what, "find the interfaces");
	rtnl_close(r);
}

/* A sysfs of our own: the interface is found by its xenbus node. */
static void find_by_nodename(void **state)
{
	char dir[] = "/tmp/test-sys-XXXXXX", cmd[600], name[IFNAMSIZ];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(cmd, sizeof(cmd),
		 "cd %s && mkdir -p class/net/lo class/net/eth5/device class/net/eth1/device"
		 " && echo device/vif/0 >class/net/eth5/device/nodename"
		 " && echo device/vif/10 >class/net/eth1/device/nodename", dir);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(net_find_eth(dir, 0, name), 0);
	assert_string_equal(name, "eth5");
	assert_int_equal(net_find_eth(dir, 10, name), 0);
	assert_string_equal(name, "eth1");
	assert_int_equal(net_find_eth(dir, 1, name), -ENODEV);
	snprintf(cmd, sizeof(cmd), "rm -r %s", dir);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(net_find_eth(dir, 1, name), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wired_as_it_should),
		cmocka_unit_test(frames_pass_both_ways),
		cmocka_unit_test(the_same_mac_on_both_sides),
		cmocka_unit_test(jumbo_frames),
		cmocka_unit_test(only_the_owner_opens_the_tap),
		cmocka_unit_test(no_interface),
		cmocka_unit_test(find_by_nodename),
	};

	return cmocka_run_group_tests(tests, group_setup, NULL);
}
