/* SPDX-License-Identifier: GPL-2.0-or-later */
/* QEMU, the QMP broker and what feeds QEMU a saved state: started, watched. */
#ifndef CHILDREN_H
#define CHILDREN_H

#include <stdbool.h>
#include <sys/types.h>

#include "args.h"
#include "loop.h"
#include "outlog.h"
#include "wire.h"

struct children {
	struct loop *loop;
	unsigned int guest;
	const char *machine;		/* QEMU's machine type */
	struct wire_save save;		/* kept for a broker started again */
	void (*feeder_ended)(int status);
	struct out_log qemu_log, broker_log;
	pid_t qemu, broker, feeder;
	int broker_starts;
	bool broker_ran;		/* it may have saved a state */
	struct loop_timer broker_calm, broker_again, broker_late;
	struct loop_source broker_alive;	/* readable when it shows that it is */
	bool running;			/* QEMU said so */
};

/* A broker that does not show itself for so long is ended; tests shorten it. */
extern int children_late_ms;

void children_init(struct children *c, struct loop *loop, unsigned int guest,
		   const struct wire_save *save);
/*
 * The sockets, then the broker (a client may come as soon as QEMU says
 * "running"), then QEMU.  Takes @restore_fd (or -1).  Negative errno after
 * init_fail().
 */
int children_start(struct children *c, const struct args_plan *plan,
		   int restore_fd);
/* SIGCHLD: true when QEMU has ended (its reason is said). */
bool children_reap(struct children *c);

#endif
