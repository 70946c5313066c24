// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: dkms/virtio_xenbus/state.c */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include "state.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* What may follow what, by name, and why; all else is refused. */
static const struct { const char *from, *to; } allowed[] = {
	{ "waiting", "connecting" },		/* offered */
	{ "connecting", "live" },		/* accepted */
	{ "connecting", "waiting" },		/* restored before it was */
	{ "live", "suspended" },		/* the guest is being suspended */
	{ "live", "reconnecting" },		/* its backend was lost */
	{ "live", "waiting" },			/* restored, with a device that could not be registered */
	{ "suspended", "live" },		/* the suspend was cancelled */
	{ "suspended", "restoring" },		/* it was not */
	{ "restoring", "resuming" },
	{ "restoring", "live" },		/* with its backend */
	{ "restoring", "quiesced" },		/* its backend was lost before it served */
	{ "resuming", "live" },
	{ "resuming", "restoring" },		/* not in time */
	{ "reconnecting", "live" },		/* with another backend */
	{ "reconnecting", "quiesced" },		/* queues are not taken over */
	{ "quiesced", "reconnecting" },		/* its driver would not give them back */
	{ "quiesced", "live" },
	{ "quiesced", "restoring" },		/* restored meanwhile */
	{ "closing", "closed" },
	{ "closing", "expired" },
	{ "closing", "waiting" },
	{ "closing", "removed" },
	{ "closed", "waiting" },		/* restored */
	{ "expired", "waiting" },		/* there is a backend again */
	{ "closed", "removed" },
	{ "expired", "removed" },
	{ "waiting", "closing" }, { "connecting", "closing" }, { "live", "closing" }, { "suspended", "closing" },
	{ "restoring", "closing" }, { "reconnecting", "closing" }, { "quiesced", "closing" },
};

static bool expected(const char *from, const char *to)
{
	for (size_t i = 0; i < COUNT(allowed); i++)
		if (!strcmp(allowed[i].from, from) && !strcmp(allowed[i].to, to))
			return true;
	return !strcmp(from, to);
}

static void the_whole_table(void **state)
{
	size_t n = 0;

	(void)state;
	for (unsigned int from = 0; from < VX_STATES; from++)
		for (unsigned int to = 0; to < VX_STATES; to++) {
			const char *a = vx_state_name(from), *b = vx_state_name(to);

			if (vx_state_allowed(from, to) != expected(a, b))
				fail_msg("%s to %s: %d", a, b, vx_state_allowed(from, to));
			n += from != to && vx_state_allowed(from, to);
		}
	assert_int_equal(n, COUNT(allowed));
}

static void values_that_are_none(void **state)
{
	(void)state;
	assert_string_equal(vx_state_name(VX_STATES), "?");
	assert_string_equal(vx_state_name((enum vx_state)-1), "?");
	assert_string_equal(vx_link_name(VX_LINKS), "?");
	assert_false(vx_state_allowed(VX_STATES, VX_LIVE));
	assert_false(vx_state_allowed(VX_LIVE, VX_STATES));
	assert_false(vx_state_allowed(VX_STATES, VX_STATES));
	assert_false(vx_state_allowed(VX_LIVE, (enum vx_state)-1));
}

static void names_differ(void **state)
{
	(void)state;
	for (unsigned int a = 0; a < VX_STATES; a++)
		for (unsigned int b = 0; b < a; b++)
			assert_string_not_equal(vx_state_name(a), vx_state_name(b));
	for (unsigned int a = 0; a < VX_LINKS; a++)
		for (unsigned int b = 0; b < a; b++)
			assert_string_not_equal(vx_link_name(a), vx_link_name(b));
}

/* From the first state every other is reached, and from each the driver can leave. */
static void every_state_is_reached(void **state)
{
	(void)state;
	for (unsigned int first = 0; first < VX_STATES; first++) {
		unsigned int reached = 1u << first, before;

		do {
			before = reached;
			for (unsigned int a = 0; a < VX_STATES; a++)
				for (unsigned int b = 0; b < VX_STATES; b++)
					if (reached & 1u << a && vx_state_allowed(a, b))
						reached |= 1u << b;
		} while (reached != before);
		assert_true(reached & 1u << VX_REMOVED);
		if (first == VX_WAITING)
			assert_int_equal(reached, (1u << VX_STATES) - 1);
		if (first == VX_REMOVED)
			assert_int_equal(reached, 1u << VX_REMOVED);
	}
}

/* What the rules derive is allowed, and done twice it is no other. */
static void derived_states(void **state)
{
	(void)state;
	for (unsigned int s = 0; s < VX_STATES; s++) {
		enum vx_state lost = vx_state_after_loss(s), quiesced = vx_state_after_quiesce(s);

		assert_true(vx_state_allowed(s, lost));
		assert_true(vx_state_allowed(s, quiesced));
		assert_int_equal(vx_state_after_loss(lost), lost);
		assert_int_equal(vx_state_after_quiesce(quiesced), quiesced);
		/* A loss neither gives queues back nor takes them. */
		assert_int_equal(vx_state_quiesced(lost), vx_state_quiesced(s));
		assert_int_equal(vx_state_lost(quiesced), vx_state_lost(s));
		if (quiesced != (enum vx_state)s) {
			assert_true(vx_state_quiesced(quiesced));
			/* Its driver may refuse. */
			assert_true(vx_state_allowed(quiesced, s));
		}
		if (vx_state_closed(s))
			assert_false(vx_state_quiesced(s) || vx_state_lost(s) || vx_state_allowed(s, VX_CLOSING));
	}
	assert_int_equal(vx_state_after_loss(VX_LIVE), VX_RECONNECTING);
	assert_int_equal(vx_state_after_loss(VX_RESTORING), VX_QUIESCED);
	assert_int_equal(vx_state_after_quiesce(VX_LIVE), VX_SUSPENDED);
	assert_int_equal(vx_state_after_quiesce(VX_RECONNECTING), VX_QUIESCED);
}

static void links(void **state)
{
	/* [now][to] */
	static const enum vx_link after[VX_LINKS][VX_LINKS] = {
		[VX_LINK_CLOSED] = { VX_LINK_CLOSED, VX_LINK_OPEN, VX_LINK_CLOSED, VX_LINK_CLOSED, VX_LINK_LOOPBACK },
		[VX_LINK_OPEN] = { VX_LINK_CLOSED, VX_LINK_OPEN, VX_LINK_SILENT, VX_LINK_LOST, VX_LINK_OPEN },
		[VX_LINK_SILENT] = { VX_LINK_CLOSED, VX_LINK_OPEN, VX_LINK_SILENT, VX_LINK_LOST, VX_LINK_SILENT },
		[VX_LINK_LOST] = { VX_LINK_CLOSED, VX_LINK_OPEN, VX_LINK_LOST, VX_LINK_LOST, VX_LINK_LOST },
		[VX_LINK_LOOPBACK] = { VX_LINK_CLOSED, VX_LINK_LOOPBACK, VX_LINK_LOOPBACK, VX_LINK_LOOPBACK, VX_LINK_LOOPBACK },
	};

	(void)state;
	for (unsigned int now = 0; now < VX_LINKS; now++)
		for (unsigned int to = 0; to < VX_LINKS; to++)
			assert_int_equal(vx_link_after(now, to), after[now][to]);
	assert_false(vx_link_failed(VX_LINK_CLOSED) || vx_link_failed(VX_LINK_OPEN) || vx_link_failed(VX_LINK_SILENT));
	assert_true(vx_link_failed(VX_LINK_LOST) && vx_link_failed(VX_LINK_LOOPBACK));
}

static enum vx_step next(enum vx_state s, unsigned int own, unsigned int backend)
{
	struct vx_view v = { .state = s, .own = own, .backend = backend };

	return vx_next_step(&v);
}

/* docs/protocol.md, 4.1: by the state of both sides. */
static void steps_of_the_protocol(void **state)
{
	static const struct { enum vx_state s; unsigned int own; enum vx_step step[7]; } t[] = {
#define NO VX_STEP_NOTHING
		{ VX_WAITING, 1, { NO, NO, VX_STEP_BEGIN, NO, NO, VX_STEP_CLOSE, NO } },
		{ VX_RESTORING, 1, { NO, NO, VX_STEP_BEGIN, NO, NO, VX_STEP_CLOSE, NO } },
		{ VX_CONNECTING, 3, { VX_STEP_GONE, NO, VX_STEP_RESTARTED, NO, VX_STEP_CONNECT, VX_STEP_CLOSE, VX_STEP_GONE } },
		{ VX_RESTORING, 3, { VX_STEP_GONE, NO, VX_STEP_RESTARTED, NO, VX_STEP_CONNECT, VX_STEP_CLOSE, VX_STEP_GONE } },
		{ VX_RECONNECTING, 3, { VX_STEP_GONE, VX_STEP_RESTARTED, VX_STEP_RESTARTED, VX_STEP_RESTARTED,
					VX_STEP_CONNECT, VX_STEP_CLOSE, VX_STEP_GONE } },
		{ VX_LIVE, 4, { VX_STEP_GONE, VX_STEP_RESTARTED, VX_STEP_RESTARTED, VX_STEP_RESTARTED,
				NO, VX_STEP_CLOSE, VX_STEP_GONE } },
		{ VX_QUIESCED, 4, { VX_STEP_GONE, VX_STEP_RESTARTED, VX_STEP_RESTARTED, VX_STEP_RESTARTED,
				    NO, VX_STEP_CLOSE, VX_STEP_GONE } },
		/* A guest that shuts down has written 5. */
		{ VX_LIVE, 5, { NO, NO, NO, NO, NO, VX_STEP_CLOSE, NO } },
		{ VX_CLOSED, 6, { NO, NO, NO, NO, NO, NO, NO } },
		{ VX_EXPIRED, 6, { NO, NO, VX_STEP_REINITIALISE, NO, NO, NO, NO } },
		{ VX_REMOVED, 1, { NO, NO, NO, NO, NO, NO, NO } },
#undef NO
	};

	(void)state;
	for (size_t i = 0; i < COUNT(t); i++)
		for (unsigned int backend = 0; backend < 7; backend++)
			if (next(t[i].s, t[i].own, backend) != t[i].step[backend])
				fail_msg("%s, own %u, backend %u: %d", vx_state_name(t[i].s), t[i].own, backend,
					 next(t[i].s, t[i].own, backend));
	assert_int_equal(next(VX_LIVE, 4, 7), VX_STEP_NOTHING);
	assert_int_equal(next(VX_LIVE, 4, 99), VX_STEP_NOTHING);
}

static void errors_and_deadlines(void **state)
{
	(void)state;
	for (unsigned int s = 0; s < VX_STATES; s++)
		for (unsigned int own = 1; own < 7; own++)
			for (unsigned int backend = 0; backend < 9; backend++) {
				struct vx_view v = { .state = s, .own = own, .backend = backend, .failed = true };
				bool up = own == 3 || own == 4;

				if (s == VX_REMOVED)
					assert_int_equal(vx_next_step(&v), VX_STEP_NOTHING);
				else if (up)
					assert_int_equal(vx_next_step(&v), VX_STEP_FAIL);
				else
					assert_int_equal(vx_next_step(&v), next(s, own, backend));
				v.failed = false;
				v.expired = true;
				if (vx_state_lost(s))
					assert_int_equal(vx_next_step(&v), VX_STEP_EXPIRE);
				else
					assert_int_equal(vx_next_step(&v), next(s, own, backend));
			}
}

static enum vx_step restart(enum vx_state s, unsigned int own, unsigned int backend, bool same, bool can_wait)
{
	struct vx_view v = { .state = s, .own = own, .backend = backend };

	return vx_restart_step(&v, same, can_wait);
}

static void another_backend(void **state)
{
	(void)state;
	/* The first one has not seen the offer yet; another never will. */
	assert_int_equal(restart(VX_CONNECTING, 3, 2, true, false), VX_STEP_NOTHING);
	assert_int_equal(restart(VX_RESTORING, 3, 2, true, true), VX_STEP_NOTHING);
	assert_int_equal(restart(VX_CONNECTING, 3, 2, false, false), VX_STEP_REINITIALISE);
	assert_int_equal(restart(VX_RESTORING, 3, 2, false, true), VX_STEP_REPLACE);
	/* One that served us. */
	assert_int_equal(restart(VX_LIVE, 4, 1, true, true), VX_STEP_WAIT);
	assert_int_equal(restart(VX_LIVE, 4, 3, false, true), VX_STEP_WAIT);
	assert_int_equal(restart(VX_LIVE, 4, 2, true, true), VX_STEP_RECONNECT);
	assert_int_equal(restart(VX_LIVE, 4, 2, false, false), VX_STEP_REINITIALISE);
	/* The one that is to take its place. */
	assert_int_equal(restart(VX_RECONNECTING, 4, 1, false, true), VX_STEP_WAIT);
	assert_int_equal(restart(VX_RECONNECTING, 4, 2, false, true), VX_STEP_RECONNECT);
	assert_int_equal(restart(VX_RECONNECTING, 3, 2, true, true), VX_STEP_WAIT);
	assert_int_equal(restart(VX_RECONNECTING, 3, 2, false, true), VX_STEP_RECONNECT);
	assert_int_equal(restart(VX_QUIESCED, 4, 2, false, true), VX_STEP_REPLACE);
	assert_int_equal(restart(VX_QUIESCED, 3, 2, true, true), VX_STEP_WAIT);
	assert_int_equal(restart(VX_QUIESCED, 3, 1, true, true), VX_STEP_WAIT);
}

/* trust-03: a suspend waits for a backend that serves, and for no other. */
static void draining(void **state)
{
	static const struct {
		enum xenbus_state backend;
		enum vx_link link;
		bool busy;
		u32 waited, still;
		enum vx_drain next;
	} t[] = {
		{ XenbusStateConnected, VX_LINK_OPEN, false, 0, 0, VX_DRAIN_DONE },
		{ XenbusStateConnected, VX_LINK_OPEN, true, 0, 0, VX_DRAIN_WAIT },
		{ XenbusStateConnected, VX_LINK_OPEN, true, 999, 10, VX_DRAIN_WAIT },
		{ XenbusStateConnected, VX_LINK_OPEN, true, 1000, 10, VX_DRAIN_DONE },
		{ XenbusStateConnected, VX_LINK_OPEN, true, 1000, 1000, VX_DRAIN_WAIT },
		{ XenbusStateConnected, VX_LINK_OPEN, true, 29999, 29999, VX_DRAIN_WAIT },
		{ XenbusStateConnected, VX_LINK_OPEN, true, 30000, 30000, VX_DRAIN_LATE },
		{ XenbusStateConnected, VX_LINK_OPEN, true, 90000, 60, VX_DRAIN_DONE },
		/* killed, closing, gone: also when nothing is in flight, since its queues are to be reset */
		{ XenbusStateInitialising, VX_LINK_OPEN, true, 0, 0, VX_DRAIN_LOST },
		{ XenbusStateInitWait, VX_LINK_OPEN, false, 0, 0, VX_DRAIN_LOST },
		{ XenbusStateClosing, VX_LINK_OPEN, true, 0, 0, VX_DRAIN_LOST },
		{ XenbusStateClosed, VX_LINK_OPEN, true, 0, 0, VX_DRAIN_LOST },
		{ XenbusStateUnknown, VX_LINK_OPEN, true, 0, 0, VX_DRAIN_LOST },
		{ XenbusStateConnected, VX_LINK_SILENT, true, 0, 0, VX_DRAIN_LOST },
		{ XenbusStateConnected, VX_LINK_LOST, false, 0, 0, VX_DRAIN_LOST },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++)
		if (vx_drain_next(t[i].backend, t[i].link, t[i].busy, t[i].waited, t[i].still) != t[i].next)
			fail_msg("row %zu", i);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_whole_table),
		cmocka_unit_test(values_that_are_none),
		cmocka_unit_test(names_differ),
		cmocka_unit_test(every_state_is_reached),
		cmocka_unit_test(derived_states),
		cmocka_unit_test(links),
		cmocka_unit_test(steps_of_the_protocol),
		cmocka_unit_test(errors_and_deadlines),
		cmocka_unit_test(another_backend),
		cmocka_unit_test(draining),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
