/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that moves bytes between a stubdomain's consoles and files and ptys.  It has
 * grants and event channels of that stubdomain, open files, and nothing else.
 */
#ifndef PV_WORKER_H
#define PV_WORKER_H

#include <stdbool.h>

#include "base/log.h"
#include "base/ratelimit.h"
#include "conring.h"
#include "pv/foreign.h"
#include "pv/link.h"
#include "pv/pace.h"
#include "sink.h"

/* A console may send so much at once: a boot's messages; any state. */
#define WORKER_BURST		(1024 * 1024)
#define WORKER_LINES_PER_HOUR	10

struct con {
	struct sink sink;
	struct foreign_ring map;
	struct conring ring;
	struct pace pace;
	uint64_t wake;		/* serve it then; 0: at the next event */
	bool masked;		/* no event comes until foreign_unmask() */
	bool failed;		/* its file cannot be written, which was said */
};

struct worker {
	struct foreign *foreign;
	int sock, epoll;
	const struct log_about *about;
	struct limit lines;
	struct con con[CONSOLES_MAX];
};

/* Everything but @foreign, @sock, @about and the sinks.  Negative errno. */
int worker_init(struct worker *w);
/* One round; waits for at most @max_ms.  Negative errno: the parent is gone. */
int worker_round(struct worker *w, int max_ms);
/* Until the parent is gone; then a last look at what is in the rings. */
void worker_run(struct worker *w);

#endif
