/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes of a stubdomain's consoles, framebuffer and keyboard: their two ends' states, and
 * what the process that serves them is to be told.  Devices have link.h's numbers.
 */
#ifndef PV_FRONT_H
#define PV_FRONT_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#include "pv/link.h"
#include "plan.h"
#include "xen/xenbus.h"

struct front_dev {
	bool there;
	enum xenbus_state back;		/* as we have written it */
	bool connecting;		/* who serves it was asked */
	bool refused;			/* stays closed */
};

struct front {
	struct xs_handle *xs;
	uint32_t stub;
	const struct log_about *about;
	struct front_dev dev[LINK_DEVICES];
	/* Say it to who serves device m->n. */
	void (*tell)(void *arg, const struct link_msg *m);
	void *arg;
};

enum front_do { FRONT_NOTHING, FRONT_WAIT, FRONT_CONNECT, FRONT_CLOSE };

/* Pure: what to do about a device that is not the primary console; @front: 0 for none or nonsense. */
enum front_do front_decide(const struct front_dev *d, enum xenbus_state front);

/*
 * Before the stubdomain runs; @f has everything but its devices.  @display: framebuffer and
 * keyboard are served; else they are closed.  Negative errno.
 */
int front_init(struct front *f, const struct plan *p, const char *const *tty, bool display);
/* The primary console has no state of its own: the first thing. */
void front_primary(struct front *f, const struct plan *p);
/* Look at all. */
int front_look(struct front *f);
/* An answer.  -EPROTO: it was not asked. */
int front_answer(struct front *f, const struct link_msg *m);
/* Nothing is served any more. */
void front_end(struct front *f);

/*
 * The stubdomain may read what is told about its display, and shall not know the password:
 * before it runs, and before libxl writes it once more.
 */
int front_hide_password(struct front *f);

/* Nobody serves framebuffer and keyboard any more. */
int front_close_display(struct front *f);

#endif
