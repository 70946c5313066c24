/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device as QEMU has to be told of it: as arguments of a QEMU that is being
 * started, or as QMP commands to one that runs.  Both are made from the same
 * steps.  Pure.
 *
 * A device NAME ("virtio_disk-51712") has the transport NAME, the virtio device
 * NAME.dev on its bus NAME.0, and what that needs: NAME (blockdev), NAME.io
 * (iothread), NAME.net (netdev), NAME.rng, NAME.chr (chardev), NAME.fs (fsdev).
 */
#ifndef XE_VD_PLUG_H
#define XE_VD_PLUG_H

#include <json-c/json.h>
#include <stdbool.h>

#include "virtio/ids.h"
#include "virtio/spec.h"

#define VD_STEPS_MAX 7
#define VD_NAME_MAX (VD_ID_MAX + 8)

struct vd_step {
	const char *option;		/* "-device" */
	char *text;			/* its argument, where JSON is not taken */
	const char *command;		/* "device_add"; NULL: at the start only */
	struct json_object *args;
};

struct vd_steps {
	struct vd_step step[VD_STEPS_MAX];
	unsigned int n;
};

/*
 * @found: by vd_probe().  -EINVAL when it cannot be named, -ENOMEM.
 * vd_steps_free() in any case.
 */
int vd_steps_make(struct vd_steps *st, uint32_t domid, struct vd_id id,
		  const struct vd_spec *s, const struct vd_found *found);
void vd_steps_free(struct vd_steps *st);
/*
 * A disk's new size.  For a file QEMU makes it so big; for a block device, which has
 * the size it has, QEMU looks: @bytes must not be more.  As vd_steps_make().
 */
int vd_steps_resize(struct vd_steps *st, struct vd_id id, uint64_t bytes);
/* QEMU can only be given it when it starts. */
bool vd_steps_cold(const struct vd_steps *st);

/* ---- arguments of a QEMU that is being started ---- */

struct vd_argv {
	char **v;		/* ends with NULL */
	unsigned int n, room;
};

/* Everything but the devices.  -ENOMEM */
int vd_argv_base(struct vd_argv *a, const char *qemu, uint32_t domid, const char *guest);
int vd_argv_steps(struct vd_argv *a, const struct vd_steps *st);
void vd_argv_free(struct vd_argv *a);

/* ---- QMP, one command after the other ---- */

enum vd_job_kind { VD_JOB_PLUG, VD_JOB_UNPLUG, VD_JOB_RESIZE };

struct vd_job {
	enum vd_job_kind kind;
	struct vd_id id;
	struct vd_steps steps;
	unsigned int at;
	bool undo;			/* unplug, or a plug that failed */
	bool sent;			/* an answer is due */
	char waits[VD_NAME_MAX];	/* for this device's end; "": for none */
	char error[VD_ERROR_MAX];	/* QEMU's words when a plug or a resize failed */
};

/* Takes @steps (may be NULL for VD_JOB_UNPLUG, which undoes whatever there is). */
void vd_job_init(struct vd_job *j, enum vd_job_kind kind, struct vd_id id, struct vd_steps *steps);
void vd_job_free(struct vd_job *j);
/*
 * The next command, with arguments that the caller owns; NULL when the job
 * waits for something or is done.
 */
const char *vd_job_next(struct vd_job *j, struct json_object **args);
/* The answer to it; @error is NULL when all is well. */
void vd_job_reply(struct vd_job *j, const char *error);
/* QEMU says that a device is no more. */
void vd_job_deleted(struct vd_job *j, const char *device);
bool vd_job_done(const struct vd_job *j);

#endif
