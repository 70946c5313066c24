/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QMP session with a backend's QEMU, in an sd-event loop.  Nothing waits: a QEMU
 * that does not take, answer or say what is due within QMP_LIMIT_MS ends the session.
 *
 * QEMU serves one client after the other, so whoever opens a session ends it
 * soon: xen-virtiod, `xen-virtio stats` and `xen-virtio resize` take turns.
 */
#ifndef XE_QMP_SESSION_H
#define XE_QMP_SESSION_H

#include <json-c/json.h>
#include <systemd/sd-event.h>

#ifndef QMP_LIMIT_MS	/* a test has less time */
#define QMP_LIMIT_MS 10000
#endif
#define QMP_MSG_MAX (256 * 1024)

struct qmp;

/* Any of them may call qmp_close(). */
struct qmp_ops {
	/* Commands may be given. */
	void (*ready)(void *arg);
	/* The answer: either @ret or @error, QEMU's words. */
	void (*reply)(void *arg, struct json_object *ret, const char *error);
	void (*event)(void *arg, const char *name, struct json_object *data);
	/* The session ended by itself; qmp_close() must follow. */
	void (*lost)(void *arg, const char *why);
};

/* NULL with errno: -ENOENT or -ECONNREFUSED while QEMU does not listen. */
struct qmp *qmp_open(sd_event *ev, const char *path, const struct qmp_ops *ops, void *arg);
void qmp_close(struct qmp *q);

/*
 * One at a time, after ready() or reply(): else -EBUSY.  Takes @args (may be NULL) and
 * @fd, which goes with it (-1: none).
 */
int qmp_command(struct qmp *q, const char *command, struct json_object *args, int fd);

/*
 * After ready() or reply(), when nothing more is to be asked: events are waited for,
 * however long that takes.  After QMP_MSG_MAX bytes of them the session ends.
 */
void qmp_wait(struct qmp *q);

#endif
