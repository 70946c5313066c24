/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The data of a state disk, out and in: what a child process does, block after block.
 *
 * A child, because a disk whose other end is gone holds whoever uses it for ever and
 * beyond signals; and because it needs no more than three descriptors.  It holds one
 * block in memory, and O_DIRECT keeps the kernel from holding more.
 *
 * It sends struct state_io_msg on its control socket (SOCK_SEQPACKET) and waits there
 * for one byte, to go on; when the socket ends, so does it.
 */
#ifndef STATE_IO_H
#define STATE_IO_H

#include <stdint.h>
#include <sys/types.h>

#include "state/header.h"

struct state_io_msg {
	enum {
		STATE_IO_TOOK,		/* save: a block is full, and will be written now */
		STATE_IO_MOVED,		/* a block was written, or read */
		STATE_IO_END,		/* save: nothing more comes; waits */
		STATE_IO_SEALED,	/* save: header written, all of it flushed */
		STATE_IO_VERIFIED,	/* restore: it is what its header says; waits */
		STATE_IO_BAD,		/* restore: it is not, and why */
		STATE_IO_BROKEN,	/* the disk cannot be used, or no state came, and why */
	} what;
	struct state_info info;		/* END (length), VERIFIED */
	char why[STATE_DISK_REASON_MAX + 1];
};

struct state_io {
	int stream;			/* QEMU's end of the pipe: read (save) or written */
	int disk;
	int ctl;
	uint64_t limit;			/* the longest state */
	const char *qemu, *machine;	/* save: for the header */
};

/* What the child's exit means, as waitpid() has it; any other is a broken disk. */
#define STATE_IO_EXIT_OK	0
/* Restore: it was another state when it was read again; QEMU did not get its end. */
#define STATE_IO_EXIT_CHANGED	3

/* The child's work: an exit code.  Neither allocates memory: a thread of the parent may be doing so. */
int state_io_save(const struct state_io *io);
int state_io_restore(const struct state_io *io);

/*
 * Fork a child that does @work with these descriptors and no others; they are closed
 * here, whatever happens.  *@ctl is this side's end.  The child, or negative errno.
 */
pid_t state_io_start(int (*work)(const struct state_io *io), struct state_io *io, int *ctl);

#endif
