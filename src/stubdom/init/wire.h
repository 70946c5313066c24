/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Everything QEMU's arguments name, made ready before it starts. */
#ifndef WIRE_H
#define WIRE_H

#include <stdint.h>
#include <xenstore.h>

#include "args.h"
#include "contract.h"

/*
 * libxl gives a stubdomain 30 s from unpause to QEMU's "running".  What is
 * not there by now (uptime_ms()) is reported while libxl still waits.
 */
#define INIT_WIRE_DEADLINE_MS 24000

/* Each: negative errno after init_fail(). */
int wire_devices(void);			/* owners and modes below /dev */
int wire_disks(struct xs_handle *xs, const struct args_plan *plan);
int wire_nics(struct xs_handle *xs, const struct args_plan *plan);
int wire_serials(struct xs_handle *xs, const struct args_plan *plan);

/*
 * The state of the guest on its way out and in by console, libxl's stock path: for when
 * there is no state disk (state_save.h, state_restore.h).
 */
struct wire_save {
	int qemu;	/* what QEMU writes to (fdset 1); -1: cannot be saved */
	int file;	/* the same file for the broker to read and empty */
	int console;	/* where the broker sends it */
};
void wire_save(struct wire_save *s);
/* A pipe that delivers the saved state; *@feeder is the child that fills it. */
int wire_restore_fd(struct xs_handle *xs, pid_t *feeder);

#endif
