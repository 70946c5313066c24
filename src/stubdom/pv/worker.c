// SPDX-License-Identifier: GPL-2.0-or-later
#include "worker.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

/* In epoll's data, above the consoles' numbers. */
#define ID_SOCK		100
#define ID_EVENTS	101

/* Rings full of bytes taken before others have their turn. */
#define ROUNDS 8

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int watch(struct worker *w, int fd, uint32_t events, uint32_t id)
{
	struct epoll_event e = { .events = events, .data.u32 = id };

	return epoll_ctl(w->epoll, EPOLL_CTL_ADD, fd, &e) ? -errno : 0;
}

int worker_init(struct worker *w)
{
	int ret;

	w->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (w->epoll < 0)
		return -errno;
	ret = watch(w, w->sock, EPOLLIN, ID_SOCK);
	if (!ret)
		ret = watch(w, foreign_fd(w->foreign), EPOLLIN, ID_EVENTS);
	/* By edges: a pty that nobody has open is "hung up" all the time. */
	for (uint32_t n = 0; n < CONSOLES_MAX && !ret; n++) {
		w->con[n].map.port = -1;
		if (w->con[n].sink.kind == SINK_PTY)
			ret = watch(w, w->con[n].sink.fd, EPOLLIN | EPOLLOUT | EPOLLET, n);
	}
	return ret;
}

static void tell(const struct worker *w, uint32_t what, uint32_t n, int err)
{
	const struct link_msg m = { .what = what, .n = n, .a = (uint64_t)err };

	/* It is waited for rarely and reads at once; when it is gone, the next round sees it. */
	while (send(w->sock, &m, sizeof(m), MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

static void unmap(struct worker *w, struct con *c)
{
	foreign_unmap(w->foreign, &c->map);
	c->wake = 0;
	c->masked = false;
}

static void malformed(struct worker *w, struct con *c)
{
	uint32_t n = (uint32_t)(c - w->con);

	unmap(w, c);
	if (limit_take(&w->lines, now_ms(), 3600 * 1000, WORKER_LINES_PER_HOUR))
		log_err(w->about, "the ring of console %u of its stubdomain is malformed: the console is closed", n);
	tell(w, LINK_REFUSED, n, 0);
}

static void cannot_write(struct worker *w, struct con *c, int err)
{
	if (!c->failed && limit_take(&w->lines, now_ms(), 3600 * 1000, WORKER_LINES_PER_HOUR))
		log_err(w->about, "what comes from console %u of its stubdomain is lost: %s", (uint32_t)(c - w->con),
			strerror(err));
	c->failed = true;
}

/*
 * From the ring to where it goes.  How many bytes were done, or -EPROTO; *@stuck: there are
 * more, for which there is no room; *@more: come again.
 */
static int output(struct worker *w, struct con *c, uint64_t now, bool *stuck, bool *more)
{
	char buf[sizeof(c->ring.page->out)];
	int done = 0;

	*stuck = *more = false;
	for (int i = 0; i < ROUNDS; i++) {
		int n = conring_peek(&c->ring, buf, sizeof(buf));
		bool was_full = c->sink.full;
		ssize_t put;

		if (n <= 0)
			return n ? n : done;
		put = sink_put(&c->sink, buf, (size_t)n, now);
		*stuck = !put;
		if (*stuck)
			return done;
		if (put < 0 || (c->sink.full && !was_full))
			cannot_write(w, c, put < 0 ? (int)-put : EFBIG);
		conring_taken(&c->ring, put < 0 ? (size_t)n : (size_t)put);
		done += put < 0 ? n : (int)put;
	}
	*more = true;
	return done;
}

/* What somebody typed, or a state that is to be restored. */
static int input(struct con *c)
{
	char buf[sizeof(c->ring.page->in)];
	int room, done = 0;

	while ((room = conring_room(&c->ring)) > 0) {
		ssize_t n = sink_get(&c->sink, buf, (size_t)room);

		if (n <= 0)
			return done;
		conring_put(&c->ring, buf, (size_t)n);
		done += (int)n;
		/* The stubdomain may take as fast as we read: others have their turn. */
		if (done >= ROUNDS * (int)sizeof(buf))
			return done;
	}
	return room < 0 ? room : done;
}

static void serve(struct worker *w, struct con *c)
{
	uint64_t now = now_ms();
	unsigned int wait;
	bool stuck, more;
	int in, out;

	if (!c->map.page)
		return;
	out = output(w, c, now, &stuck, &more);
	in = out < 0 ? 0 : input(c);
	if (out < 0 || in < 0) {
		malformed(w, c);
		return;
	}
	if (out || in)
		foreign_notify(w->foreign, c->map.port);
	wait = pace_take(&c->pace, now, (uint32_t)(out + in) + PACE_EVENT);
	c->wake = 0;
	if (wait || more || in >= ROUNDS * (int)sizeof(c->ring.page->in))
		c->wake = now + wait;
	else if (stuck)
		c->wake = c->sink.stalled + SINK_STALL_MS;
	else if (c->masked)
		foreign_unmask(w->foreign, c->map.port);
	c->masked = c->masked && c->wake;
}

static void connect_console(struct worker *w, uint32_t n, uint64_t ref, uint32_t port)
{
	struct con *c = &w->con[n];
	int ret = foreign_map(w->foreign, (uint32_t)ref, port, &c->map);

	if (ret) {
		tell(w, LINK_REFUSED, n, -ret);
		return;
	}
	conring_init(&c->ring, c->map.page);
	pace_init(&c->pace, c->sink.kind == SINK_STATE || c->sink.kind == SINK_SOURCE ? SINK_STATE_MAX : WORKER_BURST,
		  now_ms());
	tell(w, LINK_CONNECTED, n, 0);
	serve(w, c);
}

static int on_message(struct worker *w)
{
	struct link_msg m;
	ssize_t n = recv(w->sock, &m, sizeof(m), MSG_DONTWAIT);
	struct con *c;

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n != sizeof(m) || m.n >= CONSOLES_MAX || w->con[m.n].sink.kind == SINK_NONE)
		return -EPIPE;
	c = &w->con[m.n];
	if (m.what == LINK_CONNECT && !c->map.page) {
		connect_console(w, m.n, m.a, m.b);
	} else if (m.what == LINK_DISCONNECT && c->map.page) {
		serve(w, c);
		unmap(w, c);
	}
	return 0;
}

static void on_event(struct worker *w)
{
	int port = foreign_event(w->foreign);

	for (int n = 0; n < CONSOLES_MAX && port >= 0; n++)
		if (w->con[n].map.page && w->con[n].map.port == port) {
			w->con[n].masked = true;
			/* It is paced: its time will come. */
			if (!w->con[n].wake)
				serve(w, &w->con[n]);
			return;
		}
}

static int time_left(const struct worker *w, int max_ms)
{
	uint64_t now = now_ms();

	for (int n = 0; n < CONSOLES_MAX; n++) {
		uint64_t wake = w->con[n].wake;

		if (!wake)
			continue;
		if (wake <= now)
			return 0;
		if (max_ms < 0 || wake - now < (uint64_t)max_ms)
			max_ms = (int)(wake - now);
	}
	return max_ms;
}

int worker_round(struct worker *w, int max_ms)
{
	struct epoll_event e[CONSOLES_MAX + 2];
	int n = epoll_wait(w->epoll, e, CONSOLES_MAX + 2, time_left(w, max_ms)), ret = 0;
	uint64_t now = now_ms();

	for (int i = 0; i < n && !ret; i++) {
		if (e[i].data.u32 == ID_SOCK)
			ret = on_message(w);
		else if (e[i].data.u32 == ID_EVENTS)
			on_event(w);
		else if (e[i].data.u32 < CONSOLES_MAX)
			serve(w, &w->con[e[i].data.u32]);
	}
	for (int i = 0; i < CONSOLES_MAX && !ret; i++)
		if (w->con[i].wake && w->con[i].wake <= now)
			serve(w, &w->con[i]);
	return ret;
}

void worker_run(struct worker *w)
{
	while (!worker_round(w, -1))
		;
	for (int i = 0; i < CONSOLES_MAX; i++) {
		serve(w, &w->con[i]);
		unmap(w, &w->con[i]);
	}
}
