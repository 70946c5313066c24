/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A QMP client's side of the conversation with a QEMU that is not trusted:
 * greeting, negotiation, commands one after the other, answers and events.
 * Bytes in, bytes out: whoever owns the connection moves them, and says how
 * long it waits (session.c with sd-event, stubdom-init's monitor.c with epoll).
 */
#ifndef XE_QMP_CLIENT_H
#define XE_QMP_CLIENT_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

#include "stream.h"

/* Commands that wait, the one being answered included. */
#define QMP_QUEUE 64

/* The answer: @ret, or @error with QEMU's words; both belong to the client. */
/* Bytes of @error, which is printable: a QEMU that its guest has taken over chooses it. */
#define QMP_ERROR_MAX 512
typedef void qmp_reply_fn(void *arg, struct json_object *ret, const char *error);

struct qmp_client_ops {
	/* Negotiated with a QEMU of @version, "10.0.13"; only numbers are taken from it. */
	void (*ready)(void *arg, const char *version);
	/* Of commands that have no function of their own. */
	qmp_reply_fn *reply;
	void (*event)(void *arg, const char *name, struct json_object *data);
};

struct qmp_queued {
	char *text;
	int fd;			/* goes with it; -1: none */
	qmp_reply_fn *fn;
	void *arg;
};

struct qmp_client {
	const struct qmp_client_ops *ops;
	void *arg;
	struct qmp_stream in;
	struct qmp_buf out;
	int fd;			/* goes with the next byte of @out, alone; -1: none */
	bool greeted, ready;
	bool asked;		/* the first of the queue is being answered */
	char version[48];
	const char *broken;	/* why the conversation is over */
	struct qmp_queued queue[QMP_QUEUE];
	unsigned int head, count;
};

/* QEMU's messages have at most @max bytes.  -ENOMEM. */
int qmp_client_init(struct qmp_client *c, const struct qmp_client_ops *ops, void *arg, size_t max);
/*
 * Also from within a function of the client's.  Commands without an answer get
 * an error for one.
 */
void qmp_client_free(struct qmp_client *c);

/*
 * Queue a command: it is in @out when its turn has come.  Takes @args (or NULL)
 * and @fd (or -1) in any case.  @fn (NULL: ops->reply) is called exactly once
 * when this returns 0.  -EBUSY when the queue is full, -ENOMEM.
 */
int qmp_client_command(struct qmp_client *c, const char *command, struct json_object *args,
		       int fd, qmp_reply_fn *fn, void *arg);

/* Bytes of QEMU.  Why the conversation is over (a constant); NULL: it is not. */
const char *qmp_client_input(struct qmp_client *c, const char *data, size_t len);

/*
 * Send what @out has to the socket @fd, without waiting.  True when there is more
 * to send.  (A broken connection shows when it is read.)
 */
bool qmp_client_push(struct qmp_client *c, int fd);

#endif
