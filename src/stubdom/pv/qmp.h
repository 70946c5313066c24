/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QMP server's side: what libxl and libxenstat ask of the QEMU in dom0 of a stubdomain.
 * Pure: messages in, messages out.
 */
#ifndef PV_QMP_H
#define PV_QMP_H

#include <json-c/json.h>
#include <stdbool.h>

struct qmp_vnc {
	bool enabled;
	bool password;		/* one is asked for */
	char host[64], service[8];
};

struct qmp_server {
	const char *name;	/* the stubdomain's; NULL */
	const struct qmp_vnc *vnc;
	/* A new password; may be NULL.  0 or negative errno. */
	int (*password)(void *arg, const char *text);
	void *arg;
	bool quit;		/* somebody said so */
};

/* What a connection begins with. */
struct json_object *qmp_greeting(void);

/*
 * The answer to @msg, which stays the caller's.  @negotiated is the connection's, false at
 * first.  @msg NULL: it was no JSON.
 */
struct json_object *qmp_answer(struct qmp_server *q, bool *negotiated, struct json_object *msg);

#endif
