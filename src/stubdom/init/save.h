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
 * Out means: through console 1 to dom0's QEMU, libxl's stock path.  That QEMU
 * opens its file once, so that a second state is in it behind the first, and
 * restore takes the first.  Hence the words with xen-stubdomd (stubdom.h),
 * which leaves libxl the new state alone.  Without an answer the first state is
 * right all the same, and any other is refused.  "First" ends with the first
 * try: when it fails, libxl unlinks the file that dom0's QEMU writes to.
 *
 * All this is for when dom0 has no state disk (state_save.h).
 */
#ifndef SAVE_H
#define SAVE_H

#include <sys/types.h>
#include <xenstore.h>

#include "loop.h"
#include "stubdom.h"

struct save_out {
	struct loop *loop;
	int file, qemu, console;
	off_t at, size;
	struct loop_source src;
	struct loop_timer timer;
	int64_t moved_ms;		/* when bytes went out last */
	enum { SAVE_IDLE, SAVE_WRITE, SAVE_DRAIN, SAVE_ASK } state;
	struct xs_handle *xs;		/* NULL: no xenstore */
	bool first;
	char tag[STUBDOM_TAG_LEN + 1];
	char why[160];			/* for libxl, when it failed */
	/* 0, or negative errno: libxl must not use what it got. */
	void (*done)(void *arg, int err);
	void *arg;
};

/* How long an answer is waited for; tests shorten it. */
extern int save_ask_ms;

/*
 * @file: the state, read-write; @qemu: QEMU's own descriptor of it;
 * @console: non-blocking; @xs: may be NULL.
 */
void save_out_init(struct save_out *s, struct loop *loop, int file, int qemu, int console,
		   struct xs_handle *xs, void (*done)(void *arg, int err), void *arg);
/* What an earlier state left in the file goes, before QEMU gets the command. */
void save_out_empty(struct save_out *s);
/* Send the file; done() is called later, once.  @first: see above. */
void save_out_start(struct save_out *s, bool first);

#endif
