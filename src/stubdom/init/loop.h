/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One epoll loop per process, with a few timers.  No allocation. */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

struct loop_source {
	int fd;
	void (*fn)(void *arg, uint32_t events);
	void *arg;
	uint32_t events;	/* what is asked for now; 0: not in the loop */
};

struct loop_timer {
	int64_t due_ms;		/* 0: not set */
	void (*fn)(void *arg);
	void *arg;
};

#define LOOP_TIMERS 16
/*
 * A domain that was paused, or whose host slept, finds all times past: whoever judges others by
 * a timer that is overdue by more than this begins to wait anew.
 */
#define LOOP_STALL_MS 1000

struct loop {
	int epfd;
	bool stop;
	struct loop_timer *timers[LOOP_TIMERS];
	/* Of the timer whose function is called: later by so much, we stood still ourselves. */
	int64_t overdue_ms;
	/* removed while its events were being handed out */
	struct loop_source *batch[16];
	int batch_len;
};

int64_t now_ms(void);
/* Milliseconds since the kernel started: what libxl's 30 s are counted by. */
int64_t uptime_ms(void);
int loop_init(struct loop *l);
/* Ask for @events of src->fd; 0 takes it out (do that before close()). */
int loop_want(struct loop *l, struct loop_source *src, uint32_t events);
/* Call t->fn once, @ms from now; a set timer starts over. */
void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t ms);
void loop_timer_stop(struct loop_timer *t);
/* Until loop->stop. */
int loop_run(struct loop *l);
/* One wait of at most @max_ms, for tests and short waits. */
int loop_once(struct loop *l, int max_ms);

#endif
