/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a QEMU that runs is told of a device in QMP, one command after the other.  Pure. */
#ifndef XE_VD_JOB_H
#define XE_VD_JOB_H

#include <stdbool.h>

#include "steps.h"

enum vd_job_kind { VD_JOB_PLUG, VD_JOB_UNPLUG, VD_JOB_RESIZE };

struct vd_job {
	enum vd_job_kind kind;
	struct vd_id id;
	struct vd_steps steps;
	unsigned int at;
	bool undo;			/* unplug, or a plug that failed */
	bool sent;			/* an answer is due */
	char waits[VD_NAME_MAX];	/* for this device's end; "": for none */
	char error[VD_ERROR_MAX];	/* QEMU's message when a plug or a resize failed */
};

/* Takes @steps (may be NULL for VD_JOB_UNPLUG, which undoes whatever there is). */
void vd_job_init(struct vd_job *j, enum vd_job_kind kind, struct vd_id id, struct vd_steps *steps);
void vd_job_free(struct vd_job *j);
/*
 * The next command, with arguments, and a file that goes with it (-1: none), that the
 * caller owns; NULL when the job waits for something or is done.
 */
const char *vd_job_next(struct vd_job *j, struct json_object **args, int *fd);
/* The answer to it; @error is NULL when all is well. */
void vd_job_reply(struct vd_job *j, const char *error);
/* QEMU's event DEVICE_DELETED. */
void vd_job_deleted(struct vd_job *j, const char *device);
bool vd_job_done(const struct vd_job *j);

#endif
