// SPDX-License-Identifier: GPL-2.0-or-later
#include "blockdev.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "xen/xs_util.h"

#ifndef VD_SYS_BLOCK
#define VD_SYS_BLOCK "/sys/dev/block"	/* a test has its own */
#endif

static int read_number(dev_t dev, const char *what, uint64_t max, uint64_t *n)
{
	char path[128], text[32];
	FILE *f;
	int ret = -EIO;

	snprintf(path, sizeof(path), VD_SYS_BLOCK "/%u:%u/%s", major(dev), minor(dev), what);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	if (fgets(text, sizeof(text), f)) {
		text[strcspn(text, "\n")] = '\0';
		ret = xsu_parse_uint(text, max, n);
	}
	fclose(f);
	return ret;
}

/* A partition's queue is that of the disk, whose directory it is in. */
static int read_queue(dev_t dev, const char *what, unsigned int *to)
{
	char path[64];
	uint64_t n;
	int ret;

	snprintf(path, sizeof(path), "queue/%s", what);
	ret = read_number(dev, path, UINT32_MAX, &n);
	if (ret == -ENOENT) {
		snprintf(path, sizeof(path), "../queue/%s", what);
		ret = read_number(dev, path, UINT32_MAX, &n);
	}
	if (!ret)
		*to = (unsigned int)n;
	return ret;
}

static bool usable(unsigned int size)
{
	return size >= VD_SECTOR_MIN && size <= VD_SECTOR_MAX && !(size & (size - 1));
}

int blockdev_sectors(dev_t dev, struct vd_sectors *s)
{
	int ret = read_queue(dev, "logical_block_size", &s->logical);

	if (!ret)
		ret = read_queue(dev, "physical_block_size", &s->physical);
	if (ret)
		return ret;
	if (!usable(s->logical))
		return -EINVAL;
	/* A hint only, and some devices say what makes no sense. */
	if (!usable(s->physical) || s->physical < s->logical)
		s->physical = s->logical;
	return 0;
}

int blockdev_bytes(dev_t dev, uint64_t *bytes)
{
	uint64_t n;
	/* In units of 512 bytes, whatever its sectors are. */
	int ret = read_number(dev, "size", INT64_MAX / 512, &n);

	if (!ret)
		*bytes = n * 512;
	return ret;
}
