/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * I/O errors that a backend's QEMU reports to its guest.  QEMU sends the event only to
 * clients that are connected: there is a monitor for events alone (VD_RUN_EVENTS), since
 * other clients use the first.
 *
 * A guest can cause as many as it likes: a session with more events than a log needs is
 * closed, and reopened when a minute is over.
 */
#ifndef XE_VD_IOERROR_H
#define XE_VD_IOERROR_H

#include <json-c/json.h>
#include <stdbool.h>
#include <systemd/sd-event.h>

#include "base/ratelimit.h"
#include "virtio/ids.h"

#define VD_EVENTS_PER_MINUTE 200

struct vd_ioerror {
	struct vd_id id;
	bool write, nospace;
	char reason[64];	/* strerror(), printable */
};

/* NULL: the session has ended, ioerrors_listen() is due at @again. */
typedef void ioerror_fn(void *arg, const struct vd_ioerror *e);

struct ioerrors {
	struct qmp *qmp;
	bool unsupported;	/* this QEMU has no such monitor */
	uint64_t again;		/* not before this time */
	struct limit told;
	uint64_t (*now)(void);
	ioerror_fn *fn;
	void *arg;
};

/* Listen, if it does not yet; @l->again says when to come again if it could not. */
void ioerrors_listen(struct ioerrors *l, sd_event *ev, uint32_t domid);
/* The QEMU has ended, or another came. */
void ioerrors_stop(struct ioerrors *l);

/* Pure: the data of BLOCK_IO_ERROR; false when it is about none of our disks. */
bool ioerror_parse(struct json_object *data, struct vd_ioerror *e);

#endif
