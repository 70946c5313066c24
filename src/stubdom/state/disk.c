// SPDX-License-Identifier: GPL-2.0-or-later
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "state/header.h"

static size_t bytes(const struct disk *d)
{
	return d->sectors * STATE_DISK_SECTOR;
}

static int map(struct disk *d, int prot, int flags)
{
	void *mem = mmap(NULL, bytes(d), prot, flags, d->fd, 0);

	if (mem == MAP_FAILED)
		return -errno;
	d->mem = mem;
	return 0;
}

int disk_make(struct disk *d, uint64_t sectors)
{
	int ret;

	*d = (struct disk){ .fd = -1, .sectors = sectors };
	if (sectors > STATE_DISK_SECTORS((uint64_t)STATE_DISK_LIMIT_MAX << 20) ||
	    sectors <= STATE_DISK_BLOCK / STATE_DISK_SECTOR)
		return -EINVAL;
	d->fd = memfd_create("xen-state-disk", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (d->fd < 0)
		return -errno;
	if (ftruncate(d->fd, (off_t)bytes(d)) || fcntl(d->fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SHRINK))
		ret = -errno;
	else
		ret = map(d, PROT_READ | PROT_WRITE, MAP_SHARED);
	if (ret)
		disk_free(d);
	return ret;
}

void disk_free(struct disk *d)
{
	if (d->mem)
		munmap(d->mem, bytes(d));
	if (d->fd >= 0)
		close(d->fd);
	*d = (struct disk){ .fd = -1 };
}

/* The whole file behind the header's block.  What it has is what it has now: a copy. */
static int read_file(struct disk *d, int file, uint64_t *size)
{
	uint64_t room = bytes(d) - STATE_DISK_BLOCK;
	struct stat st;

	if (fstat(file, &st))
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((uint64_t)st.st_size > room)
		return -EFBIG;
	for (*size = 0; *size < (uint64_t)st.st_size;) {
		ssize_t n = pread(file, d->mem + STATE_DISK_BLOCK + *size,
				  (size_t)((uint64_t)st.st_size - *size), (off_t)*size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (!n)
			break;
		*size += (uint64_t)n;
	}
	return 0;
}

static int seal(struct disk *d)
{
	uint8_t *mem = d->mem;

	d->mem = NULL;
	munmap(mem, bytes(d));
	if (fcntl(d->fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SEAL))
		return -errno;
	/* Linux before 6.7 refuses a shared mapping of a sealed file, even a read-only one. */
	return map(d, PROT_READ, MAP_PRIVATE);
}

int disk_load(struct disk *d, int file, uint64_t *length, char why[STATE_DISK_REASON_MAX + 1])
{
	struct state_disk_header h;
	struct state_info info;
	uint64_t size = 0;
	bool bare;
	int ret;

	why[0] = '\0';
	ret = read_file(d, file, &size);
	if (ret) {
		snprintf(why, STATE_DISK_REASON_MAX + 1, "the file cannot be read: %s", strerror(-ret));
		return ret;
	}
	/* The daemon has looked at the file's size: what its header asks for is compared with that, not with the disk. */
	ret = state_file_check(d->mem + STATE_DISK_BLOCK, size, (uint64_t)STATE_DISK_LIMIT_MAX << 20, &info, &bare, why);
	if (ret)
		return ret;
	/* Behind the state there is nothing: no second header. */
	memset(d->mem + STATE_DISK_BLOCK + info.length, 0, size - info.length);
	state_header_make(&info, &h);
	memcpy(d->mem, &h, sizeof(h));
	*length = bare ? 0 : info.length;
	ret = seal(d);
	if (ret)
		snprintf(why, STATE_DISK_REASON_MAX + 1, "the disk cannot be sealed: %s", strerror(-ret));
	return ret;
}

int disk_store(const struct disk *d, int file, uint64_t *length, char why[STATE_DISK_REASON_MAX + 1])
{
	struct state_disk_header h;
	struct state_info info;
	int ret;

	why[0] = '\0';
	memcpy(&h, d->mem, sizeof(h));
	ret = state_header_check(&h, bytes(d) - STATE_DISK_BLOCK, &info, why);
	if (ret)
		return ret;
	*length = info.length + sizeof(h);
	ret = state_check(&info, d->mem + STATE_DISK_BLOCK, why);
	if (!ret)
		ret = write_all(file, d->mem + STATE_DISK_BLOCK, info.length);
	return ret ? ret : write_all(file, &h, sizeof(h));
}
