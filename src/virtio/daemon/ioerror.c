// SPDX-License-Identifier: GPL-2.0-or-later
#include "ioerror.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "qmp/session.h"

#define WINDOW_MS 60000

/* ---- pure ---- */

static const char *text_of(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) && json_object_is_type(v, json_type_string) ?
	       json_object_get_string(v) : "";
}

bool ioerror_parse(struct json_object *data, struct vd_ioerror *e)
{
	const char *reason = text_of(data, "reason");

	memset(e, 0, sizeof(*e));
	/* The disk's own node is called as the disk is. */
	if (vd_id_parse(text_of(data, "node-name"), &e->id))
		return false;
	e->write = strcmp(text_of(data, "operation"), "read") != 0;
	/* "nospace" is there only where QEMU would stop: blk_iostatus_is_enabled(). */
	e->nospace = e->write && !strcmp(reason, strerror(ENOSPC));
	log_clean(e->reason, sizeof(e->reason), reason, strlen(reason));
	return true;
}

/* ---- the session ---- */

static void on_ready(void *arg)
{
	struct ioerrors *l = arg;

	qmp_wait(l->qmp);
}

static void on_reply(void *arg, struct json_object *ret, const char *error)
{
	(void)arg;
	(void)ret;
	(void)error;
}

/* And begin again later. */
static void end(struct ioerrors *l, uint64_t again)
{
	ioerrors_stop(l);
	l->again = again;
	l->fn(l->arg, NULL);
}

static void on_event(void *arg, const char *name, struct json_object *data)
{
	struct ioerrors *l = arg;
	struct vd_ioerror e;

	/* All events count. */
	if (!limit_take(&l->told, l->now(), WINDOW_MS, VD_EVENTS_PER_MINUTE))
		end(l, l->told.start + WINDOW_MS);
	else if (!strcmp(name, "BLOCK_IO_ERROR") && ioerror_parse(data, &e))
		l->fn(l->arg, &e);
}

/* Most often the QEMU has ended, and the unit's state will tell. */
static void on_lost(void *arg, const char *why)
{
	struct ioerrors *l = arg;

	log_debug(NULL, "a backend's QEMU, I/O errors: %s", why);
	end(l, l->now() + WINDOW_MS);
}

void ioerrors_listen(struct ioerrors *l, sd_event *ev, uint32_t domid)
{
	static const struct qmp_ops ops = {
		.ready = on_ready, .reply = on_reply, .event = on_event, .lost = on_lost,
	};
	char path[64];

	if (l->qmp || l->unsupported || l->now() < l->again)
		return;
	snprintf(path, sizeof(path), VD_RUN_EVENTS, domid);
	l->qmp = qmp_open(ev, path, &ops, l);
	if (l->qmp)
		return;
	/* It runs since before an upgrade. */
	l->unsupported = errno == ENOENT;
	l->again = l->now() + WINDOW_MS;
}

void ioerrors_stop(struct ioerrors *l)
{
	qmp_close(l->qmp);
	l->qmp = NULL;
}
