/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Can this stubdomain's QEMU read a saved state?  Pure. */
#ifndef STATE_FIT_H
#define STATE_FIT_H

#include <stddef.h>

#include "state/header.h"

/*
 * @qemu: this one's version, @machine: its machine type; "" when it is not known, and then
 * nothing is said against the state.  0, or -ENOEXEC with the reason in @why.
 */
int state_fit(const struct state_info *info, const char *qemu, const char *machine,
	      char *why, size_t size);

#endif
