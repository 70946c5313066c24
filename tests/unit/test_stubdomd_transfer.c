// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/daemon/transfer.c */
/*
 * The state machine of a transfer: its stories, and then every state with everything that
 * can be so, and long walks in which anything happens in any order.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state_disk.h"
#include "stubdom/daemon/transfer.h"

#define T0 1000000u

/* What follows from the plans: what really runs and is there. */
struct world {
	struct transfer t;
	struct transfer_in in;
	struct transfer_plan p;
	bool helper;
	unsigned int published, errors;
};

static void check_plan(const struct world *w)
{
	const struct transfer_plan *p = &w->p;
	bool has_helper = w->t.step >= TRANSFER_PREPARE && w->t.step <= TRANSFER_VERIFY;

	assert_int_equal(w->helper, has_helper);
	if (p->start)
		assert_true(w->t.step == TRANSFER_NONE && w->in.room && w->in.stub_alive && w->in.guest_there &&
			    (w->in.want || w->in.incoming) && p->next == TRANSFER_PREPARE);
	if (p->attach)
		assert_true(w->helper && !w->t.attached && w->in.word == WORD_READY && !p->end);
	if (p->map)
		assert_true(w->helper && w->t.attached && w->in.ring);
	if (p->connected)
		assert_true(w->helper && w->in.word == WORD_CONNECTED);
	if (p->finish)
		assert_true(w->helper && !w->t.restore && w->in.done && w->t.step == TRANSFER_SERVING);
	/* Nothing comes to libxl but what was verified, and is still waited for. */
	if (p->publish)
		assert_true(w->t.step == TRANSFER_VERIFY && w->in.word == WORD_SAVED && w->in.want &&
			    w->in.stub_alive && w->in.guest_there && !p->end && !p->error);
	if (p->end)
		assert_true(w->helper && (p->next == TRANSFER_CLOSING || p->next == TRANSFER_NONE));
	if (p->detach)
		assert_true(w->t.step == TRANSFER_CLOSING && w->t.attached);
	if (p->error)
		assert_true(p->end || (p->error == TRANSFER_BUSY && w->t.step == TRANSFER_NONE));
	/* No error for who does not wait for one. */
	if (!w->in.stub_alive || !w->in.guest_there)
		assert_int_equal(p->error, TRANSFER_OK);
	/* No waiting without an end; only a stubdomain that does not run yet is libxl's to end. */
	if (p->next != TRANSFER_NONE && p->look == UINT64_MAX)
		assert_true(p->start || (w->t.restore && !w->in.ran_at));
}

static void decide(struct world *w)
{
	struct transfer_plan *p = &w->p;

	transfer_decide(&w->t, &w->in, p);
	check_plan(w);
	if (p->start) {
		w->t.restore = p->restore;
		w->helper = true;
	}
	w->t.attached |= p->attach;
	if (p->end || p->publish)
		w->helper = false;
	if (p->detach)
		w->t.attached = false;
	w->published += p->publish;
	w->errors += p->error != TRANSFER_OK;
	if (p->next != w->t.step) {
		w->t.step = p->next;
		w->t.since = w->in.now;
	}
	w->in.word = WORD_NONE;
	assert_int_equal(w->helper, w->t.step >= TRANSFER_PREPARE && w->t.step <= TRANSFER_VERIFY);
	assert_true(w->t.step != TRANSFER_NONE || !w->t.attached);
}

static struct world begin(bool restore)
{
	struct world w = { .in = {
		.now = T0, .stub_alive = true, .guest_there = true, .room = true, .front = -1,
		.want = !restore, .incoming = restore, .ran_at = restore ? 0 : 5,
	} };

	decide(&w);
	assert_int_equal(w.t.step, TRANSFER_PREPARE);
	assert_true(w.p.start);
	w.in.incoming = false;
	return w;
}

static void hear(struct world *w, enum transfer_word word)
{
	w->in.word = word;
	decide(w);
}

static void front(struct world *w, int state)
{
	w->in.front = state;
	w->in.ring = state == 3;
	decide(w);
}

static struct world serving(bool restore)
{
	struct world w = begin(restore);

	hear(&w, WORD_READY);
	assert_true(w.p.attach);
	w.in.ran_at = w.in.now;
	front(&w, 1);
	front(&w, 3);
	assert_true(w.p.map);
	hear(&w, WORD_CONNECTED);
	assert_true(w.p.connected);
	front(&w, 4);
	assert_int_equal(w.t.step, TRANSFER_SERVING);
	return w;
}

static void a_save(void **state)
{
	struct world w = serving(false);

	(void)state;
	w.in.suspended_at = w.in.now;
	decide(&w);
	w.in.done = true;
	decide(&w);
	assert_true(w.p.finish);
	front(&w, 6);
	hear(&w, WORD_SAVED);
	assert_true(w.p.publish);
	w.in.want = w.in.done = false;
	decide(&w);
	assert_true(w.p.detach);
	assert_int_equal(w.t.step, TRANSFER_NONE);
	assert_int_equal(w.published, 1);
	assert_int_equal(w.errors, 0);
}

static void a_restore(void **state)
{
	struct world w = serving(true);

	(void)state;
	w.in.restored = true;
	decide(&w);
	assert_true(w.p.end);
	assert_int_equal(w.t.step, TRANSFER_CLOSING);
	front(&w, 5);
	assert_int_equal(w.t.step, TRANSFER_CLOSING);
	front(&w, 6);
	assert_int_equal(w.t.step, TRANSFER_NONE);
	assert_int_equal(w.errors, 0);
}

static enum transfer_error error_after(struct world *w, uint64_t ms)
{
	w->in.now += ms - 1;
	decide(w);
	assert_int_equal(w->p.error, TRANSFER_OK);
	assert_false(w->p.end);
	assert_int_equal(w->p.look, w->in.now + 1);
	w->in.now++;
	decide(w);
	assert_true(w->p.end);
	return w->p.error;
}

static void each_wait_has_an_end(void **state)
{
	struct world w = begin(false);

	(void)state;
	assert_int_equal(error_after(&w, STATE_DISK_READY_MS), TRANSFER_NOT_READY);
	w = begin(false);
	hear(&w, WORD_READY);
	assert_int_equal(error_after(&w, STATE_DISK_CONNECT_MS), TRANSFER_NO_FRONTEND);
	w = begin(false);
	hear(&w, WORD_READY);
	front(&w, 3);
	assert_int_equal(error_after(&w, STATE_DISK_CONNECT_MS), TRANSFER_NO_FRONTEND);
	w = serving(false);
	assert_int_equal(error_after(&w, STATE_DISK_EARLY_MS), TRANSFER_NO_STATE);
	w = serving(false);
	w.in.now += 100;
	w.in.suspended_at = w.in.now;
	assert_int_equal(error_after(&w, STATE_DISK_SAVE_MS), TRANSFER_NO_STATE);
	w = serving(false);
	w.in.suspended_at = w.in.now;
	w.in.done = true;
	decide(&w);
	assert_int_equal(error_after(&w, STATE_DISK_VERIFY_MS), TRANSFER_NOT_WRITTEN);
	w.in.now += STATE_DISK_CLOSE_MS;
	decide(&w);
	assert_true(w.p.detach);
	/* a restore: of a stubdomain that libxl does not let run, and of one that does nothing */
	w = begin(true);
	hear(&w, WORD_READY);
	assert_int_equal(error_after(&w, STATE_DISK_EARLY_MS), TRANSFER_NO_FRONTEND);
	w = begin(true);
	hear(&w, WORD_READY);
	w.in.now += 100;
	w.in.ran_at = w.in.now;
	assert_int_equal(error_after(&w, STATE_DISK_RESTORE_MS), TRANSFER_NO_FRONTEND);
	w = serving(true);
	assert_int_equal(error_after(&w, STATE_DISK_RESTORE_MS), TRANSFER_OK);
	/* for the one who waits for a place */
	memset(&w, 0, sizeof(w));
	w.in = (struct transfer_in){ .now = T0, .stub_alive = true, .guest_there = true, .front = -1, .want = true };
	decide(&w);
	assert_int_equal(w.p.look, T0 + 100);
	w.t.asked_at = T0;
	w.in.now += 1999;
	decide(&w);
	assert_int_equal(w.p.error, TRANSFER_OK);
	w.in.now++;
	decide(&w);
	assert_int_equal(w.p.error, TRANSFER_BUSY);
}

static void faults_at_each_step(void **state)
{
	struct world w;

	(void)state;
	for (int step = TRANSFER_PREPARE; step <= TRANSFER_VERIFY; step++) {
		for (int fault = 0; fault < 7; fault++) {
			w = begin(false);
			if (step >= TRANSFER_ATTACHED)
				hear(&w, WORD_READY);
			if (step >= TRANSFER_MAPPING)
				front(&w, 3);
			if (step >= TRANSFER_SERVING)
				hear(&w, WORD_CONNECTED);
			w.in.done = step >= TRANSFER_VERIFY;
			if (w.in.done)
				decide(&w);
			assert_int_equal(w.t.step, step);
			w.in.stub_alive = fault != 0;
			w.in.guest_there = fault != 1;
			w.in.want = fault != 2;
			w.in.way = fault == 5;
			hear(&w, fault == 3 ? WORD_ERROR : fault == 4 ? WORD_GONE : fault == 6 ? WORD_UNABLE : WORD_NONE);
			assert_int_equal(w.p.error, fault == 3 ? TRANSFER_HELPER : fault == 4 ? TRANSFER_DIED : fault == 6 ? TRANSFER_UNABLE :
					 fault == 5 && step < TRANSFER_VERIFY ? TRANSFER_GAVE_WAY : TRANSFER_OK);
			assert_int_equal(w.p.end, fault != 5 || step < TRANSFER_VERIFY);
			assert_int_equal(w.published, 0);
		}
	}
	w = begin(false);
	hear(&w, WORD_READY);
	w.in.front = 3;
	w.in.ring = false;
	decide(&w);
	assert_int_equal(w.p.error, TRANSFER_RING);
	w = serving(false);
	front(&w, 6);
	assert_int_equal(w.p.error, TRANSFER_CLOSED);
	w = serving(false);
	front(&w, -1);
	assert_int_equal(w.p.error, TRANSFER_CLOSED);
}

static const int fronts[] = { -1, 1, 3, 4, 5, 6 };

/* Bits of @n to everything that can be so. */
static void set_all(struct transfer_in *in, unsigned int n)
{
	in->stub_alive = n & 1;
	in->guest_there = n & 2;
	in->suspended_at = n & 4 ? T0 - 10 : 0;
	in->ran_at = n & 8 ? T0 - 20 : 0;
	in->incoming = n & 16;
	in->want = n & 32;
	in->done = n & 64;
	in->restored = n & 128;
	in->ring = n & 256;
	in->room = n & 512;
	in->way = n & 1024;
}

static bool can_be(const struct transfer *t)
{
	return t->attached ? t->step >= TRANSFER_ATTACHED : t->step <= TRANSFER_PREPARE;
}

static void every_state_with_everything(void **state)
{
	struct world w;

	(void)state;
	for (int step = 0; step <= TRANSFER_CLOSING; step++)
	for (unsigned int bits = 0; bits < 2048; bits++)
	for (unsigned int k = 0; k < 4 * 2 * 6 * (WORD_GONE + 1); k++) {
		memset(&w, 0, sizeof(w));
		w.t = (struct transfer){
			.step = step, .restore = k & 1, .attached = k & 2,
			.since = k / 4 % 2 ? T0 - 1 : 1, .asked_at = k / 4 % 2,
		};
		if (!can_be(&w.t) || (w.t.restore && step == TRANSFER_VERIFY))
			continue;
		w.helper = step >= TRANSFER_PREPARE && step <= TRANSFER_VERIFY;
		set_all(&w.in, bits);
		w.in.now = T0;
		w.in.front = fronts[k / 8 % 6];
		w.in.word = k / 48;
		decide(&w);
		/* Whoever has gone has nothing left after two looks. */
		if (w.in.stub_alive)
			continue;
		decide(&w);
		decide(&w);
		assert_int_equal(w.t.step, TRANSFER_NONE);
		assert_false(w.helper || w.t.attached);
	}
}

static unsigned int dice(unsigned int n)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return (unsigned int)(x >> 33) % n;
}

/* Anything, in any order; then silence, in which all of it comes to an end. */
static void walks(void **state)
{
	struct world w;

	(void)state;
	for (unsigned int walk = 0; walk < 20000; walk++) {
		memset(&w, 0, sizeof(w));
		w.in = (struct transfer_in){ .now = T0, .stub_alive = true, .guest_there = true, .room = true, .front = -1 };
		for (unsigned int i = 0; i < 40; i++) {
			switch (dice(12)) {
			case 0: w.in.want = dice(4); break;
			case 1: w.in.done = dice(2); break;
			case 2: w.in.front = fronts[dice(6)]; break;
			case 3: w.in.ring = dice(4); break;
			case 4: w.in.word = dice(WORD_GONE + 1); break;
			case 5: w.in.suspended_at = dice(2) ? w.in.now : 0; break;
			case 6: w.in.room = dice(3); break;
			case 7: w.in.restored = !dice(4); break;
			case 8: w.in.now += dice(40000); break;
			case 9: w.in.way = !dice(4); break;
			case 10:
				w.in.incoming = !dice(4) && !w.in.ran_at;
				break;
			default: w.in.ran_at = w.in.ran_at ? w.in.ran_at : w.in.now;
			}
			decide(&w);
			if (w.t.step != TRANSFER_NONE)
				w.in.incoming = false;
		}
		w.in.ran_at = w.in.ran_at ? w.in.ran_at : w.in.now;
		w.in.want = w.in.incoming = false;
		for (unsigned int i = 0; i < 8; i++) {
			decide(&w);
			if (w.p.look != UINT64_MAX && w.p.look > w.in.now)
				w.in.now = w.p.look;
		}
		assert_int_equal(w.t.step, TRANSFER_NONE);
		assert_int_equal(w.p.look, UINT64_MAX);
	}
}

static void each_error_has_its_words(void **state)
{
	(void)state;
	for (int e = TRANSFER_BUSY; e <= TRANSFER_DIED; e++)
		assert_true(e == TRANSFER_HELPER || e == TRANSFER_UNABLE || (*transfer_reason(e) &&
			    strlen(transfer_reason(e)) <= STATE_DISK_REASON_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_save), cmocka_unit_test(a_restore), cmocka_unit_test(each_wait_has_an_end),
		cmocka_unit_test(faults_at_each_step), cmocka_unit_test(every_state_with_everything),
		cmocka_unit_test(walks), cmocka_unit_test(each_error_has_its_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
