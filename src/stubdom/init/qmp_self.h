/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Init's own QMP connection to QEMU, on a monitor that libxl knows nothing
 * of: commands one after the other, each with an answer.
 */
#ifndef QMP_SELF_H
#define QMP_SELF_H

#include <json-c/json.h>

#include "loop.h"
#include "qmp_msg.h"

#define QMP_SELF_QUEUE 64

/* @ret: the answer's "return", or NULL when QEMU refused or is gone. */
typedef void qmp_self_fn(void *arg, struct json_object *ret);

struct qmp_self_cmd {
	char *text;
	int fd;			/* goes with it; -1: none */
	qmp_self_fn *fn;
	void *arg;
};

struct qmp_self {
	struct loop *loop;
	struct loop_source src;
	struct qmp_stream in;
	struct qmp_buf out;
	bool greeted, busy;
	struct qmp_self_cmd queue[QMP_SELF_QUEUE];
	unsigned int head, count;
	/* After the greeting, once. */
	void (*ready)(void *arg, const char *version);
	void *ready_arg;
};

/* Takes @fd, a connected socket. */
int qmp_self_init(struct qmp_self *q, struct loop *loop, int fd,
		  void (*ready)(void *arg, const char *version), void *arg);
/*
 * Queue a command; takes @args (or NULL) and @fd (or -1) in any case.
 * fn (or NULL) is called exactly once when this returns 0.
 */
int qmp_self_send(struct qmp_self *q, const char *cmd, struct json_object *args,
		  int fd, qmp_self_fn *fn, void *arg);
void qmp_self_close(struct qmp_self *q);

#endif
