// SPDX-License-Identifier: GPL-2.0-or-later
#include "state.h"

#define TO(s) (1u << (s))

static const struct {
	const char *name;
	unsigned int next;	/* allowed, a bit for each */
} states[VX_STATES] = {
	[VX_WAITING] = { "waiting", TO(VX_CONNECTING) | TO(VX_CLOSING) },
	[VX_CONNECTING] = { "connecting", TO(VX_LIVE) | TO(VX_WAITING) | TO(VX_CLOSING) },
	[VX_LIVE] = { "live", TO(VX_SUSPENDED) | TO(VX_RECONNECTING) | TO(VX_WAITING) | TO(VX_CLOSING) },
	[VX_SUSPENDED] = { "suspended", TO(VX_LIVE) | TO(VX_RESTORING) | TO(VX_CLOSING) },
	[VX_RESTORING] = { "restoring", TO(VX_LIVE) | TO(VX_RESUMING) | TO(VX_QUIESCED) | TO(VX_CLOSING) },
	/* Not removed: that may wait for what is stopped. */
	[VX_RESUMING] = { "resuming", TO(VX_LIVE) | TO(VX_RESTORING) },
	[VX_RECONNECTING] = { "reconnecting", TO(VX_LIVE) | TO(VX_QUIESCED) | TO(VX_CLOSING) },
	[VX_QUIESCED] = { "quiesced", TO(VX_LIVE) | TO(VX_RECONNECTING) | TO(VX_RESTORING) | TO(VX_CLOSING) },
	[VX_CLOSING] = { "closing", TO(VX_CLOSED) | TO(VX_EXPIRED) | TO(VX_WAITING) | TO(VX_REMOVED) },
	[VX_CLOSED] = { "closed", TO(VX_WAITING) | TO(VX_REMOVED) },
	[VX_EXPIRED] = { "expired", TO(VX_WAITING) | TO(VX_REMOVED) },
	[VX_REMOVED] = { "removed", 0 },
};

static const char *const links[VX_LINKS] = {
	[VX_LINK_CLOSED] = "closed",
	[VX_LINK_OPEN] = "open",
	[VX_LINK_SILENT] = "silent",
	[VX_LINK_LOST] = "lost",
	[VX_LINK_LOOPBACK] = "loopback",
};

const char *vx_state_name(enum vx_state s)
{
	return (unsigned int)s < VX_STATES ? states[s].name : "?";
}

const char *vx_link_name(enum vx_link l)
{
	return (unsigned int)l < VX_LINKS ? links[l] : "?";
}

bool vx_state_allowed(enum vx_state from, enum vx_state to)
{
	if ((unsigned int)from >= VX_STATES || (unsigned int)to >= VX_STATES)
		return false;
	return from == to || states[from].next & TO(to);
}

bool vx_state_quiesced(enum vx_state s)
{
	return s == VX_SUSPENDED || s == VX_RESTORING || s == VX_RESUMING || s == VX_QUIESCED;
}

bool vx_state_lost(enum vx_state s)
{
	return s == VX_RECONNECTING || s == VX_QUIESCED;
}

bool vx_state_closed(enum vx_state s)
{
	return s == VX_CLOSED || s == VX_EXPIRED || s == VX_REMOVED;
}

enum vx_state vx_state_after_loss(enum vx_state s)
{
	switch (s) {
	case VX_LIVE:
		return VX_RECONNECTING;
	case VX_RESTORING:
		return VX_QUIESCED;
	default:
		return s;
	}
}

enum vx_state vx_state_after_quiesce(enum vx_state s)
{
	switch (s) {
	case VX_LIVE:
		return VX_SUSPENDED;
	case VX_RECONNECTING:
		return VX_QUIESCED;
	default:
		return s;
	}
}

enum vx_link vx_link_after(enum vx_link now, enum vx_link to)
{
	bool served = now == VX_LINK_OPEN || now == VX_LINK_SILENT || now == VX_LINK_LOST;

	switch (to) {
	case VX_LINK_OPEN:
		return now == VX_LINK_LOOPBACK ? now : to;
	case VX_LINK_SILENT:
	case VX_LINK_LOST:
		return served && to > now ? to : now;
	case VX_LINK_LOOPBACK:
		return now == VX_LINK_CLOSED ? to : now;
	default:
		return to;
	}
}

bool vx_link_failed(enum vx_link l)
{
	return l == VX_LINK_LOST || l == VX_LINK_LOOPBACK;
}

enum vx_step vx_next_step(const struct vx_view *v)
{
	bool up = v->own == XenbusStateInitialised || v->own == XenbusStateConnected;

	if (v->state == VX_REMOVED)
		return VX_STEP_NOTHING;
	if (v->failed && up)
		return VX_STEP_FAIL;
	if (v->expired && vx_state_lost(v->state))
		return VX_STEP_EXPIRE;
	switch (v->backend) {
	case XenbusStateInitWait:
		if (v->own == XenbusStateInitialising)
			return VX_STEP_BEGIN;
		if (v->state == VX_EXPIRED)
			return VX_STEP_REINITIALISE;
		return up ? VX_STEP_RESTARTED : VX_STEP_NOTHING;
	case XenbusStateInitialising:
	case XenbusStateInitialised:
		return v->own == XenbusStateConnected || vx_state_lost(v->state) ? VX_STEP_RESTARTED : VX_STEP_NOTHING;
	case XenbusStateConnected:
		return v->own == XenbusStateInitialised ? VX_STEP_CONNECT : VX_STEP_NOTHING;
	case XenbusStateClosing:
		return v->own != XenbusStateClosed ? VX_STEP_CLOSE : VX_STEP_NOTHING;
	case XenbusStateUnknown:
	case XenbusStateClosed:
		return up ? VX_STEP_GONE : VX_STEP_NOTHING;
	default:
		return VX_STEP_NOTHING;
	}
}

enum vx_step vx_restart_step(const struct vx_view *v, bool same, bool can_wait)
{
	/* It has not yet seen that we are ready. */
	if (v->own != XenbusStateConnected && !vx_state_lost(v->state) && same)
		return VX_STEP_NOTHING;
	if (!can_wait)
		return VX_STEP_REINITIALISE;
	if (v->backend != XenbusStateInitWait || (v->own == XenbusStateInitialised && same))
		return VX_STEP_WAIT;
	return vx_state_quiesced(v->state) ? VX_STEP_REPLACE : VX_STEP_RECONNECT;
}

enum vx_drain vx_drain_next(enum xenbus_state backend, enum vx_link link, bool busy, u32 waited, u32 still)
{
	if (backend != XenbusStateConnected || link != VX_LINK_OPEN)
		return VX_DRAIN_LOST;
	if (!busy || (waited >= VX_DRAIN_SERVED && still < VX_DRAIN_SERVED / 2))
		return VX_DRAIN_DONE;
	return still >= VX_DRAIN_LIMIT ? VX_DRAIN_LATE : VX_DRAIN_WAIT;
}
