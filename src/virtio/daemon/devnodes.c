// SPDX-License-Identifier: GPL-2.0-or-later
#include "devnodes.h"

#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

static const struct {
	const char *path, *number;
	mode_t mode;
} nodes[] = {
	{ "/dev/xen/gntdev", "/sys/class/misc/xen!gntdev/dev", 0666 },
	{ "/dev/xen/evtchn", "/sys/class/misc/xen!evtchn/dev", 0666 },
	/* It has always the same number, and its module may come with the first card. */
	{ "/dev/net/tun", NULL, 0600 },
};

#define TUN makedev(10, 200)

static int number_of(const char *path, dev_t *dev)
{
	FILE *f = fopen(path, "re");
	unsigned int major, minor;
	int n;

	if (!f)
		return -errno;
	n = fscanf(f, "%u:%u", &major, &minor);
	fclose(f);
	if (n != 2)
		return -EIO;
	*dev = makedev(major, minor);
	return 0;
}

int devnodes_make(const char **path)
{
	mode_t old = umask(0);
	int ret = 0;

	for (size_t i = 0; !ret && i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		dev_t dev = TUN;

		*path = nodes[i].path;
		if (nodes[i].number)
			ret = number_of(nodes[i].number, &dev);
		if (!ret && mknod(nodes[i].path, S_IFCHR | nodes[i].mode, dev) && errno != EEXIST)
			ret = -errno;
		/* Cards alone need it, and say so when it is not there. */
		if (!nodes[i].number)
			ret = 0;
	}
	umask(old);
	return ret;
}
