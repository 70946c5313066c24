// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/transfer.c */
/*
 * A save by state disk, without disk: stories, and then every order of events that libxl,
 * dom0, the writer, QEMU and time can make, with what must hold in each.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "state_disk.h"
#include "stubdom/init/transfer.h"

static struct transfer t;

static unsigned int ev(enum transfer_event e)
{
	return transfer_step(&t, e, true, "why");
}

static unsigned int ev_alone(enum transfer_event e)
{
	return transfer_step(&t, e, false, NULL);
}

static int setup(void **state)
{
	(void)state;
	memset(&t, 0, sizeof(t));
	return 0;
}

static void expect(unsigned int acts, unsigned int want, enum transfer_state state, int ms)
{
	assert_int_equal(acts, want);
	assert_int_equal(t.state, state);
	assert_int_equal(t.timer_ms, ms);
}

#define LEAVE (DO_CLOSE | DO_UNWANT)

/* QEMU has the command. */
static void moving(void)
{
	expect(ev(TRANSFER_STOP), DO_WANT, TRANSFER_ASKED, STATE_DISK_ANSWER_MS);
	expect(ev(TRANSFER_DISK), DO_FIND, TRANSFER_FOUND, STATE_DISK_APPEAR_MS);
	expect(ev(TRANSFER_DEVICE), 0, TRANSFER_READY, 0);
	expect(ev(TRANSFER_SAVE), DO_START, TRANSFER_MOVING, STATE_DISK_SAVE_MS);
	expect(ev(TRANSFER_TOOK), 0, TRANSFER_MOVING, STATE_DISK_STALL_MS);
	expect(ev(TRANSFER_MOVED), 0, TRANSFER_MOVING, STATE_DISK_SAVE_MS);
}

static void sealing(void)
{
	moving();
	expect(ev(TRANSFER_END), 0, TRANSFER_MOVING, STATE_DISK_SAVE_MS);
	expect(ev(TRANSFER_ANSWERED), DO_SEAL, TRANSFER_SEALING, STATE_DISK_STALL_MS);
}

static void result(void)
{
	sealing();
	expect(ev(TRANSFER_SEALED), DO_DONE, TRANSFER_RESULT, STATE_DISK_RESULT_MS);
}

static void saves_follow_each_other(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		result();
		expect(ev(TRANSFER_OK), LEAVE | DO_RELEASE, TRANSFER_IDLE, 0);
		expect(ev(TRANSFER_CONT), 0, TRANSFER_IDLE, 0);
	}
}

/* QEMU's answer may be read before the end of its pipe is. */
static void the_answer_overtakes_the_pipe(void **state)
{
	(void)state;
	moving();
	expect(ev(TRANSFER_ANSWERED), 0, TRANSFER_MOVING, STATE_DISK_SAVE_MS);
	expect(ev(TRANSFER_TOOK), 0, TRANSFER_MOVING, STATE_DISK_STALL_MS);
	expect(ev(TRANSFER_END), DO_SEAL, TRANSFER_SEALING, STATE_DISK_STALL_MS);
}

static void a_migration_asks_early(void **state)
{
	(void)state;
	expect(ev(TRANSFER_EARLY), DO_WANT, TRANSFER_ASKED, STATE_DISK_ANSWER_MS);
	ev(TRANSFER_DISK);
	ev(TRANSFER_DEVICE);
	expect(ev(TRANSFER_STOP), 0, TRANSFER_READY, 0);
	expect(ev(TRANSFER_SAVE), DO_START, TRANSFER_MOVING, STATE_DISK_SAVE_MS);
}

static void a_migration_is_given_up_and_tried_again(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		expect(ev(TRANSFER_EARLY), DO_WANT, TRANSFER_ASKED, STATE_DISK_ANSWER_MS);
		if (i > 0)
			ev(TRANSFER_DISK);
		if (i > 1)
			ev(TRANSFER_DEVICE);
		expect(ev(TRANSFER_CANCEL), LEAVE, TRANSFER_IDLE, 0);
		/* what dom0 still says to that */
		expect(ev(TRANSFER_DISK), 0, TRANSFER_IDLE, 0);
		expect(ev(TRANSFER_REFUSED), 0, TRANSFER_IDLE, 0);
	}
	ev(TRANSFER_EARLY);
	ev(TRANSFER_STOP);
	expect(ev(TRANSFER_CONT), LEAVE, TRANSFER_IDLE, 0);
	result();
	expect(ev(TRANSFER_OK), LEAVE | DO_RELEASE, TRANSFER_IDLE, 0);
}

/* dom0 gives an early disk to another guest: at `stop` it is asked again. */
static void an_early_disk_is_lost(void **state)
{
	(void)state;
	ev(TRANSFER_EARLY);
	ev(TRANSFER_DISK);
	ev(TRANSFER_DEVICE);
	expect(ev(TRANSFER_REFUSED), LEAVE | DO_SAY, TRANSFER_IDLE, 0);
	assert_string_equal(t.why, "no state disk: xen-stubdomd: why");
	expect(ev(TRANSFER_STOP), DO_WANT, TRANSFER_ASKED, STATE_DISK_ANSWER_MS);
}

static void no_daemon_is_the_console_at_once(void **state)
{
	(void)state;
	expect(ev_alone(TRANSFER_EARLY), 0, TRANSFER_IDLE, 0);
	expect(ev_alone(TRANSFER_STOP), 0, TRANSFER_NO_DISK, 0);
	expect(ev_alone(TRANSFER_SAVE), DO_CONSOLE, TRANSFER_IDLE, 0);
	/* also without a word before */
	expect(ev_alone(TRANSFER_SAVE), DO_CONSOLE, TRANSFER_IDLE, 0);
}

static void no_answer_is_the_console(void **state)
{
	(void)state;
	/* before the command, which then does not wait once more ... */
	ev(TRANSFER_STOP);
	expect(ev(TRANSFER_TIMER), LEAVE | DO_SAY, TRANSFER_NO_DISK, 0);
	expect(ev(TRANSFER_SAVE), DO_CONSOLE, TRANSFER_IDLE, 0);
	/* ... and while it waits */
	ev(TRANSFER_STOP);
	expect(ev(TRANSFER_SAVE), 0, TRANSFER_ASKED, STATE_DISK_ANSWER_MS);
	expect(ev(TRANSFER_TIMER), LEAVE | DO_SAY | DO_CONSOLE, TRANSFER_IDLE, 0);
	/* the next stop asks again */
	expect(ev(TRANSFER_STOP), DO_WANT, TRANSFER_ASKED, STATE_DISK_ANSWER_MS);
}

static void no_device_is_the_console(void **state)
{
	static const enum transfer_event ends[] = { TRANSFER_TIMER, TRANSFER_BROKEN, TRANSFER_REFUSED };

	(void)state;
	for (int i = 0; i < 3; i++) {
		ev(TRANSFER_STOP);
		ev(TRANSFER_DISK);
		expect(ev(TRANSFER_SAVE), 0, TRANSFER_FOUND, STATE_DISK_APPEAR_MS);
		expect(ev(ends[i]), LEAVE | DO_SAY | DO_CONSOLE, TRANSFER_IDLE, 0);
	}
}

/* The one before is being closed: our time begins when it is gone. */
static void an_old_disk_is_waited_for(void **state)
{
	(void)state;
	ev(TRANSFER_STOP);
	expect(ev(TRANSFER_OLD_DISK), 0, TRANSFER_ASKED, STATE_DISK_CLOSE_MS + STATE_DISK_ANSWER_MS);
	assert_true(t.timer_set);
	expect(ev(TRANSFER_FREE), 0, TRANSFER_ASKED, STATE_DISK_ANSWER_MS);
	assert_true(t.timer_set);
	expect(ev(TRANSFER_DISK), DO_FIND, TRANSFER_FOUND, STATE_DISK_APPEAR_MS);
	expect(ev(TRANSFER_FREE), 0, TRANSFER_FOUND, STATE_DISK_APPEAR_MS);
	assert_false(t.timer_set);
}

static void qemus_error_is_qemus(void **state)
{
	(void)state;
	moving();
	expect(ev(TRANSFER_ERROR), LEAVE, TRANSFER_IDLE, 0);
	moving();
	ev(TRANSFER_END);
	expect(ev(TRANSFER_ERROR), LEAVE, TRANSFER_IDLE, 0);
}

/* QEMU has the command: no console any more, and it must not wait for a reader. */
static void a_failure_while_qemu_writes(void **state)
{
	static const enum transfer_event ends[] = { TRANSFER_BROKEN, TRANSFER_REFUSED, TRANSFER_TIMER };
	static const char *const why[] = {
		"The device state was not saved: why",
		"The device state was not saved: xen-stubdomd: why",
		"The device state was not saved: QEMU did not complete it in time",
	};

	(void)state;
	for (int i = 0; i < 6; i++) {
		moving();
		expect(ev(ends[i % 3]), LEAVE | DO_FAIL | DO_DRAIN, TRANSFER_DRAIN, 0);
		assert_string_equal(t.why, why[i % 3]);
		/* whatever comes late */
		expect(ev(TRANSFER_BROKEN) | ev(TRANSFER_REFUSED) | ev(TRANSFER_OK) | ev(TRANSFER_END) |
		       ev(TRANSFER_STOP) | ev(TRANSFER_CONT) | ev(TRANSFER_SAVE), 0, TRANSFER_DRAIN, 0);
		expect(ev(i < 3 ? TRANSFER_ANSWERED : TRANSFER_ERROR), DO_UNDRAIN, TRANSFER_IDLE, 0);
	}
	moving();
	ev(TRANSFER_TOOK);
	ev(TRANSFER_TIMER);
	assert_string_equal(t.why, "The device state was not saved: its disk takes nothing");
}

static void a_failure_after_qemus_answer(void **state)
{
	static const enum transfer_event ends[] = { TRANSFER_BROKEN, TRANSFER_REFUSED, TRANSFER_TIMER };

	(void)state;
	for (int i = 0; i < 3; i++) {
		sealing();
		expect(ev(ends[i]), LEAVE | DO_FAIL, TRANSFER_IDLE, 0);
		result();
		expect(ev(ends[i]), LEAVE | DO_FAIL, TRANSFER_IDLE, 0);
		moving();
		ev(TRANSFER_ANSWERED);
		expect(ev(ends[i]), LEAVE | DO_FAIL, TRANSFER_IDLE, 0);
	}
}

static void a_client_leaves_its_command(void **state)
{
	(void)state;
	ev(TRANSFER_SAVE);
	expect(ev(TRANSFER_DROPPED), LEAVE, TRANSFER_IDLE, 0);
	ev(TRANSFER_STOP);
	ev(TRANSFER_DISK);
	ev(TRANSFER_SAVE);
	expect(ev(TRANSFER_DROPPED), LEAVE, TRANSFER_IDLE, 0);
	expect(ev(TRANSFER_DEVICE), 0, TRANSFER_IDLE, 0);
}

/* A held command is not left by what libxl says besides. */
static void a_held_command_stays(void **state)
{
	(void)state;
	ev(TRANSFER_SAVE);
	expect(ev(TRANSFER_CANCEL) | ev(TRANSFER_CONT), 0, TRANSFER_ASKED, STATE_DISK_ANSWER_MS);
	ev(TRANSFER_DISK);
	expect(ev(TRANSFER_DEVICE), DO_START, TRANSFER_MOVING, STATE_DISK_SAVE_MS);
}

/* ---- every order ---- */

/* The others, as they behave however they are mixed. */
struct world {
	struct transfer t;
	bool held, in_qemu, told;	/* libxl's command; QEMU has it unanswered; libxl has its end */
	bool saving, by_disk;
	bool wanted, found, open, writer, sealed, ok_due;
};

static bool possible(const struct world *w, enum transfer_event e)
{
	switch (e) {
	case TRANSFER_SAVE:
		return !w->held && !w->saving;
	case TRANSFER_DROPPED:
		return w->held;
	case TRANSFER_ANSWERED:
	case TRANSFER_ERROR:
		return w->in_qemu && w->by_disk;
	case TRANSFER_DEVICE:
		return w->found;
	case TRANSFER_TOOK:
	case TRANSFER_MOVED:
	case TRANSFER_END:
		return w->writer && w->by_disk;
	case TRANSFER_SEALED:
		return w->writer && w->sealed;
	case TRANSFER_TIMER:
		return w->t.timer_ms != 0;
	default:
		return true;		/* dom0 and libxl may say it at any time */
	}
}

#define CHECK(what) do { if (!(what)) fail_msg("%s, state %d, event %d, acts %x", #what, w->t.state, e, acts); } while (0)

/* What was asked for is right, and is done. */
static void follow(struct world *w, enum transfer_event e, unsigned int acts)
{
	if (e == TRANSFER_ANSWERED || e == TRANSFER_ERROR) {
		w->in_qemu = false;
		w->told |= e == TRANSFER_ERROR;		/* the relay hands it on */
	}
	if (acts & DO_CLOSE)
		w->found = w->open = w->writer = w->sealed = false;
	if (acts & DO_UNWANT)
		w->wanted = false;
	if (acts & DO_WANT) {
		CHECK(!w->wanted);
		w->wanted = true;
	}
	if (acts & DO_FIND)
		w->found = true;
	if (acts & (DO_START | DO_CONSOLE)) {
		CHECK(w->held && !w->saving && !(acts & DO_START && acts & DO_CONSOLE));
		CHECK(!(acts & DO_START) == !w->open || acts & DO_CONSOLE);
		CHECK(!(acts & DO_CONSOLE) || !w->wanted);
		w->held = false;
		w->by_disk = acts & DO_START;
		/* what goes by console is another's */
		w->saving = w->in_qemu = w->by_disk;
		w->told = false;
	}
	if (acts & DO_SEAL) {
		CHECK(w->writer && !w->in_qemu);
		w->sealed = true;
	}
	CHECK(!(acts & DO_DONE) || w->wanted);
	if (acts & (DO_RELEASE | DO_FAIL)) {
		CHECK(w->saving && !w->told && w->by_disk);
		CHECK(!(acts & DO_RELEASE) || (e == TRANSFER_OK && w->t.state == TRANSFER_IDLE));
		w->told = true;
	}
	if (w->saving && !w->in_qemu && w->told)
		w->saving = w->by_disk = false;
}

static void hold(const struct world *w, enum transfer_event e, unsigned int acts)
{
	enum transfer_state s = w->t.state;
	bool waits = s != TRANSFER_IDLE && s != TRANSFER_NO_DISK && s != TRANSFER_READY && s != TRANSFER_DRAIN;

	/* Nothing waits without an end. */
	CHECK(waits == (w->t.timer_ms != 0));
	CHECK(w->wanted == (waits || s == TRANSFER_READY));
	/* libxl's command is in one place. */
	CHECK(w->held == w->t.held);
	CHECK(!w->held || s == TRANSFER_ASKED || s == TRANSFER_FOUND);
	CHECK(!w->saving || s == TRANSFER_DRAIN || s >= TRANSFER_MOVING);
	/* QEMU never writes to a pipe that nobody reads, and drains end. */
	CHECK((s == TRANSFER_DRAIN) == (w->saving && w->told));
	CHECK(s != TRANSFER_MOVING || w->writer);
	CHECK(s != TRANSFER_IDLE || (!w->writer && !w->open));
}

static uint64_t steps;

static void one(struct world *w, enum transfer_event e, bool served)
{
	bool opens = e == TRANSFER_DEVICE && w->t.state == TRANSFER_FOUND;
	unsigned int acts;

	if (e == TRANSFER_SAVE)
		w->held = true;
	if (e == TRANSFER_DROPPED)
		w->held = false;
	if (opens)
		w->open = w->writer = true;
	if (e == TRANSFER_DEVICE)
		w->found = false;
	acts = transfer_step(&w->t, e, served, "why");
	follow(w, e, acts);
	hold(w, e, acts);
	steps++;
}

static void orders(const struct world *from, int depth)
{
	for (int e = 0; e <= TRANSFER_TIMER; e++) {
		struct world w = *from;

		if (!possible(&w, e))
			continue;
		one(&w, e, true);
		if (depth > 1)
			orders(&w, depth - 1);
	}
}

/* From each state on the way of a save, everything that can follow. */
static void every_order(void **state)
{
	static const enum transfer_event way[] = {
		TRANSFER_EARLY, TRANSFER_DISK, TRANSFER_DEVICE, TRANSFER_STOP, TRANSFER_SAVE, TRANSFER_TOOK,
		TRANSFER_MOVED, TRANSFER_END, TRANSFER_ANSWERED, TRANSFER_SEALED, TRANSFER_OK, TRANSFER_CONT,
	};
	struct world w = { .held = false };

	(void)state;
	for (unsigned int i = 0; i <= sizeof(way) / sizeof(way[0]); i++) {
		orders(&w, 4);
		if (i < sizeof(way) / sizeof(way[0]))
			one(&w, way[i], true);
	}
	assert_true(steps > 100000);
}

static void long_orders(void **state)
{
	struct world w = { .held = false };
	unsigned int released = 0, before;

	(void)state;
	srandom(1);
	for (int i = 0; i < 3000000; i++) {
		int e = random() % (TRANSFER_TIMER + 1);

		/* trouble is rare enough for a save to come to its end now and then */
		if (!possible(&w, e) || ((e == TRANSFER_REFUSED || e == TRANSFER_BROKEN || e == TRANSFER_TIMER ||
					  e == TRANSFER_ERROR) && random() % 16))
			continue;
		before = w.t.state;
		one(&w, e, random() % 8);
		released += before == TRANSFER_RESULT && e == TRANSFER_OK;
	}
	assert_true(released > 1000);
}

#define T(f) cmocka_unit_test_setup(f, setup)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(saves_follow_each_other), T(the_answer_overtakes_the_pipe), T(a_migration_asks_early),
		T(a_migration_is_given_up_and_tried_again), T(an_early_disk_is_lost),
		T(no_daemon_is_the_console_at_once), T(no_answer_is_the_console), T(no_device_is_the_console),
		T(an_old_disk_is_waited_for), T(qemus_error_is_qemus), T(a_failure_while_qemu_writes),
		T(a_failure_after_qemus_answer), T(a_client_leaves_its_command), T(a_held_command_stays),
		T(every_order), T(long_orders),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
