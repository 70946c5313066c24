// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/daemon/life.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "stubdom/daemon/life.h"
#include "base/ratelimit.h"

#define T 1000000	/* now */

static struct life_plan decide(struct life l)
{
	struct life_plan p;

	memset(&p, 0xff, sizeof(p));
	l.now = T;
	life_decide(&l, &p);
	return p;
}

/* No deed at all, at most another look. */
static void assert_idle(const struct life_plan *p)
{
	assert_false(p->say_ready || p->say_slow || p->say_dead || p->crash_guest ||
		     p->say_left || p->clean || p->forget);
}

static void well_is_quiet(void **state)
{
	struct life_plan p = decide((struct life){ .stub_runs = true, .ran_at = 1, .ready_at = 1 });

	(void)state;
	assert_idle(&p);
	assert_true(p.next == UINT64_MAX);
}

static void start(void **state)
{
	struct life l = { .guest_paused = true };
	struct life_plan p = decide(l);

	(void)state;
	assert_idle(&p);		/* still being built */
	assert_true(p.next == T + 1000);
	l.stub_runs = true;
	l.ran_at = T - LIFE_SLOW_MS + 1;
	p = decide(l);
	assert_idle(&p);
	assert_true(p.next <= T + 1);
	l.ran_at = T - LIFE_SLOW_MS;
	p = decide(l);
	assert_true(p.say_slow);
	l.told_slow = true;
	p = decide(l);
	assert_idle(&p);
	l.dm_running = true;		/* late, but it came */
	p = decide(l);
	assert_true(p.say_ready);
	assert_false(p.say_slow);
}

static void ends_with_its_guest_alive(void **state)
{
	struct life l = { .stub = LIFE_ENDED, .ready_at = 1, .dead_at = T };
	struct life_plan p = decide(l);

	(void)state;
	assert_true(p.say_dead && p.crash_guest);
	assert_false(p.clean || p.forget);
	l.told_dead = true;
	l.crashed_at = T;
	p = decide(l);			/* the call failed: again, later */
	assert_idle(&p);
	assert_true(p.next == T + LIFE_RETRY_MS);
	l.crashed_at = T - LIFE_RETRY_MS;
	p = decide(l);
	assert_true(p.crash_guest);
	assert_false(p.say_dead);
}

/* xl create: the guest has not been started, libxl cleans up by itself. */
static void ends_before_its_guest_starts(void **state)
{
	struct life l = { .stub = LIFE_ENDED, .guest_paused = true, .dead_at = T };
	struct life_plan p = decide(l);

	(void)state;
	assert_true(p.say_dead);
	assert_false(p.crash_guest);
	assert_true(p.next <= T + 2000);
	l.told_dead = true;
	p = decide(l);
	assert_idle(&p);
	assert_true(p.next <= T + 2000);
	/* but should it be started all the same, it must not hang for ever */
	l.guest_paused = false;
	p = decide(l);
	assert_true(p.crash_guest);
}

/* xl destroy: the stubdomain goes first, the guest an instant later. */
static void destroyed_together(void **state)
{
	struct life l = { .ready_at = 1, .dead_at = T };
	struct life_plan p;

	(void)state;
	for (int s = LIFE_DYING; s <= LIFE_GONE; s++) {
		l.stub = s;
		l.guest = LIFE_ALIVE;
		l.guest_paused = false;
		p = decide(l);
		assert_idle(&p);
		assert_true(p.next <= T + LIFE_ALONE_MS);
		l.guest_paused = true;
		l.dead_at = T - 100 * LIFE_ALONE_MS;
		l.cleaned = true;
		p = decide(l);
		assert_idle(&p);
		l.dead_at = T;
		l.cleaned = false;
	}
	l.guest = LIFE_DYING;
	p = decide(l);
	assert_idle(&p);
	assert_true(p.next <= T + 2000);
	l.guest = LIFE_GONE;
	l.orphan_at = T;
	p = decide(l);
	assert_idle(&p);
	l.dead_at = T - LIFE_GRACE_MS;
	p = decide(l);
	assert_true(p.clean && p.forget);
	assert_false(p.say_dead || p.say_left || p.crash_guest);
}

/* xl destroy NAME-dm, by mistake. */
static void destroyed_alone(void **state)
{
	struct life l = { .stub = LIFE_GONE, .ready_at = 1, .dead_at = T - LIFE_ALONE_MS };
	struct life_plan p = decide(l);

	(void)state;
	assert_true(p.say_dead && p.crash_guest);
	assert_false(p.clean);
	l.dead_at = T - LIFE_GRACE_MS;
	p = decide(l);
	assert_true(p.clean);
	assert_false(p.forget);
}

/* The guest ended by itself: xl handles it. */
static void guest_ended_first(void **state)
{
	struct life l = { .guest = LIFE_ENDED, .ready_at = 1 };
	struct life_plan p = decide(l);

	(void)state;
	assert_idle(&p);
	l.stub = LIFE_ENDED;
	l.dead_at = 1;
	p = decide(l);
	assert_idle(&p);
	/* it may have been suspended, and be resumed without a device model */
	assert_true(p.next == T + 5000);
	l.guest = LIFE_ALIVE;
	p = decide(l);
	assert_true(p.crash_guest);
}

static void preserved_guest(void **state)
{
	struct life l = { .stub = LIFE_ENDED, .guest = LIFE_ENDED, .ready_at = 1,
			  .told_dead = true, .dead_at = 1, .crashed_at = T };
	struct life_plan p = decide(l);

	(void)state;
	assert_idle(&p);
	assert_true(p.next == T + LIFE_LEFT_MS);
	l.crashed_at = T - LIFE_LEFT_MS;
	p = decide(l);
	assert_true(p.say_left);
	l.told_left = true;
	p = decide(l);
	assert_idle(&p);
	assert_true(p.next == UINT64_MAX);
}

static void stubdomain_without_guest(void **state)
{
	struct life l = { .guest = LIFE_GONE, .orphan_at = T, .ready_at = 1 };
	struct life_plan p = decide(l);

	(void)state;
	assert_idle(&p);
	assert_true(p.next == T + LIFE_LEFT_MS);
	l.orphan_at = T - LIFE_LEFT_MS;
	p = decide(l);
	assert_true(p.say_left);
	l.stub = LIFE_ENDED;
	l.dead_at = T;
	p = decide(l);
	assert_true(p.say_left);
	assert_false(p.crash_guest || p.clean || p.forget);
}

/* Whatever is so: no deed on a guest that is paused, ended or gone. */
static void never_crashes_wrongly(void **state)
{
	(void)state;
	for (int bits = 0; bits < 1 << 12; bits++) {
		struct life l = {
			.stub = bits & 3, .guest = bits >> 2 & 3,
			.stub_runs = bits >> 4 & 1, .guest_paused = bits >> 5 & 1,
			.dm_running = bits >> 6 & 1,
			.ready_at = bits >> 7 & 1,
			.dead_at = bits >> 8 & 1 ? 1 : T, .orphan_at = bits >> 9 & 1,
			.crashed_at = bits >> 10 & 1, .cleaned = bits >> 11 & 1,
		};
		struct life_plan p = decide(l);

		if (p.crash_guest)
			assert_true(l.guest == LIFE_ALIVE && !l.guest_paused && l.stub != LIFE_ALIVE);
		if (p.clean)
			assert_true(l.stub == LIFE_GONE);
		if (p.forget)
			assert_true(l.stub == LIFE_GONE && l.guest == LIFE_GONE);
		assert_true(p.next >= T);
	}
}

static void limits(void **state)
{
	struct limit l = { 0 };

	(void)state;
	for (int i = 0; i < 3; i++)
		assert_true(limit_take(&l, 0, 1000, 3));
	assert_false(limit_take(&l, 0, 1000, 3));
	assert_false(limit_take(&l, 999, 1000, 3));
	assert_true(limit_take(&l, 1001, 1000, 3));
	assert_false(limit_take(&l, 1001, 1000, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_is_quiet), cmocka_unit_test(start),
		cmocka_unit_test(ends_with_its_guest_alive),
		cmocka_unit_test(ends_before_its_guest_starts),
		cmocka_unit_test(destroyed_together), cmocka_unit_test(destroyed_alone),
		cmocka_unit_test(guest_ended_first), cmocka_unit_test(preserved_guest),
		cmocka_unit_test(stubdomain_without_guest),
		cmocka_unit_test(never_crashes_wrongly), cmocka_unit_test(limits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
