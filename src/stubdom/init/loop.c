// SPDX-License-Identifier: GPL-2.0-or-later
#include "loop.h"

#include <errno.h>
#include <stddef.h>
#include <time.h>

int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t uptime_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_BOOTTIME, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int loop_init(struct loop *l)
{
	*l = (struct loop){ .epfd = epoll_create1(EPOLL_CLOEXEC) };
	return l->epfd < 0 ? -errno : 0;
}

int loop_want(struct loop *l, struct loop_source *src, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.ptr = src };
	int op;

	if (events == src->events)
		return 0;
	op = !src->events ? EPOLL_CTL_ADD :
	     !events ? EPOLL_CTL_DEL : EPOLL_CTL_MOD;
	if (!events)
		for (int i = 0; i < l->batch_len; i++)
			if (l->batch[i] == src)
				l->batch[i] = NULL;
	if (epoll_ctl(l->epfd, op, src->fd, &ev))
		return -errno;
	src->events = events;
	return 0;
}

void loop_timer_set(struct loop *l, struct loop_timer *t, int64_t ms)
{
	t->due_ms = now_ms() + ms;
	if (t->due_ms == 0)
		t->due_ms = 1;
	for (int i = 0; i < LOOP_TIMERS; i++)
		if (l->timers[i] == t)
			return;
	for (int i = 0; i < LOOP_TIMERS; i++) {
		if (!l->timers[i] || !l->timers[i]->due_ms) {
			l->timers[i] = t;
			return;
		}
	}
	/* More timers than LOOP_TIMERS is a mistake of ours: be late by none. */
	t->due_ms = 0;
	t->fn(t->arg);
}

void loop_timer_stop(struct loop_timer *t)
{
	t->due_ms = 0;
}

static int next_due(struct loop *l, int max_ms)
{
	int64_t now = now_ms(), wait = max_ms;

	for (int i = 0; i < LOOP_TIMERS; i++) {
		struct loop_timer *t = l->timers[i];

		if (!t || !t->due_ms)
			continue;
		if (t->due_ms <= now)
			return 0;
		if (wait < 0 || t->due_ms - now < wait)
			wait = t->due_ms - now;
	}
	return wait;
}

static void run_timers(struct loop *l)
{
	int64_t now = now_ms();

	for (int i = 0; i < LOOP_TIMERS; i++) {
		struct loop_timer *t = l->timers[i];

		if (!t || !t->due_ms || t->due_ms > now)
			continue;
		l->overdue_ms = now - t->due_ms;
		t->due_ms = 0;
		t->fn(t->arg);
	}
	l->overdue_ms = 0;
}

int loop_once(struct loop *l, int max_ms)
{
	struct epoll_event ev[16];
	int n;

	n = epoll_wait(l->epfd, ev, 16, next_due(l, max_ms));
	if (n < 0 && errno != EINTR)
		return -errno;
	l->batch_len = n < 0 ? 0 : n;
	for (int i = 0; i < l->batch_len; i++)
		l->batch[i] = ev[i].data.ptr;
	for (int i = 0; i < l->batch_len; i++)
		if (l->batch[i])
			l->batch[i]->fn(l->batch[i]->arg, ev[i].events);
	l->batch_len = 0;
	run_timers(l);
	return 0;
}

int loop_run(struct loop *l)
{
	int ret = 0;

	while (!l->stop && !ret)
		ret = loop_once(l, -1);
	return ret;
}
