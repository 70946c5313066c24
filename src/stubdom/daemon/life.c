// SPDX-License-Identifier: GPL-2.0-or-later
#include "life.h"

static void look_again(struct life_plan *out, uint64_t when)
{
	if (when < out->next)
		out->next = when;
}

/* True when @ms have passed since @since; otherwise it is looked at then. */
static bool passed(const struct life *in, struct life_plan *out,
		   uint64_t since, uint64_t ms)
{
	if (in->now >= since + ms)
		return true;
	look_again(out, since + ms);
	return false;
}

static void starting(const struct life *in, struct life_plan *out)
{
	if (in->ready_at)
		return;
	if (in->dm_running) {
		out->say_ready = true;
		return;
	}
	/* "running" is written below a node of the stubdomain's: not watched. */
	look_again(out, in->now + (in->told_slow ? 5000 : 1000));
	if (in->ran_at && !in->told_slow)
		out->say_slow = passed(in, out, in->ran_at, LIFE_SLOW_MS);
}

/* The stubdomain is not there for its guest any more, and the guest lives. */
static void abandoned(const struct life *in, struct life_plan *out)
{
	bool alone = in->stub == LIFE_ENDED ||
		     passed(in, out, in->dead_at, LIFE_ALONE_MS);

	/*
	 * A paused guest may be libxl's: about to be started (libxl sees for
	 * itself that the stubdomain fails) or about to be destroyed.  A guest
	 * paused by hand is dealt with when it goes on.
	 */
	if (in->guest_paused) {
		out->say_dead = in->stub == LIFE_ENDED && !in->told_dead;
		look_again(out, in->now + 2000);
		return;
	}
	if (!alone)
		return;
	out->say_dead = !in->told_dead;
	/* Still alive after it was ended: the hypercall failed.  Try again. */
	out->crash_guest = !in->crashed_at ||
			   passed(in, out, in->crashed_at, LIFE_RETRY_MS);
}

static void dead(const struct life *in, struct life_plan *out)
{
	if (in->guest == LIFE_ALIVE)
		abandoned(in, out);
	if (in->guest == LIFE_ENDED && in->crashed_at && !in->told_left)
		out->say_left = passed(in, out, in->crashed_at, LIFE_LEFT_MS);
	/* Suspended for a save, it may yet be resumed, and no event tells. */
	if (in->guest == LIFE_ENDED && !in->crashed_at)
		look_again(out, in->now + 5000);
	/* No event tells when a dying domain is gone for good. */
	if (in->stub == LIFE_DYING || in->guest == LIFE_DYING)
		look_again(out, in->now + 2000);
	if (in->stub != LIFE_GONE)
		return;
	if (!in->cleaned)
		out->clean = passed(in, out, in->dead_at, LIFE_GRACE_MS);
	if (in->guest == LIFE_GONE && (in->cleaned || out->clean))
		out->forget = true;
}

/* A guest is suspended by libxl, which saves it, or by itself. */
static void saving(const struct life *in, struct life_plan *out)
{
	out->take_save = true;
	look_again(out, in->now + (in->now < in->suspended_at + LIFE_SAVE_MS ?
				   LIFE_SAVE_POLL_MS : 1000));
}

void life_decide(const struct life *in, struct life_plan *out)
{
	*out = (struct life_plan){ .next = UINT64_MAX };
	if (in->stub == LIFE_ALIVE && in->guest != LIFE_GONE)
		starting(in, out);
	if (in->stub == LIFE_ALIVE && in->suspended_at)
		saving(in, out);
	if (in->stub != LIFE_ALIVE)
		dead(in, out);
	/* libxl destroys the two together; one alone was forgotten. */
	if (in->guest == LIFE_GONE && in->stub != LIFE_GONE &&
	    in->stub != LIFE_DYING && !in->told_left)
		out->say_left = passed(in, out, in->orphan_at, LIFE_LEFT_MS);
}
