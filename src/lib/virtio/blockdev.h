/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A block device in sysfs.  Nothing is opened: only the
 * backend's unit may open disks.
 */
#ifndef XE_VD_BLOCKDEV_H
#define XE_VD_BLOCKDEV_H

#include <stdint.h>
#include <sys/types.h>

/* What QEMU takes as a disk's sector size (qdev_prop_size32 "blocksize"). */
#define VD_SECTOR_MIN 512
#define VD_SECTOR_MAX (2u * 1024 * 1024)

struct vd_sectors {
	unsigned int logical, physical;		/* bytes */
};

/* -EINVAL when QEMU does not support them. */
int blockdev_sectors(dev_t dev, struct vd_sectors *s);
int blockdev_bytes(dev_t dev, uint64_t *bytes);

#endif
