// SPDX-License-Identifier: GPL-2.0-or-later
#include "transfer.h"

#include <xen/io/xenbus.h>

#include "state_disk.h"

/* A slot is waited for so long: less than the stubdomain waits for an answer. */
#define ROOM_MS 2000
#define ROOM_LOOK_MS 100

static void fail(const struct transfer *t, struct transfer_plan *out, enum transfer_error error)
{
	out->end = true;
	out->error = error;
	out->next = t->attached ? TRANSFER_CLOSING : TRANSFER_NONE;
}

/* True when @ms have passed since @since; otherwise it is looked at then. */
static bool passed(const struct transfer_in *in, struct transfer_plan *out, uint64_t since, uint64_t ms)
{
	if (in->now >= since + ms)
		return true;
	if (since + ms < out->look)
		out->look = since + ms;
	return false;
}

/* Nobody waits for its end any more. */
static bool left(const struct transfer *t, const struct transfer_in *in)
{
	return !in->stub_alive || !in->guest_there || (!t->restore && !in->want);
}

static void none(const struct transfer *t, const struct transfer_in *in, struct transfer_plan *out)
{
	if (!in->stub_alive || !in->guest_there || (!in->incoming && !in->want))
		return;
	out->restore = in->incoming;
	if (in->room) {
		out->start = true;
		out->next = TRANSFER_PREPARE;
	} else if (in->incoming || (t->asked_at && passed(in, out, t->asked_at, ROOM_MS))) {
		out->error = TRANSFER_BUSY;
	} else {
		out->look = in->now + ROOM_LOOK_MS;
	}
}

static void prepare(const struct transfer *t, const struct transfer_in *in, struct transfer_plan *out)
{
	if (in->word == WORD_READY) {
		out->attach = true;
		out->next = TRANSFER_ATTACHED;
		out->look = in->now + STATE_DISK_CONNECT_MS;
	} else if (passed(in, out, t->since, STATE_DISK_READY_MS)) {
		fail(t, out, TRANSFER_NOT_READY);
	}
}

/* libxl, and not the stubdomain, decides when it runs; but a place is not held for ever. */
static bool restore_too_long(const struct transfer *t, const struct transfer_in *in, struct transfer_plan *out)
{
	return in->ran_at ? passed(in, out, in->ran_at, STATE_DISK_RESTORE_MS) :
	       passed(in, out, t->since, STATE_DISK_EARLY_MS);
}

static void attached(const struct transfer *t, const struct transfer_in *in, struct transfer_plan *out)
{
	if (in->front == XenbusStateInitialised || in->front == XenbusStateConnected) {
		if (!in->ring) {
			fail(t, out, TRANSFER_RING);
			return;
		}
		out->map = true;
		out->next = TRANSFER_MAPPING;
		out->look = in->now + STATE_DISK_CONNECT_MS;
		return;
	}
	if (in->front == XenbusStateClosing || in->front == XenbusStateClosed)
		fail(t, out, TRANSFER_CLOSED);
	else if (t->restore && in->restored)
		fail(t, out, TRANSFER_OK);
	else if (t->restore ? restore_too_long(t, in, out) : passed(in, out, t->since, STATE_DISK_CONNECT_MS))
		fail(t, out, TRANSFER_NO_FRONTEND);
}

static void mapping(const struct transfer *t, const struct transfer_in *in, struct transfer_plan *out)
{
	if (in->word == WORD_CONNECTED) {
		out->connected = true;
		out->next = TRANSFER_SERVING;
		/* "done" may be there already. */
		out->look = in->now;
	} else if (passed(in, out, t->since, STATE_DISK_CONNECT_MS)) {
		fail(t, out, TRANSFER_NO_FRONTEND);
	}
}

/* Has the stubdomain had its time to hand the state over, or to take it? */
static bool too_long(const struct transfer *t, const struct transfer_in *in, struct transfer_plan *out)
{
	if (t->restore)
		return restore_too_long(t, in, out);
	if (!in->suspended_at)
		return passed(in, out, t->since, STATE_DISK_EARLY_MS);
	return passed(in, out, in->suspended_at > t->since ? in->suspended_at : t->since, STATE_DISK_SAVE_MS);
}

static void serving(const struct transfer *t, const struct transfer_in *in, struct transfer_plan *out)
{
	bool closed = in->front == XenbusStateClosing || in->front == XenbusStateClosed || in->front < 0;

	if (!t->restore && in->done) {
		out->finish = true;
		out->next = TRANSFER_VERIFY;
		out->look = in->now + STATE_DISK_VERIFY_MS;
	} else if (t->restore && (in->restored || closed)) {
		fail(t, out, TRANSFER_OK);
	} else if (closed) {
		fail(t, out, TRANSFER_CLOSED);
	} else if (too_long(t, in, out)) {
		fail(t, out, t->restore ? TRANSFER_OK : TRANSFER_NO_STATE);
	}
}

static void verify(const struct transfer *t, const struct transfer_in *in, struct transfer_plan *out)
{
	if (in->word == WORD_SAVED) {
		out->publish = true;
		out->next = TRANSFER_CLOSING;
		out->look = in->now;
	} else if (passed(in, out, t->since, STATE_DISK_VERIFY_MS)) {
		fail(t, out, TRANSFER_NOT_WRITTEN);
	}
}

static void closing(const struct transfer *t, const struct transfer_in *in, struct transfer_plan *out)
{
	if (in->stub_alive && in->front >= 0 && in->front != XenbusStateClosed &&
	    !passed(in, out, t->since, STATE_DISK_CLOSE_MS))
		return;
	out->detach = true;
	out->next = TRANSFER_NONE;
	/* There may be another request. */
	out->look = in->now;
}

/* Of a step with a helper: what ends it whatever it is. */
static bool ended(const struct transfer *t, const struct transfer_in *in, struct transfer_plan *out)
{
	if (left(t, in))
		fail(t, out, TRANSFER_OK);
	else if (in->word == WORD_ERROR)
		fail(t, out, TRANSFER_HELPER);
	else if (in->word == WORD_UNABLE)
		fail(t, out, TRANSFER_UNABLE);
	else if (in->word == WORD_GONE)
		fail(t, out, TRANSFER_DIED);
	else if (in->way && transfer_is_early(t, in->suspended_at))
		fail(t, out, TRANSFER_GAVE_WAY);
	return out->end;
}

void transfer_decide(const struct transfer *t, const struct transfer_in *in, struct transfer_plan *out)
{
	static void (*const steps[])(const struct transfer *, const struct transfer_in *, struct transfer_plan *) = {
		[TRANSFER_NONE] = none, [TRANSFER_PREPARE] = prepare, [TRANSFER_ATTACHED] = attached,
		[TRANSFER_MAPPING] = mapping, [TRANSFER_SERVING] = serving, [TRANSFER_VERIFY] = verify,
		[TRANSFER_CLOSING] = closing,
	};

	*out = (struct transfer_plan){ .next = t->step, .look = UINT64_MAX };
	if (t->step == TRANSFER_NONE || t->step == TRANSFER_CLOSING || !ended(t, in, out))
		steps[t->step](t, in, out);
	if (out->end)
		out->look = in->now;
}

const char *transfer_reason(enum transfer_error error)
{
	switch (error) {
	case TRANSFER_BUSY:
		return "other guests are being saved at this moment: try again";
	case TRANSFER_NOT_READY:
		return "xen-state-disk was not ready in time";
	case TRANSFER_NO_FRONTEND:
		return "the stubdomain did not connect its disk in time";
	case TRANSFER_RING:
		return "the stubdomain's ring-ref, event-channel or protocol is malformed";
	case TRANSFER_CLOSED:
		return "the stubdomain closed its disk before the state was complete";
	case TRANSFER_NO_STATE:
		return "no complete state came in time";
	case TRANSFER_NOT_WRITTEN:
		return "the state was not verified and written in time";
	case TRANSFER_GAVE_WAY:
		return "ended in favour of a guest that is suspended";
	case TRANSFER_DIED:
		return "xen-state-disk ended before its work was done (see the journal)";
	case TRANSFER_OK:
	case TRANSFER_HELPER:
	case TRANSFER_UNABLE:
		break;
	}
	return "";
}
