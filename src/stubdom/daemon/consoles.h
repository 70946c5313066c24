/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Making a stubdomain's consoles right.
 *
 * libxl gives each stubdomain three consoles and more (stubdom.h) and starts a
 * QEMU in dom0 that serves them.  Three things go wrong on a stock host:
 *
 * 1. Console 2 has no "output" unless the guest is being restored.  QEMU >= 8.2
 *    refuses such a console ("No serial device #2 found"), once and for all;
 *    the stubdomain's kernel waits 30 s for it and libxl gives up after 30 s.
 *    Fix: output = "null", before that QEMU looks.
 * 2. The same QEMU maps the primary console but takes nothing out of it until
 *    its frontend says Connected, which nothing ever writes: after 2 KiB the
 *    kernel spins.  Fix: state = 4 in /local/domain/N/console.  Early is
 *    better than late: QEMU then finds the node and does not make it, and
 *    with it the whole directory, the stubdomain's own (xen_device_frontend_create).
 *    QEMU 7.2 ignores the state of consoles (DEVOPS_FLAG_IGNORE_STATE).
 * 3. When 1 comes too late, the console's backend stays at 1 for ever.  Fix:
 *    backend state = 6.  Of all states only 4, 5 and 6 move hvc_xen's frontend
 *    (xencons_backend_changed), and 6 takes the console away instead of
 *    leaving one that is not read.
 * 4. A guest with vnc=1, libxl's default, gives its stubdomain a vfb, which QEMU
 *    10 in dom0 never takes: its kernel waits for that as well.  Fix: as in 3.
 * 5. libxl gives every HVM guest a PV keyboard with its backend in dom0, which
 *    the QEMU of a dom0 device model serves, and with a stubdomain nothing: a
 *    Linux guest waits 25 s for it while it boots.  Fix: backend state = 6; the
 *    guest has the keyboard and mouse that its QEMU emulates.
 */
#ifndef XE_CONSOLES_H
#define XE_CONSOLES_H

#include <stdbool.h>
#include <xenstore.h>

#include "xen/stubdomain.h"

/* hvc_xen takes the last digit of the name for the number. */
#define CONSOLES_MAX 10

#define STATE_NONE (-1)		/* no such node, or a malformed one */

struct console {
	bool there;		/* frontend and backend nodes exist */
	bool output;		/* libxl said where it goes */
	int front, back;	/* enum xenbus_state or STATE_NONE */
};

struct consoles {
	struct console c[CONSOLES_MAX];
	int display;		/* state of the vfb's backend or STATE_NONE */
	int keyboard;		/* the same of the guest's own vkbd */
};

/* What is to be written. */
struct console_plan {
	bool connect_primary;		/* console 0: frontend state 4 */
	bool null_restore;		/* console 2: output "null" */
	unsigned int close_mask;	/* bit n: backend state 6 of console n */
	bool close_display;		/* vfb: backend state 6 */
	bool close_keyboard;		/* the guest's vkbd: the same */
};

int consoles_read(struct xs_handle *xs, xs_transaction_t t,
		  const struct stub_id *id, struct consoles *out);

/* Pure.  True when there is anything to do. */
bool consoles_plan(const struct consoles *now, struct console_plan *plan);

/*
 * Do what is needed, in a transaction that sees the domain still there and
 * still this guest's: nothing is ever written below a domain that went away.
 * *@done tells what was written.  0, -ENOENT when it went away, or an error.
 */
int consoles_fix(struct xs_handle *xs, const struct stub_id *id,
		 struct console_plan *done);

#endif
