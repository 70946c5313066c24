/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The saved state by disk (docs/state-disk.md, section 5): init's half. */
#ifndef STATE_RESTORE_H
#define STATE_RESTORE_H

#include <sys/types.h>
#include <xenstore.h>

/*
 * A pipe that delivers the state, which has been verified, and *@feeder, the child that
 * fills it.  -ENODATA: it is to be taken from the console, and nothing of it was
 * read; other negative errno after init_fail().  @qemu and @machine: see state_fit().
 */
int state_restore_fd(struct xs_handle *xs, const char *qemu, const char *machine, pid_t *feeder);

/* The feeder has ended: dom0 can have its disk back. */
void state_restore_ended(struct xs_handle *xs, int status);

#endif
