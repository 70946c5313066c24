// SPDX-License-Identifier: GPL-2.0-or-later
#include "uevents.h"

#include <errno.h>
#include <linux/netlink.h>
#include <sys/socket.h>
#include <unistd.h>

static void on_uevent(void *arg, uint32_t events)
{
	struct uevents *u = arg;
	struct sockaddr_nl from;
	struct iovec iov;
	struct msghdr mh = {
		.msg_name = &from, .msg_namelen = sizeof(from),
		.msg_iov = &iov, .msg_iovlen = 1,
	};
	struct vbd_event ev;
	char buf[4096] = "";
	ssize_t n;
	int dir;

	(void)events;
	iov = (struct iovec){ .iov_base = buf, .iov_len = sizeof(buf) };
	n = recvmsg(u->src.fd, &mh, MSG_DONTWAIT);
	/* Group 1 comes from the kernel alone, whose port is 0. */
	if (n <= 0 || from.nl_pid != 0 || (mh.msg_flags & MSG_TRUNC))
		return;
	dir = vbd_uevent(buf, n, &ev);
	if (dir)
		u->fn(u->arg, &ev, dir);
}

int uevents_open(struct uevents *u, struct loop *loop,
		 void (*fn)(void *arg, const struct vbd_event *ev, int dir), void *arg)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd, ret;

	fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_KOBJECT_UEVENT);
	if (fd < 0)
		return -errno;
	*u = (struct uevents){ .src = { .fd = fd, .fn = on_uevent, .arg = u }, .fn = fn, .arg = arg };
	ret = bind(fd, (struct sockaddr *)&sa, sizeof(sa)) ? -errno :
	      loop_want(loop, &u->src, EPOLLIN);
	if (ret)
		close(fd);
	return ret;
}
