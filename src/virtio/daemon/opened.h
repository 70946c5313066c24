/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files of a device: what its QEMU is given, since it can open none of it.  By the
 * process that becomes QEMU (backend.c) and by the one beside it (keeper.c).
 */
#ifndef XE_VD_OPENED_H
#define XE_VD_OPENED_H

#include <stdint.h>

#include "virtio/ids.h"
#include "virtio/spec.h"

/* A disk: the disk.  A card: its queues, then as many of vhost-net.  A console: its socket. */
#define VD_OPENED_MAX (2 * VD_QUEUES_MAX)

struct vd_opened {
	unsigned int n;
	int fd[VD_OPENED_MAX];
};

/* How many there are.  Pure. */
unsigned int vd_opened_count(const struct vd_spec *s, const struct vd_found *found);

/*
 * Open them; sockets are made in @dir.  All are closed on exec.  Negative errno with
 * @error (VD_ERROR_MAX bytes), and nothing is open.
 */
int vd_opened_open(struct vd_opened *o, const char *dir, uint32_t domid, struct vd_id id,
		   const struct vd_spec *s, const struct vd_found *found, char *error);
void vd_opened_close(struct vd_opened *o);

/*
 * A socket that listens at @dir/@name, in place of an earlier one: only root can connect.
 * It knows itself as @name alone, which is nothing where QEMU is: QEMU removes the
 * path of a socket that it closes.  Negative errno.
 */
int vd_listen(const char *dir, const char *name, int type);

#endif
