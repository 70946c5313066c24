/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Watch events of xenstore, folded into a set of domains: however many events
 * a domain causes, it is looked at once per round, and a round takes no more
 * than WATCHES_ROUND of them off the queue before their domains are served.
 */
#ifndef XE_WATCHES_H
#define XE_WATCHES_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#include "xen/domain.h"

#define WATCHES_ROUND 512

/* All zero: empty. */
struct domid_set {
	unsigned int count;
	uint64_t words[(DOMID_LIMIT + 63) / 64];
};

/* @domid is below DOMID_LIMIT. */
void domid_set_add(struct domid_set *s, uint32_t domid);
/* The next domain at or after @from, taken out of the set; -1 when there are no more. */
int domid_set_take(struct domid_set *s, uint32_t from);

/*
 * Pure: the domain in @path, a watched directory of domains or a path below it.
 *   1  "DIRECTORY/DOMID" and perhaps more, at *@rest
 *   0  the directory itself: xenstored says so once for a new watch
 *  -1  anything else
 */
int watches_domid(const char *path, const char *directory, uint32_t *domid, const char **rest);

/* What one event means. */
typedef void watches_fn(void *arg, const char *path, const char *token);

/* Give @fn what is queued.  Never waits.  Negative errno when xenstored went away. */
int watches_take(struct xs_handle *xs, watches_fn *fn, void *arg);

#endif
