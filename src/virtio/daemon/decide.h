/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to be done about a guest's devices and its backend unit, as a pure
 * function of what is so.
 */
#ifndef XE_VD_DECIDE_H
#define XE_VD_DECIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "unit_report.h"
#include "virtio/nodes.h"

/*
 * xl waits 10 s for a device to close.  A backend that has not closed by then
 * is stopped (TimeoutStopSec=3 of the unit), when no other device needs it.
 */
#define VD_CLOSE_MS 4000

enum vd_action {
	VD_DO_NOTHING,
	VD_DO_CLOSE,		/* write state 6: no backend has it */
	VD_DO_FAIL,		/* say what is wrong with it, state 6 */
	VD_DO_FAIL_UNIT,	/* the same: its backend does not run */
	VD_DO_PLUG,
	VD_DO_UNPLUG,
	VD_DO_RESIZE,		/* tell QEMU of its new size */
	VD_DO_FORGET,		/* nothing is left of it */
};

struct vd_dev_view {
	bool there;		/* in xenstore; the next four are right only then */
	bool online, bad, failed;
	enum xenbus_state state;
	bool plugged;		/* the running QEMU has it */
	bool unserved;		/* ... and does not offer it: it may be another one of that number */
	bool grown;		/* its device is bigger than QEMU knows */
	bool wanted;		/* out: the backend is there for it */
	enum vd_action action;	/* out */
};

struct vd_guest_view {
	bool alive;
	enum vd_unit unit;
	bool expected_up;	/* it was started, or seen to run, and not stopped by us */
	bool known;		/* the running QEMU was asked what it has */
	bool resized;		/* ... but not how big: a device has changed */
	uint64_t closing_ms;	/* for how long there is nothing left but closing devices */
};

/* RESET: a failed unit has to be inactive before it can be started. */
enum vd_unit_action { VD_UNIT_LEAVE, VD_UNIT_RESET, VD_UNIT_START, VD_UNIT_STOP };

struct vd_plan {
	enum vd_unit_action unit;
	bool ask;		/* ask QEMU what it has */
	bool measure;		/* ask QEMU how big its disks are */
	bool closing;		/* nothing left but devices that QEMU has to close */
};

void vd_decide(const struct vd_guest_view *g, struct vd_dev_view *dev, unsigned int n,
	       struct vd_plan *plan);

#endif
