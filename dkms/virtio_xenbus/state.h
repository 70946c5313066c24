/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The states of a device and of its connection, and what is decided from them.
 *
 * There are two, because they have different writers.  The *state* is what the driver
 * does with the device; it changes when a step is done, and steps are done one
 * after the other.  The *link* is what becomes of messages and of what is mapped; it
 * changes at any moment, in xenwatch and in interrupts, also in the midst of a
 * step, which then gets no answer.
 *
 *	waiting --> connecting --> live <--> suspended --> restoring <--> resuming
 *	   ^                        ^|                      |    ^            |
 *	   |                        |v                      |    |            v
 *	   |                reconnecting ----> quiesced <---+----+          live
 *	   |                                      |
 *	   +----- expired, closed <-- closing <---+--- (any of them)
 *
 * How far a connection has come, where a state does not say it, is the XenBus state
 * of this side (docs/protocol.md, section 4.1): the state "reconnecting" is 4 while
 * it waits for a backend, and 3 when it has made it an offer.
 *
 * Errors that are found outside the steps are a latch of their own (vx_fail_later()).
 *
 * Pure functions; nothing here sleeps.  Locking is vx.h's.
 */
#ifndef VX_STATE_H
#define VX_STATE_H

#include "shim.h"

#ifdef __KERNEL__
#include <xen/interface/io/xenbus.h>
#else
#include <xen/io/xenbus.h>
#endif

enum vx_state {
	VX_WAITING,		/* no virtio device: waits for a backend that offers one */
	VX_CONNECTING,		/* the same, a connection is offered or being made */
	VX_LIVE,		/* the virtio device is served */
	VX_SUSPENDED,		/* the guest is being suspended: queues given back, connection as it was */
	VX_RESTORING,		/* the guest was restored: queues given back, waits for its backend */
	VX_RESUMING,		/* the same while all else in the guest is still stopped */
	VX_RECONNECTING,	/* the backend was lost: queues kept, waits for another */
	VX_QUIESCED,		/* the backend was lost: queues given back, waits for another */
	VX_CLOSING,		/* the virtio device is being removed */
	VX_CLOSED,		/* for good */
	VX_EXPIRED,		/* waited in vain for another backend; reinitialised when one comes */
	VX_REMOVED,		/* the driver has left the device */
	VX_STATES
};

enum vx_link {
	VX_LINK_CLOSED,		/* no pool, no control page */
	VX_LINK_OPEN,		/* offered to a backend, or served by one */
	VX_LINK_SILENT,		/* no answer will come; requests wait for the next backend */
	VX_LINK_LOST,		/* nor will one to what is mapped: it has failed */
	VX_LINK_LOOPBACK,	/* a pool that no backend sees; messages are answered here */
	VX_LINKS
};

/* As sysfs and the log have them; never NULL, whatever the value. */
const char *vx_state_name(enum vx_state s);
const char *vx_link_name(enum vx_link l);

/* May @to follow?  A state follows itself. */
bool vx_state_allowed(enum vx_state from, enum vx_state to);
/* The device's driver has given its queues back: nothing is in flight, and it must not be asked for anything. */
bool vx_state_quiesced(enum vx_state s);
/* Its backend was lost, and it waits for another for a limited time. */
bool vx_state_lost(enum vx_state s);
/* No virtio device and no connection; the driver wants neither. */
bool vx_state_closed(enum vx_state s);
/* What a state becomes when the backend is lost, and the device can wait for another. */
enum vx_state vx_state_after_loss(enum vx_state s);
/* What it becomes when its driver gives its queues back. */
enum vx_state vx_state_after_quiesce(enum vx_state s);

/*
 * What a link is when it was @now and becomes @to: news of a backend that left cannot
 * open a connection that was closed, nor make one better that was lost.
 */
enum vx_link vx_link_after(enum vx_link now, enum vx_link to);
/* What is mapped will never be answered. */
bool vx_link_failed(enum vx_link l);

/* What is to be done next. */
enum vx_step {
	VX_STEP_NOTHING,
	VX_STEP_BEGIN,		/* read the backend's nodes, offer a connection */
	VX_STEP_CONNECT,	/* the backend has accepted: bring the device up */
	VX_STEP_RESTARTED,	/* the backend is another one: ask vx_restart_step() */
	VX_STEP_CLOSE,		/* the backend closes */
	VX_STEP_GONE,		/* the backend is gone without closing */
	VX_STEP_FAIL,		/* an error was latched */
	VX_STEP_EXPIRE,		/* no other backend came in time */
	VX_STEP_REINITIALISE,	/* remove what there is, begin as with a new device */
	VX_STEP_WAIT,		/* for another backend */
	VX_STEP_RECONNECT,	/* offer it the connection there is */
	VX_STEP_REPLACE,	/* offer it a new connection */
};

struct vx_view {
	enum vx_state state;
	enum xenbus_state own, backend;
	bool failed;		/* an error is latched */
	bool expired;		/* the time to wait for another backend is over */
};

/* docs/protocol.md, section 4.1. */
enum vx_step vx_next_step(const struct vx_view *v);
/*
 * After VX_STEP_RESTARTED.  @same: the backend is the one that the connection was
 * offered to.  @can_wait: the device can wait for another.  VX_STEP_NOTHING,
 * _REINITIALISE, _WAIT, or what is offered after the wait.
 */
enum vx_step vx_restart_step(const struct vx_view *v, bool same, bool can_wait);

/*
 * Before a disk gives its queues back, for a suspend: what is in flight is waited for
 * there without end and in the thread that would hear of the backend's death.
 */
enum vx_drain {
	VX_DRAIN_WAIT,
	VX_DRAIN_DONE,		/* nothing is in flight, or it is being served */
	VX_DRAIN_LOST,		/* the backend is not there */
	VX_DRAIN_LATE,		/* it does nothing */
};

#define VX_DRAIN_SERVED	1000u	/* ms; so long requests must have ended one after the other */
#define VX_DRAIN_LIMIT	30000u

/* @backend: as it is now; @busy: requests are in flight; @waited, @still: ms since the beginning, and since one ended. */
enum vx_drain vx_drain_next(enum xenbus_state backend, enum vx_link link, bool busy, u32 waited, u32 still);

#endif
