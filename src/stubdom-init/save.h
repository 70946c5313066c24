/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's device state on its way to libxl.
 *
 * QEMU opens /dev/fdset/1 with O_TRUNC, which a console or pipe does not
 * allow (ftruncate gives EINVAL, qemu_dup_flags()), and its answer can reach
 * libxl before a console has delivered everything.  So QEMU writes to a file
 * in memory, the broker holds the answer, and what is in the file goes out
 * here; libxl hears of success when it is out.
 *
 * Out means: through console 1 to dom0's QEMU, libxl's stock path.  A state
 * disk needs another save_out_start() and nothing else.
 */
#ifndef SAVE_H
#define SAVE_H

#include <sys/types.h>

#include "loop.h"

/* Much more than any device state; a runaway QEMU fills no more than this. */
#define SAVE_FILE_MAX	(24 * 1024 * 1024)

struct save_out {
	struct loop *loop;
	int file, console;
	off_t at, size;
	struct loop_source src;
	struct loop_timer timer;
	int64_t moved_ms;		/* when bytes went out last */
	enum { SAVE_IDLE, SAVE_WRITE, SAVE_DRAIN, SAVE_SETTLE } state;
	/* 0, or negative errno: libxl must not use what it got. */
	void (*done)(void *arg, int err);
	void *arg;
};

/* @file: the state, read-write; @console: non-blocking. */
void save_out_init(struct save_out *s, struct loop *loop, int file, int console,
		   void (*done)(void *arg, int err), void *arg);
/* Send the file; done() is called later, once. */
void save_out_start(struct save_out *s);

#endif
