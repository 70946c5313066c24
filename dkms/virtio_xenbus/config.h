/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device configuration as readers see it.  The virtio device outlives its
 * connections, and its sysfs files, HDIO_GETGEO and so on can be asked for it at
 * any time: while a backend serves the device, the control page counts; else what
 * was known last.
 *
 * Linux' drivers believe some of its fields: an index into a table, a size of an array of
 * theirs.  The backend may write anything there, so whoever reads one gets what is in
 * the range that makes sense for the device.
 *
 * Pure functions; the caller holds a lock around each call.  Nothing here sleeps.
 */
#ifndef VX_CONFIG_H
#define VX_CONFIG_H

#include "shim.h"
#include "virtio_xenbus.h"

struct vx_config {
	const struct vx_ctrl *page;	/* the one that counts; NULL: kept[which] does */
	u32 size;			/* bytes of configuration; zeros are read behind them */
	u32 gen;			/* added to the page's generation */
	u32 device_id, queues;		/* of the device; 0: fields are not looked at */
	unsigned int which;
	u8 kept[2][VX_MAX_CONFIG];	/* the last good copy, and room for the next */
};

/* Bytes at the beginning in which fields are put right. */
#define VX_CONFIG_CHECKED	96

/* From now on @page counts, of which @size bytes are configuration.  Do they differ from what was known? */
bool vx_config_follow(struct vx_config *c, const struct vx_ctrl *page, u32 size);
/* From now on the page does not count: what it has now is kept, or, while that changes, the copy before it. */
void vx_config_hold(struct vx_config *c);
/* Copy the page, for the case that the backend dies while it changes it. */
void vx_config_keep(struct vx_config *c);
/* Nobody takes what is written: readers see it all the same.  Ends what vx_config_follow() began. */
void vx_config_write(struct vx_config *c, u32 offset, const void *buf, u32 len);
/* 0, or -EAGAIN: the backend is changing it. */
int vx_config_read(const struct vx_config *c, u32 offset, void *buf, u32 len);
/* Put fields right, in the first @size bytes of a configuration; a field that is not wholly there is left alone. */
void vx_config_clamp(u32 device_id, u32 queues, u8 *config, u32 size);
/* Another number when what is read may be another. */
u32 vx_config_generation(const struct vx_config *c);

#endif
