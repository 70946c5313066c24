/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One QMP socket: a client at a time, as QEMU has it; the others wait. */
#ifndef PV_MONITOR_H
#define PV_MONITOR_H

#include <poll.h>

#include "args.h"
#include "qmp/stream.h"
#include "qmp.h"

#define MONITOR_MSG_MAX		(64 * 1024)
#define MONITOR_OUT_MAX		(256 * 1024)

struct monitor {
	int listen, client;
	struct qmp_stream in;
	struct qmp_buf out;
	bool negotiated;
};

/* Make the socket, or take the one that there is.  Negative errno. */
int monitor_open(struct monitor *m, const struct args_monitor *a);
void monitor_close(struct monitor *m);

/* What to wait for. */
struct pollfd monitor_poll(const struct monitor *m);
/* It came.  Whatever a client does wrong ends its connection and nothing else. */
void monitor_serve(struct monitor *m, struct qmp_server *q, short revents);

#endif
