// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer.h"

#include <stdio.h>

#include "state_disk.h"

static void timer(struct transfer *t, int ms)
{
	t->timer_ms = ms;
	t->timer_set = ms != 0;
}

static unsigned int enter(struct transfer *t, enum transfer_state state, int ms, unsigned int acts)
{
	t->state = state;
	timer(t, ms);
	return acts;
}

/* No disk: what waits for it goes by console, what comes later asks again. */
static unsigned int no_disk(struct transfer *t, unsigned int acts)
{
	bool held = t->held;

	t->held = false;
	return enter(t, t->stopped && !held ? TRANSFER_NO_DISK : TRANSFER_IDLE, 0,
		     acts | (held ? DO_CONSOLE : 0));
}

static unsigned int ask(struct transfer *t, bool served)
{
	if (!served)
		return no_disk(t, 0);
	t->answered = t->ended = t->writing = false;
	return enter(t, TRANSFER_ASKED, STATE_DISK_ANSWER_MS, DO_WANT);
}

static unsigned int start(struct transfer *t)
{
	t->held = false;
	return enter(t, TRANSFER_MOVING, STATE_DISK_SAVE_MS, DO_START);
}

/* Nobody needs the disk now. */
static unsigned int leave(struct transfer *t)
{
	return enter(t, TRANSFER_IDLE, 0, DO_CLOSE | DO_UNWANT);
}

/* QEMU has the command, or had it: libxl gets an error. */
static unsigned int fail(struct transfer *t, const char *who, const char *why)
{
	snprintf(t->why, sizeof(t->why), "The device state was not saved: %s%s", who, why);
	if (t->answered)
		return leave(t) | DO_FAIL;
	return enter(t, TRANSFER_DRAIN, 0, DO_CLOSE | DO_UNWANT | DO_FAIL | DO_DRAIN);
}

/* Up to READY: another way is open. */
static unsigned int without(struct transfer *t, const char *who, const char *why)
{
	snprintf(t->why, sizeof(t->why), "no state disk: %s%s", who, why);
	return no_disk(t, DO_CLOSE | DO_UNWANT | DO_SAY);
}

/* What libxl says on the way. */
static unsigned int on_libxl(struct transfer *t, enum transfer_event ev, bool served)
{
	bool waits = t->state == TRANSFER_ASKED || t->state == TRANSFER_FOUND ||
		     t->state == TRANSFER_READY;

	if (ev == TRANSFER_STOP || ev == TRANSFER_CONT)
		t->stopped = ev == TRANSFER_STOP;
	if (ev == TRANSFER_EARLY || ev == TRANSFER_STOP)
		return t->state == TRANSFER_IDLE || t->state == TRANSFER_NO_DISK ? ask(t, served) : 0;
	if (ev == TRANSFER_DROPPED)
		t->held = false;
	if (waits && !t->held)
		return leave(t);
	if (t->state == TRANSFER_NO_DISK)
		t->state = TRANSFER_IDLE;
	return 0;
}

static unsigned int on_save(struct transfer *t, bool served)
{
	switch (t->state) {
	case TRANSFER_IDLE:
		t->held = true;
		return ask(t, served);
	case TRANSFER_NO_DISK:
		t->held = true;
		return no_disk(t, 0);
	case TRANSFER_ASKED:
	case TRANSFER_FOUND:
		t->held = true;
		return 0;
	case TRANSFER_READY:
		return start(t);
	default:
		return 0;	/* one at a time: qmp_msg.c refuses others */
	}
}

static unsigned int on_trouble(struct transfer *t, const char *who, const char *why)
{
	switch (t->state) {
	case TRANSFER_ASKED:
	case TRANSFER_FOUND:
	case TRANSFER_READY:
		return without(t, who, why);
	case TRANSFER_MOVING:
	case TRANSFER_SEALING:
	case TRANSFER_RESULT:
		return fail(t, who, why);
	default:
		return 0;
	}
}

static const char *late(const struct transfer *t)
{
	switch (t->state) {
	case TRANSFER_ASKED:
		return "xen-stubdomd in dom0 does not answer";
	case TRANSFER_FOUND:
		return "its block device does not come";
	case TRANSFER_MOVING:
		return t->writing ? "its disk takes nothing" : "QEMU did not complete it in time";
	case TRANSFER_SEALING:
		return "its disk could not be flushed in time";
	default:
		return "xen-stubdomd in dom0 does not say whether it has the state";
	}
}

static unsigned int on_timer(struct transfer *t)
{
	timer(t, 0);
	return on_trouble(t, "", late(t));
}

/* The old disk's end is waited for first. */
static unsigned int on_old_disk(struct transfer *t, enum transfer_event ev)
{
	if (t->state == TRANSFER_ASKED)
		timer(t, STATE_DISK_ANSWER_MS + (ev == TRANSFER_OLD_DISK ? STATE_DISK_CLOSE_MS : 0));
	return 0;
}

static unsigned int on_device(struct transfer *t)
{
	if (t->state != TRANSFER_FOUND)
		return 0;
	return t->held ? start(t) : enter(t, TRANSFER_READY, 0, 0);
}

/* Both the end of the pipe and QEMU's word that it was the end: then it is complete. */
static unsigned int on_part(struct transfer *t, enum transfer_event ev)
{
	if (t->state == TRANSFER_DRAIN && ev == TRANSFER_ANSWERED)
		return enter(t, TRANSFER_IDLE, 0, DO_UNDRAIN);
	if (t->state != TRANSFER_MOVING)
		return 0;
	t->answered |= ev == TRANSFER_ANSWERED;
	t->ended |= ev == TRANSFER_END;
	if (!t->answered || !t->ended)
		return 0;
	return enter(t, TRANSFER_SEALING, STATE_DISK_STALL_MS, DO_SEAL);
}

/* A block that is not written is the disk's fault, one that does not come is QEMU's. */
static unsigned int on_block(struct transfer *t, bool writing)
{
	if (t->state == TRANSFER_MOVING) {
		t->writing = writing;
		timer(t, writing ? STATE_DISK_STALL_MS : STATE_DISK_SAVE_MS);
	}
	return 0;
}

static unsigned int on_qemu_error(struct transfer *t)
{
	if (t->state == TRANSFER_MOVING)
		return leave(t);
	return t->state == TRANSFER_DRAIN ? enter(t, TRANSFER_IDLE, 0, DO_UNDRAIN) : 0;
}

unsigned int transfer_step(struct transfer *t, enum transfer_event ev, bool served, const char *why)
{
	t->timer_set = false;
	switch (ev) {
	case TRANSFER_SAVE:
		return on_save(t, served);
	case TRANSFER_DISK:
		return t->state == TRANSFER_ASKED ?
		       enter(t, TRANSFER_FOUND, STATE_DISK_APPEAR_MS, DO_FIND) : 0;
	case TRANSFER_OLD_DISK:
	case TRANSFER_FREE:
		return on_old_disk(t, ev);
	case TRANSFER_REFUSED:
		return on_trouble(t, "xen-stubdomd: ", why);
	case TRANSFER_BROKEN:
		return on_trouble(t, "", why);
	case TRANSFER_OK:
		return t->state == TRANSFER_RESULT ? leave(t) | DO_RELEASE : 0;
	case TRANSFER_DEVICE:
		return on_device(t);
	case TRANSFER_TOOK:
	case TRANSFER_MOVED:
		return on_block(t, ev == TRANSFER_TOOK);
	case TRANSFER_END:
	case TRANSFER_ANSWERED:
		return on_part(t, ev);
	case TRANSFER_SEALED:
		return t->state == TRANSFER_SEALING ?
		       enter(t, TRANSFER_RESULT, STATE_DISK_RESULT_MS, DO_DONE) : 0;
	case TRANSFER_ERROR:
		return on_qemu_error(t);
	case TRANSFER_TIMER:
		return on_timer(t);
	default:
		return on_libxl(t, ev, served);
	}
}
