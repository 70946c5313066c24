// SPDX-License-Identifier: GPL-2.0-or-later
#include "state_dev.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"
#include "stubdom.h"

int state_dev_name(const char *sys, uint32_t devid, char *name, size_t size)
{
	char path[128];
	struct dirent *e;
	int ret = -ENOENT;
	DIR *d;

	snprintf(path, sizeof(path), "%s/devices/vbd-%u/block", sys, devid);
	d = opendir(path);
	if (!d)
		return errno == ENOENT ? -ENOENT : -errno;
	while (ret && (e = readdir(d))) {
		if (e->d_name[0] == '.' || strlen(e->d_name) >= size)
			continue;
		strcpy(name, e->d_name);
		ret = 0;
	}
	closedir(d);
	return ret;
}

int state_dev_open(uint32_t devid, int flags, uint64_t *size)
{
	char name[32], path[64];
	struct stat st;
	int fd, ret = state_dev_name("/sys", devid, name, sizeof(name));

	if (ret)
		return ret == -ENOENT ? -EAGAIN : ret;
	snprintf(path, sizeof(path), "/dev/%s", name);
	fd = open(path, flags | O_DIRECT | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT || errno == EACCES || errno == ENXIO || errno == ENODEV ? -EAGAIN : -errno;
	if (fstat(fd, &st) || !S_ISBLK(st.st_mode))
		ret = -ENOTBLK;
	else if (ioctl(fd, BLKGETSIZE64, size))
		ret = -errno;
	else if (!*size)
		/* blkfront makes the device before it knows the capacity, and after it is gone */
		ret = -EAGAIN;
	if (!ret)
		return fd;
	close(fd);
	return ret;
}

void state_dev_give(const struct vbd_event *ev)
{
	char path[64];

	snprintf(path, sizeof(path), "/dev/%s", ev->dev);
	if (chown(path, STUBDOM_UID_BROKER, 0) || chmod(path, 0600))
		say_err("state disk %s (vbd %u): %s", ev->dev, ev->devid, strerror(errno));
}
