/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Init's own QMP connection to QEMU, on a monitor that libxl knows nothing of,
 * in init's event loop.
 */
#ifndef MONITOR_H
#define MONITOR_H

#include <stdbool.h>

#include "loop.h"
#include "qmp/client.h"

struct monitor {
	struct loop *loop;
	struct loop_source src;		/* .fd is -1 while there is no connection */
	struct qmp_client client;
	/* Once, when commands are answered. */
	void (*ready)(void *arg, const char *version);
	void *ready_arg;
	/* Does QEMU still answer?  One line when it does not, one when it does again. */
	struct loop_timer beat;
	bool beat_asked, beat_missed;
};

/* How often it is asked: a QEMU that needs as long stands still.  Tests shorten it. */
extern int monitor_beat_ms;

/* Takes @fd, a connected socket. */
int monitor_init(struct monitor *m, struct loop *loop, int fd,
		 void (*ready)(void *arg, const char *version), void *arg);
/*
 * Queue a command, as qmp_client_command() does; also before monitor_init(), and
 * when QEMU is gone: -ENOTCONN.  With @fn NULL a refusal is a line for debugging.
 */
int monitor_send(struct monitor *m, const char *command, struct json_object *args,
		 int fd, qmp_reply_fn *fn, void *arg);
void monitor_close(struct monitor *m);

#endif
