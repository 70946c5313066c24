/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The process that libxl knows: xenstore and QMP. */
#ifndef PV_SERVE_H
#define PV_SERVE_H

#include "args.h"
#include "front.h"
#include "monitor.h"
#include "plan.h"

/* Both are there within this time, and the consoles' ends within that. */
#define SERVE_READY_MS	30000
#define SERVE_END_MS	2000
/* The stubdomain's nodes are looked at no more often. */
#define SERVE_LOOK_MS	50

struct serve {
	const struct args *args;
	const struct plan *plan;
	const struct log_about *about;
	const char *tty[CONSOLES_MAX];
	int sock;		/* who serves the consoles */
	int vnc_sock;		/* who serves the display; -1: nobody */
	int signals;		/* signalfd: SIGHUP and SIGTERM */
	struct xs_handle *xs;
	int xs_fd;
	struct front front;
	struct monitor monitor[ARGS_MONITORS];
	unsigned int n_monitors;
	struct qmp_vnc vnc;
	struct qmp_server qmp;
	bool ready, vnc_ready;	/* they said so */
	bool running;		/* libxl was told */
	bool dirty;		/* nodes have changed */
	bool end;
	uint64_t looked;
};

/* Sockets, xenstore, watches: what takes root's rights.  Negative errno, already logged. */
int serve_open(struct serve *s);
/* Until libxl or the domain's end says so: the exit status. */
int serve_run(struct serve *s);

/* libxl's question about options, on sockets that are there; ends with "quit". */
int serve_probe(const struct args *a);

#endif
