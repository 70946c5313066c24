/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A stubdomain's life, as a pure function: what is known about it and its
 * guest goes in, what is to be done comes out.
 */
#ifndef XE_LIFE_H
#define XE_LIFE_H

#include <stdbool.h>
#include <stdint.h>

/* libxl gives up 30 s after it let the stubdomain run (LIBXL_STUBDOM_START_TIMEOUT). */
#define LIFE_SLOW_MS 20000
/*
 * While libxl destroys a guest, its stubdomain may be gone for a moment while
 * the guest still looks alive.  Only longer than this means that somebody
 * destroyed the stubdomain alone.
 */
#define LIFE_ALONE_MS 3000
/* Processes that libxl told to go get this long before their leftovers are cleaned. */
#define LIFE_GRACE_MS 5000
/* A guest that could not be ended is tried again. */
#define LIFE_RETRY_MS 5000
/* While a guest is suspended, its state may come; it is waited for eagerly for so long. */
#define LIFE_SAVE_MS 60000
#define LIFE_SAVE_POLL_MS 50
/* After this a crashed guest, or a stubdomain without one, is the administrator's to destroy. */
#define LIFE_LEFT_MS 30000

enum life_dom {
	LIFE_ALIVE,
	LIFE_ENDED,	/* shut down or crashed, waits to be destroyed */
	LIFE_DYING,	/* being destroyed */
	LIFE_GONE,
};

struct life {
	/* What is so now. */
	enum life_dom stub, guest;
	bool stub_runs;		/* libxl has let it run */
	bool guest_paused;	/* not started yet, or paused by hand */
	bool dm_running;	/* QEMU wrote "running" */
	uint64_t now;
	/* What has been; 0 is never. */
	uint64_t ran_at;	/* first seen running */
	uint64_t ready_at;	/* QEMU's "running" was seen */
	uint64_t dead_at;	/* first seen not alive */
	uint64_t orphan_at;	/* guest first seen gone */
	uint64_t crashed_at;	/* guest was ended by us */
	uint64_t suspended_at;	/* guest first seen suspended; 0: it is not */
	bool told_slow, told_dead, told_left, cleaned;
};

struct life_plan {
	bool say_ready;		/* the device model runs now */
	bool say_slow;		/* diagnose: it does not come up */
	bool say_dead;		/* diagnose: it ended */
	bool crash_guest;	/* tell Xen that the guest crashed */
	bool take_save;		/* its device state may be on its way to libxl */
	bool say_left;		/* something is left that needs the administrator */
	bool clean;		/* remove what the stubdomain left */
	bool forget;		/* both are gone: remove what the guest left, and the record */
	uint64_t next;		/* when to look again; UINT64_MAX: at the next event */
};

void life_decide(const struct life *in, struct life_plan *out);

#endif
