/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The broker's half of a save by state disk: what transfer.c decides is done here, with
 * dom0's nodes, the block device, QEMU's pipe and the child that moves the state from
 * one to the other.
 *
 * The pipe has a name (STATE_SAVE_PIPE).  As a descriptor of fdset 1 QEMU could not open
 * it: qemu_dup_flags() would truncate it, which a pipe does not allow; open(2) ignores
 * O_TRUNC for one.
 */
#ifndef STATE_SAVE_H
#define STATE_SAVE_H

#include <stdint.h>
#include <sys/types.h>
#include <xenstore.h>

#include "loop.h"
#include "mounts.h"
#include "state_disk.h"
#include "transfer.h"

#define STATE_SAVE_PIPE	INIT_RUN_DIR "/state-pipe"

struct state_save_opts {
	struct xs_handle *xs;		/* NULL: no xenstore, thus no disk */
	const char *pipe;		/* its name, for QEMU too */
	const char *machine;		/* QEMU's machine type */
	bool again;			/* QEMU may be writing a state that another broker wanted */
	/* state_dev_open(), but in tests */
	int (*open_disk)(uint32_t devid, int flags, uint64_t *size);
	/* libxl's command goes to QEMU, to write to @file; NULL: as it is, by console. */
	void (*go)(void *arg, const char *file);
	/* The save is over: QEMU's answer goes to libxl, or @error instead. */
	void (*end)(void *arg, const char *error);
	/* QEMU's version, as it said. */
	void (*version)(void *arg, char *out, size_t size);
	void *arg;
};

struct state_save {
	struct state_save_opts o;
	struct transfer t;
	struct loop *loop;
	struct loop_source xs_src, ctl_src, drain_src;
	struct loop_timer timer, look;
	char tag[STATE_DISK_TAG_LEN + 1];
	bool old_disk;			/* the node still names the one before */
	uint32_t devid;
	uint64_t limit, length;
	int pipe;			/* -1: not open */
	pid_t writer;			/* 0: none */
};

/* -ENOMEM and the like never; without xenstore there is simply no disk. */
void state_save_init(struct state_save *s, struct loop *loop, const struct state_save_opts *o);
/* What libxl or QEMU did: TRANSFER_EARLY to _DROPPED, _ANSWERED, _ERROR. */
void state_save_event(struct state_save *s, enum transfer_event ev);
/* Leave nothing behind. */
void state_save_free(struct state_save *s);

#endif
