// SPDX-License-Identifier: GPL-2.0-or-later
#include "job.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"

/*
 * How a device is taken away, whatever it is: what it has not got, QEMU does
 * not know, and says so.  In the reverse of the order it was made in.
 */
static const struct {
	const char *command, *key, *suffix;
	bool waits;
} undo[] = {
	{ "device_del", "id", ".con", true },
	{ "device_del", "id", ".dev", true },
	{ "device_del", "id", "", true },
	{ "netdev_del", "id", ".net", false },
	{ "blockdev-del", "node-name", "", false },
	{ "remove-fd", "fdset-id", NULL, false },	/* by number */
	{ "chardev-remove", "id", ".chr", false },
	{ "object-del", "id", ".io", false },
	{ "object-del", "id", ".rng", false },
};

#define N_UNDO (sizeof(undo) / sizeof(undo[0]))

void vd_job_init(struct vd_job *j, enum vd_job_kind kind, struct vd_id id, struct vd_steps *steps)
{
	memset(j, 0, sizeof(*j));
	j->kind = kind;
	j->id = id;
	j->undo = kind == VD_JOB_UNPLUG;
	if (steps) {
		j->steps = *steps;
		memset(steps, 0, sizeof(*steps));
	}
}

void vd_job_free(struct vd_job *j)
{
	vd_steps_free(&j->steps);
}

bool vd_job_done(const struct vd_job *j)
{
	return !j->sent && !j->waits[0] && j->at >= (j->undo ? N_UNDO : j->steps.n);
}

const char *vd_job_next(struct vd_job *j, struct json_object **args, int *fd)
{
	*fd = -1;
	if (j->sent || j->waits[0] || vd_job_done(j))
		return NULL;
	j->sent = true;
	if (!j->undo) {
		struct vd_step *s = &j->steps.step[j->at];

		*args = json_object_get(s->args);
		*fd = s->fd;
		s->fd = -1;
		return s->command;
	}
	*args = json_object_new_object();
	if (undo[j->at].suffix)
		vd_put_name(*args, undo[j->at].key, j->id, undo[j->at].suffix);
	else
		json_object_object_add(*args, undo[j->at].key, json_object_new_int(vd_id_fdset(j->id)));
	/* It may be said before the answer comes. */
	if (undo[j->at].waits) {
		char name[VD_ID_MAX];

		snprintf(j->waits, sizeof(j->waits), "%s%s", vd_id_name(name, j->id),
			 undo[j->at].suffix);
	}
	return undo[j->at].command;
}

void vd_job_reply(struct vd_job *j, const char *error)
{
	if (!j->sent)
		return;
	j->sent = false;
	if (!error) {
		j->at++;
		return;
	}
	if (j->undo) {
		j->waits[0] = '\0';
		j->at++;
		return;
	}
	log_clean(j->error, sizeof(j->error), error, strlen(error));
	if (j->kind == VD_JOB_RESIZE) {
		j->at = j->steps.n;
		return;
	}
	j->undo = true;
	j->at = 0;
}

void vd_job_deleted(struct vd_job *j, const char *device)
{
	if (!strcmp(j->waits, device))
		j->waits[0] = '\0';
}
