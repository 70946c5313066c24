// SPDX-License-Identifier: GPL-2.0-or-later
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define FIRST_ROOM 4096

/* Files of /sys and /proc have no size to ask for: the buffer grows. */
static int read_fd(int fd, size_t max, char **out, size_t *len)
{
	size_t n = 0, room = 0;
	char *buf = NULL;
	int ret = 0;

	for (;;) {
		ssize_t got;

		if (n == room) {
			char *more = realloc(buf, (room ? room * 2 : FIRST_ROOM) + 1);

			if (!more) {
				ret = -ENOMEM;
				break;
			}
			buf = more;
			room = room ? room * 2 : FIRST_ROOM;
		}
		got = read(fd, buf + n, room - n);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			ret = -errno;
		else if (n + (size_t)got > max)
			ret = -EFBIG;
		if (ret || !got)
			break;
		n += (size_t)got;
	}
	if (ret) {
		free(buf);
		return ret;
	}
	buf[n] = '\0';
	*out = buf;
	if (len)
		*len = n;
	return 0;
}

int file_read(const char *path, size_t max, char **out, size_t *len)
{
	/* O_NONBLOCK: opening a FIFO put in the file's place must not hang. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	int ret;

	if (fd < 0)
		return -errno;
	ret = read_fd(fd, max, out, len);
	close(fd);
	return ret;
}

int write_all(int fd, const void *data, size_t len)
{
	const char *at = data;

	while (len) {
		ssize_t n = write(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}
