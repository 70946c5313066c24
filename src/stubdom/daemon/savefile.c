// SPDX-License-Identifier: GPL-2.0-or-later
#include "savefile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "root.h"
#include "state_disk.h"
#include "xen/xs_util.h"

int savefile_parse(const char *text, struct save_ask *out)
{
	size_t n = strcspn(text, " ");
	char digits[16];

	if (n >= sizeof(digits) || text[n] != ' ' || strlen(text + n + 1) != STUBDOM_TAG_LEN ||
	    strspn(text + n + 1, "0123456789abcdef") != STUBDOM_TAG_LEN)
		return -EINVAL;
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (xsu_parse_uint(digits, STUBDOM_STATE_MAX, &out->len) || !out->len)
		return -EINVAL;
	strcpy(out->tag, text + n + 1);
	return 0;
}

static const char *name(char *buf, size_t size, uint32_t guest, const char *end)
{
	snprintf(buf, size, "%s/var/lib/xen/qemu-save.%u%s", host_root, guest, end);
	return buf;
}

int savefile_keep(uint32_t guest)
{
	char first[512], all[512];

	name(first, sizeof(first), guest, "");
	name(all, sizeof(all), guest, SAVEFILE_ALL);
	return !link(first, all) || errno == EEXIST ? 0 : -errno;
}

int savefile_open(uint32_t guest, const struct save_ask *ask)
{
	char all[512], tag[STUBDOM_TAG_LEN];
	struct stat st;
	int fd;

	name(all, sizeof(all), guest, SAVEFILE_ALL);
	fd = open(all, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	if ((uint64_t)st.st_size >= ask->len + sizeof(tag) &&
	    pread(fd, tag, sizeof(tag), st.st_size - sizeof(tag)) == sizeof(tag) &&
	    !memcmp(tag, ask->tag, sizeof(tag)))
		return fd;
	close(fd);
	return -EAGAIN;
}

static int copy(int to, int from, off_t at, uint64_t len)
{
	char buf[1 << 16];

	while (len) {
		ssize_t n = pread(from, buf, len < sizeof(buf) ? len : sizeof(buf), at);
		int ret;

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n ? -errno : -EIO;
		ret = write_all(to, buf, (size_t)n);
		if (ret)
			return ret;
		at += n;
		len -= (uint64_t)n;
	}
	return 0;
}

int savefile_put(uint32_t guest, int fd, const struct save_ask *ask)
{
	char first[512], new[512];
	struct stat st;
	int to, ret;

	name(first, sizeof(first), guest, "");
	name(new, sizeof(new), guest, SAVEFILE_NEW);
	if (fstat(fd, &st))
		return -errno;
	unlink(new);
	to = open(new, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	ret = copy(to, fd, st.st_size - STUBDOM_TAG_LEN - (off_t)ask->len, ask->len);
	if (close(to) && !ret)
		ret = -errno;
	if (!ret && rename(new, first))
		ret = -errno;
	if (ret)
		unlink(new);
	return ret;
}

void savefile_close(int fd, bool done)
{
	struct stat st;

	/* dom0's QEMU goes on at its end; not every file system can do this. */
	if (done && !fstat(fd, &st))
		fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, st.st_size);
	close(fd);
}

/* More than @max of it takes space. */
static bool is_over(const char *path, uint64_t max)
{
	struct stat st;

	return !lstat(path, &st) && S_ISREG(st.st_mode) && (uint64_t)st.st_blocks * 512 > max;
}

int savefile_hole(const char *path, uint64_t from, uint64_t to)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK), ret = 0;
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st))
		ret = -errno;
	else if (to > (uint64_t)st.st_size)
		to = (uint64_t)st.st_size;
	if (!ret && from < to &&
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from, (off_t)(to - from)))
		ret = -errno;
	/* No file system for that: all of it goes.  QEMU writes on where it was, behind a hole. */
	if (ret == -EOPNOTSUPP)
		ret = ftruncate(fd, 0) ? -errno : 0;
	close(fd);
	return ret;
}

int savefile_bound(uint32_t guest, char *path, size_t size)
{
	struct stat one, two;
	char first[512];
	int ret;

	name(first, sizeof(first), guest, "");
	name(path, size, guest, SAVEFILE_ALL);
	if (!is_over(access(path, F_OK) ? first : path, SAVEFILE_MAX))
		return 0;
	ret = access(path, F_OK) ? savefile_keep(guest) : 0;
	/*
	 * libxl reads the first name into memory, at once and as long as it says it is, holes too.
	 * One that a state was put into is another file, and stays.
	 */
	if (!lstat(first, &one) && !lstat(path, &two) && one.st_ino == two.st_ino && one.st_dev == two.st_dev)
		unlink(first);
	if (!ret)
		ret = savefile_hole(path, 0, UINT64_MAX);
	return ret ? ret : 1;
}

int savefile_bound_incoming(uint32_t guest, uint64_t limit, char *path, size_t size)
{
	int ret;

	snprintf(path, size, "%s/var/lib/xen/qemu-resume.%u", host_root, guest);
	if (!is_over(path, limit > SAVEFILE_MAX ? limit + (1 << 20) : SAVEFILE_MAX))
		return 0;
	ret = savefile_hole(path, 0, UINT64_MAX);
	return ret ? ret : 1;
}

int savefile_new(uint32_t guest)
{
	char path[512];
	int fd;

	unlink(name(path, sizeof(path), guest, STATE_DISK_FILE_NEW));
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	return fd < 0 ? -errno : fd;
}

int savefile_publish(uint32_t guest, uint64_t len)
{
	char first[512], new[512];
	struct stat st;
	int ret = savefile_keep(guest);

	/* libxl removes it after a save that failed: then it is made now. */
	if (ret && ret != -ENOENT)
		return ret;
	name(first, sizeof(first), guest, "");
	name(new, sizeof(new), guest, STATE_DISK_FILE_NEW);
	if (lstat(new, &st))
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != len)
		return -EIO;
	return rename(new, first) ? -errno : 0;
}

void savefile_drop(uint32_t guest)
{
	char path[512];

	unlink(name(path, sizeof(path), guest, STATE_DISK_FILE_NEW));
}

int savefile_incoming(uint32_t guest, uint64_t *len)
{
	char path[512];
	struct stat st;
	int fd;

	snprintf(path, sizeof(path), "%s/var/lib/xen/qemu-resume.%u", host_root, guest);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	*len = (uint64_t)st.st_size;
	return fd;
}

void savefile_forget(uint32_t guest)
{
	char path[512];

	savefile_drop(guest);
	unlink(name(path, sizeof(path), guest, SAVEFILE_ALL));
	unlink(name(path, sizeof(path), guest, SAVEFILE_NEW));
}
