// SPDX-License-Identifier: GPL-2.0-or-later
#include "opened.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "net/tap.h"

#ifndef VD_VHOST_NET
#define VD_VHOST_NET "/dev/vhost-net"	/* a test has its own */
#endif
#define BACKLOG 4

/* ---- sockets ---- */

static int listen_here(const char *name, int type)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd, ret = 0;

	if (strlen(name) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, name);
	fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	if (unlink(name) && errno != ENOENT)
		ret = -errno;
	else if (bind(fd, (struct sockaddr *)&a, sizeof(a)) || listen(fd, BACKLOG))
		ret = -errno;
	if (ret)
		close(fd);
	return ret ? ret : fd;
}

int vd_listen(const char *dir, const char *name, int type)
{
	int back = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC), ret;

	if (back < 0)
		return -errno;
	ret = chdir(dir) ? -errno : listen_here(name, type);
	if (fchdir(back) && ret >= 0) {
		close(ret);
		ret = -EIO;
	}
	close(back);
	return ret;
}

/* ---- what a device needs ---- */

unsigned int vd_opened_count(const struct vd_spec *s, const struct vd_found *found)
{
	switch (s->type) {
	case VD_BLOCK:
	case VD_CONSOLE:
		return 1;
	case VD_NET:
		return s->queues << found->vhost;
	default:
		return 0;
	}
}

/* With the flags that QEMU would use: it looks for a file that has them. */
static int open_disk(const struct vd_spec *s, const struct vd_found *found, char *error)
{
	int flags = (s->readonly ? O_RDONLY : O_RDWR) | (s->cached ? 0 : O_DIRECT), ret;
	int fd = open(s->path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat st;

	if (fd < 0) {
		ret = -errno;
		snprintf(error, VD_ERROR_MAX, "%.120s: %s", s->path,
			 ret == -EINVAL ? "its file system has no direct I/O: give cache=writeback" :
			 ret == -EROFS ? "its file system is mounted read-only: mount it for writing, or make the disk read-only" :
			 ret == -EACCES ? "the backend may not open it: let it belong to root" : strerror(-ret));
		return ret;
	}
	/* What was found may have become something else. */
	if (fstat(fd, &st) || (found->dev ? !S_ISBLK(st.st_mode) || st.st_rdev != found->dev : !S_ISREG(st.st_mode)) ||
	    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK)) {
		snprintf(error, VD_ERROR_MAX, "%.120s: it was replaced meanwhile: detach and attach it", s->path);
		close(fd);
		return -ESTALE;
	}
	return fd;
}

static int open_console(const char *dir, struct vd_id id, char *error)
{
	char name[32];
	int fd;

	snprintf(name, sizeof(name), VD_CONSOLE_SOCKET, id.devid);
	fd = vd_listen(dir, name, SOCK_STREAM);
	if (fd < 0)
		snprintf(error, VD_ERROR_MAX, "its socket cannot be made: %s: see 'journalctl -u xen-virtiod'", strerror(-fd));
	return fd;
}

/* The @i-th of a card's. */
static int open_card(uint32_t domid, struct vd_id id, const struct vd_spec *s, unsigned int i, char *error)
{
	bool vhost = i >= s->queues;
	char tap[IFNAMSIZ];
	int fd;

	if (vd_tap_name(tap, domid, id.devid))
		strcpy(tap, "?");	/* is refused before: vd_nodes_read() */
	if (!vhost)
		fd = tap_open(tap, s->queues > 1);
	else if ((fd = open(VD_VHOST_NET, O_RDWR | O_CLOEXEC)) < 0)
		fd = -errno;
	if (fd < 0)
		snprintf(error, VD_ERROR_MAX, "%s: cannot be opened: %s: see 'journalctl -u xen-virtiod'",
			 vhost ? VD_VHOST_NET : tap, strerror(-fd));
	return fd;
}

int vd_opened_open(struct vd_opened *o, const char *dir, uint32_t domid, struct vd_id id,
		   const struct vd_spec *s, const struct vd_found *found, char *error)
{
	unsigned int n = vd_opened_count(s, found);

	o->n = 0;
	while (o->n < n) {
		int fd = s->type == VD_BLOCK ? open_disk(s, found, error) :
			 s->type == VD_CONSOLE ? open_console(dir, id, error) : open_card(domid, id, s, o->n, error);

		if (fd < 0) {
			vd_opened_close(o);
			return fd;
		}
		o->fd[o->n++] = fd;
	}
	return 0;
}

void vd_opened_close(struct vd_opened *o)
{
	while (o->n)
		close(o->fd[--o->n]);
}
