/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device as QEMU has to be told of it: as arguments of a QEMU that is being
 * started, or as QMP commands to one that runs.  Both are made from the same
 * steps: argv.h, job.h.  Pure.
 *
 * A device NAME ("virtio_disk-51712") has the transport NAME, the virtio device
 * NAME.dev on its bus NAME.0, and what that needs: NAME (blockdev), NAME.io
 * (iothread), NAME.net (netdev), NAME.rng, NAME.chr (chardev), NAME.fs (fsdev).
 *
 * Open files go by their numbers to a QEMU that is being started, which inherits them.
 * One that runs is given them with commands: a disk's for a set (add-fd), others for
 * a name (getfd), NAME.fd0 and so on.
 */
#ifndef XE_VD_STEPS_H
#define XE_VD_STEPS_H

#include <json-c/json.h>
#include <stdbool.h>

#include "opened.h"
#include "virtio/ids.h"
#include "virtio/spec.h"

#define VD_STEPS_MAX (7 + VD_OPENED_MAX)
#define VD_NAME_MAX (VD_ID_MAX + 8)

struct vd_step {
	const char *option;		/* "-device" */
	char *text;			/* its argument, where JSON is not taken */
	const char *command;		/* "device_add"; NULL: at the start only */
	struct json_object *args;
	int fd;				/* goes with the command, and is ours; -1: none */
};

struct vd_steps {
	struct vd_step step[VD_STEPS_MAX];
	unsigned int n;
	bool failed;			/* there was no memory for all of it */
};

/*
 * @found: by vd_probe(), @o: by vd_opened_open().  @running: for a QEMU that runs; then
 * the files are the steps', and @o is empty afterwards.  -EINVAL when it cannot be
 * named, -ENOMEM.  vd_steps_free() in any case.
 */
int vd_steps_make(struct vd_steps *st, struct vd_id id, const struct vd_spec *s,
		  const struct vd_found *found, struct vd_opened *o, bool running);
void vd_steps_free(struct vd_steps *st);
/*
 * A disk's new size.  For a file QEMU makes it so big; for a block device, which has
 * the size it has, QEMU looks: @bytes must not be more.  As vd_steps_make().
 */
int vd_steps_resize(struct vd_steps *st, struct vd_id id, uint64_t bytes);
/* QEMU can only be given it when it starts. */
bool vd_steps_cold(const struct vd_spec *s);

/* Set @key to a part's name: NAME and @suffix. */
void vd_put_name(struct json_object *o, const char *key, struct vd_id id, const char *suffix);

#endif
