// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef VD_VHOST_NET
#define VD_VHOST_NET "/dev/vhost-net"	/* a test has its own */
#endif

static int wrong(char *error, int err, const char *path, const char *what)
{
	snprintf(error, VD_ERROR_MAX, "%.120s: %s", path, what);
	return err;
}

static int probe_access(const struct vd_spec *s, char *error)
{
	if (!access(s->path, s->readonly ? R_OK : R_OK | W_OK))
		return 0;
	if (errno == EROFS)
		return wrong(error, -EROFS, s->path, "its file system is mounted read-only: mount it for writing, or make the disk read-only");
	return wrong(error, -errno, s->path, "the backend may not open it: let it belong to root");
}

/* Opening it loads the module, if there is one. */
static int probe_vhost(const struct vd_spec *s, bool *vhost, char *error)
{
	int fd, err;

	/* vhost-net knows split rings only. */
	if (s->vhost == VD_VHOST_OFF || s->packed)
		return 0;
	fd = open(VD_VHOST_NET, O_RDWR | O_CLOEXEC);
	*vhost = fd >= 0;
	if (fd >= 0) {
		close(fd);
		return 0;
	}
	if (s->vhost != VD_VHOST_ON)
		return 0;
	err = -errno;
	snprintf(error, VD_ERROR_MAX, "vhost=on: " VD_VHOST_NET ": %s: run 'modprobe vhost_net', or leave vhost=on out",
		 strerror(-err));
	return err;
}

/*
 * A disk has its device's sectors: what is on it was written with them.  An image
 * has 512 bytes, on whatever it lies, and so has qcow2 on a block device.
 */
static int probe_sectors(const struct vd_spec *s, dev_t dev, struct vd_found *found, char *error)
{
	int ret;

	if (s->format != VD_RAW)
		return 0;
	ret = blockdev_sectors(dev, &found->sectors);
	if (ret == -EINVAL)
		return wrong(error, ret, s->path, "QEMU has no disks with sectors of this size: use another device");
	return ret ? wrong(error, ret, s->path, "its sector size cannot be read in /sys/dev/block: see 'lsblk -t'") : 0;
}

/*
 * QEMU opens what is in it by itself: as its owner when the guest may write, else as a
 * user that nobody knows.
 */
static int probe_share(const struct vd_spec *s, const struct stat *st, struct vd_found *found, char *error)
{
	if (!S_ISDIR(st->st_mode))
		return wrong(error, -ENOTDIR, s->path, "not a directory: 9p shares directories");
	if (!s->readonly && !st->st_uid)
		return wrong(error, -EACCES, s->path, "it belongs to root: let it belong to another user (chown), or make it read-only");
	if (s->readonly && (st->st_mode & (S_IROTH | S_IXOTH)) != (S_IROTH | S_IXOTH))
		return wrong(error, -EACCES, s->path, "not everybody may read it: run 'chmod o+rx' on it");
	found->uid = st->st_uid;
	found->gid = st->st_gid;
	return 0;
}

unsigned int vd_found_keep(struct vd_found *found, unsigned int kept)
{
	struct vd_sectors *s = &found->sectors;
	unsigned int now = s->logical ? s->logical : VD_SECTOR_MIN;

	if (!kept || kept == now)
		return 0;
	s->logical = kept;
	if (s->physical < kept)
		s->physical = kept;
	return now;
}

int vd_probe(const struct vd_spec *s, bool access, struct vd_found *found, char *error)
{
	struct stat st;

	*found = (struct vd_found){ .dev = 0 };
	if (s->type == VD_NET)
		return probe_vhost(s, &found->vhost, error);
	if (s->type != VD_BLOCK && s->type != VD_9P)
		return 0;
	if (stat(s->path, &st)) {
		int err = -errno;

		if (err == -ENOENT)
			return wrong(error, err, s->path, "no such file: create it, or correct the path");
		return wrong(error, err, s->path, strerror(-err));
	}
	if (s->type == VD_9P)
		return probe_share(s, &st, found, error);
	if (!S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return wrong(error, -ENOTBLK, s->path, "neither a block device nor a file: correct the path");
	if (S_ISBLK(st.st_mode)) {
		int ret = probe_sectors(s, st.st_rdev, found, error);

		found->dev = st.st_rdev;
		if (ret)
			return ret;
	}
	return access ? probe_access(s, error) : 0;
}
