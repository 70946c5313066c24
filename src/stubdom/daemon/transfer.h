/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One transfer over a state disk (docs/state-disk.md), as a pure function: how far it is
 * and what is so now go in, what is to be done comes out.  states.c does it.
 *
 * Nothing here depends on which event came: what is so is looked at each time, so events
 * may come in any order, twice, or not at all until time has passed.
 */
#ifndef XE_TRANSFER_H
#define XE_TRANSFER_H

#include <stdbool.h>
#include <stdint.h>

enum transfer_step {
	TRANSFER_NONE,
	TRANSFER_PREPARE,	/* the helper makes its disk */
	TRANSFER_ATTACHED,	/* the device is there, its frontend has to connect */
	TRANSFER_MAPPING,	/* the helper maps the ring */
	TRANSFER_SERVING,
	TRANSFER_VERIFY,	/* the helper writes libxl's file */
	TRANSFER_CLOSING,	/* no helper any more; the frontend closes */
};

enum transfer_error {
	TRANSFER_OK,
	TRANSFER_BUSY,
	TRANSFER_NOT_READY,	/* in time */
	TRANSFER_NO_FRONTEND,	/* in time */
	TRANSFER_RING,		/* the frontend's nodes are malformed */
	TRANSFER_CLOSED,	/* by the frontend, too early */
	TRANSFER_NO_STATE,	/* in time */
	TRANSFER_NOT_WRITTEN,	/* in time */
	TRANSFER_GAVE_WAY,	/* to a guest that is suspended */
	TRANSFER_HELPER,	/* it said why */
	TRANSFER_UNABLE,	/* the same, and that it is not because of the file */
	TRANSFER_DIED,		/* the helper did */
};

/* What the helper said since the last look. */
enum transfer_word {
	WORD_NONE, WORD_READY, WORD_CONNECTED, WORD_SAVED, WORD_ERROR, WORD_UNABLE, WORD_GONE,
};

struct transfer {
	enum transfer_step step;
	bool restore;
	bool attached;		/* the device's nodes were written, and not removed */
	uint64_t since;		/* when this step began */
	uint64_t asked_at;	/* since when a slot is waited for; 0: none is */
};

struct transfer_in {
	uint64_t now;
	bool stub_alive;
	bool guest_there;	/* neither dying nor gone */
	uint64_t suspended_at;	/* the guest is, since then; 0: it is not */
	uint64_t ran_at;	/* the stubdomain runs, since then; 0: not yet */
	bool incoming;		/* it was started to restore, and never ran */
	bool want;		/* to save: for this transfer; in TRANSFER_NONE: for any new one */
	bool done;		/* so the stubdomain says */
	bool restored;		/* the same, or its device model runs */
	int front;		/* enum xenbus_state, or -1 */
	bool ring;		/* ring and event channel are valid numbers */
	enum transfer_word word;
	bool room;		/* another transfer may begin */
	bool way;		/* it has to give way if it can */
};

struct transfer_plan {
	enum transfer_step next;
	bool start;		/* the helper; step says for what: restore */
	bool attach;		/* write the device's nodes, and tell the stubdomain */
	bool map;		/* give the helper the ring */
	bool connected;		/* backend state 4 */
	bool finish;		/* tell the helper; backend state 5 */
	bool publish;		/* the helper's file is libxl's now, and the stubdomain is told */
	bool end;		/* end the helper and what it was to write; backend state 5 */
	bool detach;		/* remove the device's nodes */
	bool restore;		/* with start */
	enum transfer_error error;	/* for the stubdomain and the log; with end */
	uint64_t look;		/* when to look again; UINT64_MAX: at the next event */
};

void transfer_decide(const struct transfer *t, const struct transfer_in *in, struct transfer_plan *out);

/* Is it one whose guest still runs, so that it can be asked for again? */
static inline bool transfer_is_early(const struct transfer *t, bool suspended)
{
	return t->step != TRANSFER_NONE && t->step < TRANSFER_VERIFY && !t->restore && !suspended;
}

/* For REASON; "" when the helper has the words. */
const char *transfer_reason(enum transfer_error error);

#endif
