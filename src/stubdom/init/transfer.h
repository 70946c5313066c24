/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One save by state disk, from libxl's first hint to dom0's last word: what happens, and
 * what is to be done about it (docs/state-disk.md, sections 4 and 6).  Pure; state_save.c
 * does it.
 *
 *   IDLE      nothing is wanted
 *   NO_DISK   dom0 has none for this stop of the guest: its state goes by console
 *   ASKED     `want` is written
 *   FOUND     dom0 named the disk; its block device is being looked for
 *   READY     it is open
 *   MOVING    QEMU has the command, its state goes to the disk
 *   SEALING   it is all there, and QEMU's answer: the header follows
 *   RESULT    `done` is written
 *   DRAIN     libxl was told of a failure; QEMU still writes, to nobody
 *
 * Up to READY nothing is lost by another way, later there is one only.
 */
#ifndef TRANSFER_H
#define TRANSFER_H

#include <stdbool.h>

enum transfer_event {
	TRANSFER_EARLY,		/* a migration begins */
	TRANSFER_STOP,		/* the guest is stopped to be saved */
	TRANSFER_SAVE,		/* libxl's command: QEMU has not got it yet */
	TRANSFER_CANCEL,	/* the migration is given up */
	TRANSFER_CONT,		/* the guest runs again */
	TRANSFER_DROPPED,	/* whoever gave it left */
	TRANSFER_DISK,		/* dom0 named the disk */
	TRANSFER_OLD_DISK,	/* dom0 has not removed the one before */
	TRANSFER_FREE,		/* now it has */
	TRANSFER_REFUSED,	/* dom0: it ends, and why */
	TRANSFER_OK,		/* dom0: the state is where libxl reads it */
	TRANSFER_DEVICE,	/* the block device is open */
	TRANSFER_TOOK,		/* a block is full: it is being written */
	TRANSFER_MOVED,		/* ... and it is written */
	TRANSFER_END,		/* QEMU closed the pipe, and all of it is written */
	TRANSFER_SEALED,	/* header written and flushed, device closed */
	TRANSFER_BROKEN,	/* the device or who writes to it failed, and why */
	TRANSFER_ANSWERED,	/* QEMU: the state is written */
	TRANSFER_ERROR,		/* QEMU: an error, which libxl has got */
	TRANSFER_TIMER,
};

enum transfer_state {
	TRANSFER_IDLE, TRANSFER_NO_DISK, TRANSFER_ASKED, TRANSFER_FOUND, TRANSFER_READY,
	TRANSFER_MOVING, TRANSFER_SEALING, TRANSFER_RESULT, TRANSFER_DRAIN,
};

/* What is to be done, in this order. */
#define DO_CLOSE	0x001	/* let go of writer and device */
#define DO_UNWANT	0x002	/* remove `want` and `done` */
#define DO_WANT		0x004	/* a new tag, a new `want` */
#define DO_FIND		0x008	/* look for the block device until it is open */
#define DO_START	0x010	/* start the writer, then let QEMU have the command with the pipe */
#define DO_CONSOLE	0x020	/* let QEMU have it as it is: the state goes by console */
#define DO_SEAL		0x040	/* have the header written */
#define DO_DONE		0x080	/* write `done` */
#define DO_RELEASE	0x100	/* libxl gets QEMU's answer */
#define DO_FAIL		0x200	/* libxl gets an error, with transfer.why */
#define DO_DRAIN	0x400	/* read QEMU's pipe to its end, for nobody */
#define DO_UNDRAIN	0x800	/* no longer */
#define DO_SAY		0x1000	/* log transfer.why: no disk, and how it goes on */

struct transfer {
	enum transfer_state state;
	bool stopped;		/* the guest, as far as libxl has said */
	bool held;		/* libxl's command waits */
	bool answered, ended;	/* MOVING: QEMU's answer is there; its pipe has ended */
	bool writing;		/* MOVING: a block is being written */
	int timer_ms;		/* 0: none runs */
	bool timer_set;		/* it begins with this event */
	char why[256];		/* for libxl and the log */
};

/*
 * @served: dom0 has a daemon for state disks, for EARLY, STOP and SAVE (the first three).  @why: of REFUSED
 * and BROKEN.  Returns DO_*.
 */
unsigned int transfer_step(struct transfer *t, enum transfer_event ev, bool served, const char *why);

#endif
