// SPDX-License-Identifier: GPL-2.0-or-later
#include "probe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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
		return wrong(error, -EROFS, s->path, "the backend may not write there: run 'systemctl edit xen-virtio-backend@' "
			     "and add ReadWritePaths= below [Service]");
	return wrong(error, -errno, s->path, "the backend may not open it: let it belong to root");
}

int vd_probe(const struct vd_spec *s, bool access, bool *blockdev, char *error)
{
	struct stat st;

	*blockdev = false;
	if (s->type != VD_BLOCK && s->type != VD_9P)
		return 0;
	if (stat(s->path, &st)) {
		int err = -errno;

		if (err == -ENOENT)
			return wrong(error, err, s->path, "there is no such file: create it, or correct the path");
		return wrong(error, err, s->path, strerror(-err));
	}
	if (s->type == VD_9P && !S_ISDIR(st.st_mode))
		return wrong(error, -ENOTDIR, s->path, "not a directory: 9p shares directories");
	if (s->type == VD_BLOCK && !S_ISBLK(st.st_mode) && !S_ISREG(st.st_mode))
		return wrong(error, -ENOTBLK, s->path, "neither a block device nor a file: correct the path");
	*blockdev = S_ISBLK(st.st_mode);
	return access ? probe_access(s, error) : 0;
}
