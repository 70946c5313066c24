/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The nodes of state disks (docs/state-disk.md, section 3): what the daemon writes, and what
 * the stubdomain does, which is read as hostile text.
 *
 * Whatever is written below a domain's own directory is written in a transaction that sees
 * the same stubdomain of the same guest: -ENOENT when it has gone.
 */
#ifndef XE_STATENODES_H
#define XE_STATENODES_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#include "state_disk.h"
#include "xen/stubdomain.h"

/* One of dom0's nodes, STATE_DISK_SERVED and so on, readable by the stubdomain; NULL: remove it. */
int statenodes_say(struct xs_handle *xs, const struct stub_id *id, const char *node, const char *text);

struct statenodes_dev {
	uint32_t devid;
	uint64_t sectors;
	bool readonly;
	const char *node, *text;	/* said in the same transaction */
};
int statenodes_attach(struct xs_handle *xs, const struct stub_id *id, const struct statenodes_dev *dev);
/* Set the backend's state, when there is that device. */
int statenodes_state(struct xs_handle *xs, uint32_t stub, uint32_t devid, int state);
/* Both directories; the frontend's while the stubdomain is there. */
int statenodes_detach(struct xs_handle *xs, const struct stub_id *id, uint32_t devid);

/* What the frontend says. */
struct statenodes_front {
	int state;		/* -1: none, or no number */
	bool ring;		/* these two are valid */
	uint32_t ref, port;
};
/* Detach all that are there; *@n counts them, @devid and @front are the last one's. */
int statenodes_detach_all(struct xs_handle *xs, const struct stub_id *id, unsigned int *n,
			  uint32_t *devid, struct statenodes_front *front);
void statenodes_front(struct xs_handle *xs, uint32_t stub, uint32_t devid, struct statenodes_front *out);

/* What the stubdomain wants and says: "" for what is not there or malformed. */
struct statenodes_asked {
	char want[STATE_DISK_TAG_LEN + 1];
	char done[STATE_DISK_TAG_LEN + 1];
	bool restored;
};
void statenodes_asked(struct xs_handle *xs, uint32_t stub, struct statenodes_asked *out);

/* The tag of dom0's own "disk" and of its "result"; "" when not set. */
void statenodes_said(struct xs_handle *xs, uint32_t stub, char disk[STATE_DISK_TAG_LEN + 1],
		     char result[STATE_DISK_TAG_LEN + 1]);
bool statenodes_have(struct xs_handle *xs, uint32_t stub, const char *node);

/* Is its console 2 to bring a saved state?  Only to be believed of one that never ran. */
bool statenodes_incoming(struct xs_handle *xs, const struct stub_id *id);

/* What the stubdomain does to its nodes, and to the device's, shows in events.h. */
int statenodes_watch(struct xs_handle *xs, uint32_t stub, bool on);
int statenodes_watch_front(struct xs_handle *xs, uint32_t stub, uint32_t devid, bool on);

#endif
