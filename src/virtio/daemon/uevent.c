// SPDX-License-Identifier: GPL-2.0-or-later
#include "uevent.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "xen/xs_util.h"

#define KERNEL_GROUP 1		/* 2 is udev's, with what it makes of them */
#define BUFFER_BYTES (1024 * 1024)

/* ---- pure ---- */

/* The text after "NAME=", or NULL. */
static const char *value_of(const char *field, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(field, name, n) && field[n] == '=' ? field + n + 1 : NULL;
}

bool uevent_changed(const char *msg, size_t len, dev_t *dev)
{
	bool block = false, change = false, has_major = false, has_minor = false;
	uint64_t major = 0, minor = 0;

	/* Every field is a string then. */
	if (!len || msg[len - 1])
		return false;
	for (const char *f = msg; f < msg + len; f += strlen(f) + 1) {
		const char *v;

		if ((v = value_of(f, "ACTION")))
			change = !strcmp(v, "change");
		else if ((v = value_of(f, "SUBSYSTEM")))
			block = !strcmp(v, "block");
		else if ((v = value_of(f, "MAJOR")))
			has_major = !xsu_parse_uint(v, UINT32_MAX, &major);
		else if ((v = value_of(f, "MINOR")))
			has_minor = !xsu_parse_uint(v, UINT32_MAX, &minor);
	}
	if (!block || !change || !has_major || !has_minor)
		return false;
	*dev = makedev((unsigned int)major, (unsigned int)minor);
	return *dev != 0;
}

/* ---- the socket ---- */

int uevent_open(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = KERNEL_GROUP };
	int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_KOBJECT_UEVENT);
	int size = BUFFER_BYTES, err;

	if (fd < 0)
		return -errno;
	/* No harm when it is less: what is lost is made good. */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (!bind(fd, (struct sockaddr *)&a, sizeof(a)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

int uevent_take(int fd, uevent_fn *fn, void *arg)
{
	char buf[VD_UEVENT_MAX];

	for (int i = 0; i < VD_UEVENTS_ROUND; i++) {
		struct sockaddr_nl from = { .nl_pid = 1 };
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT | MSG_TRUNC,
				     (struct sockaddr *)&from, &size);
		dev_t dev;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == ENOBUFS) {
			fn(arg, 0);
			continue;
		}
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		/* Whoever has the right to may send there, too; the kernel has no port. */
		if (size != sizeof(from) || from.nl_pid)
			continue;
		if ((size_t)n > sizeof(buf))
			fn(arg, 0);
		else if (uevent_changed(buf, (size_t)n, &dev))
			fn(arg, dev);
	}
	return 0;
}
