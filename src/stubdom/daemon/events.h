/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is watched, folded into "look at domain N" and "a domain ended".
 * What is watched for all domains, no guest may write: the console backends' nodes and
 * libxl's records are dom0's, and the special watches are xenstored's.  Of a known
 * stubdomain its state disk's nodes are watched (statenodes.h), which are its own: however
 * often it writes them, it is looked at LOOKS_PER_SECOND times.
 */
#ifndef XE_EVENTS_H
#define XE_EVENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#include "daemon/watches.h"

#define EVENTS_CONSOLES "/local/domain/0/backend/console"
#define EVENTS_RELEASE "@releaseDomain"
#define EVENTS_INTRODUCE "@introduceDomain"
#define EVENTS_DEVICES "/libxl"
/* Token of watches below a stubdomain's own directory. */
#define EVENTS_STATE "state"

struct events {
	bool scan;			/* look at everything */
	bool sweep;			/* some domain ended */
	bool born;			/* some domain came */
	struct domid_set marked;	/* look at these */
};

/* Ask xenstored for them; the first round then says "scan". */
int events_watch(struct xs_handle *xs);

/* Take what is queued.  Never waits.  -errno when xenstored went away. */
int events_take(struct xs_handle *xs, struct events *ev);

/* Pure: what one event means. */
void events_note(struct events *ev, const char *path, const char *token);

#endif
