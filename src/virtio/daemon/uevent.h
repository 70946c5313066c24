/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Block devices that changed, as the kernel reports them
 * (NETLINK_KOBJECT_UEVENT): one that has grown, among others.
 */
#ifndef XE_VD_UEVENT_H
#define XE_VD_UEVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* The kernel's own limit is UEVENT_BUFFER_SIZE, 2048, and a line before it. */
#define VD_UEVENT_MAX 8192
#define VD_UEVENTS_ROUND 256

/* A socket that never waits, or negative errno. */
int uevent_open(void);

/* @dev is 0 when events were lost: any may have changed. */
typedef void uevent_fn(void *arg, dev_t dev);
/* Take what is queued.  -errno when the socket does not work any more. */
int uevent_take(int fd, uevent_fn *fn, void *arg);

/*
 * Pure: is it a change of a block device?  "change@PATH", then NAME=VALUE, each with
 * a NUL at its end.  Not RESIZE=1 alone: the device mapper (LVM) does not say that.
 */
bool uevent_changed(const char *msg, size_t len, dev_t *dev);

#endif
