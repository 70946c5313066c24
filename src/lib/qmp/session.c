// SPDX-License-Identifier: GPL-2.0-or-later
#include "session.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "client.h"

struct qmp {
	struct qmp_client client;
	int fd;
	sd_event *ev;
	sd_event_source *io, *timer;
	const struct qmp_ops *ops;
	void *arg;
	bool waiting;		/* for events only */
	size_t said;		/* bytes, meanwhile */
	bool lost;
	bool closed, inside;	/* freed when the outermost handler returns */
};

static void destroy(struct qmp *q)
{
	sd_event_source_disable_unref(q->io);
	sd_event_source_disable_unref(q->timer);
	if (q->fd >= 0)
		close(q->fd);
	qmp_client_free(&q->client);
	free(q);
}

void qmp_close(struct qmp *q)
{
	if (!q)
		return;
	q->closed = true;
	if (q->inside)
		qmp_client_free(&q->client);
	else
		destroy(q);
}

static void lost(struct qmp *q, const char *why)
{
	if (q->closed || q->lost)
		return;
	q->lost = true;
	q->ops->lost(q->arg, why);
}

static void client_ready(void *arg, const char *version)
{
	struct qmp *q = arg;

	(void)version;
	q->ops->ready(q->arg);
}

static void client_reply(void *arg, struct json_object *ret, const char *error)
{
	struct qmp *q = arg;

	if (!q->closed)
		q->ops->reply(q->arg, ret, error);
}

static void client_event(void *arg, const char *name, struct json_object *data)
{
	struct qmp *q = arg;

	q->ops->event(q->arg, name, data);
}

static void limit_from_now(struct qmp *q)
{
	uint64_t now;

	if (sd_event_now(q->ev, CLOCK_MONOTONIC, &now) >= 0) {
		sd_event_source_set_time(q->timer, now + QMP_LIMIT_MS * UINT64_C(1000));
		sd_event_source_set_enabled(q->timer, SD_EVENT_ONESHOT);
	}
}

static void push(struct qmp *q)
{
	bool more = qmp_client_push(&q->client, q->fd);

	sd_event_source_set_io_events(q->io, EPOLLIN | (more ? EPOLLOUT : 0));
}

void qmp_wait(struct qmp *q)
{
	q->waiting = true;
	q->said = 0;
	sd_event_source_set_enabled(q->timer, SD_EVENT_OFF);
}

int qmp_command(struct qmp *q, const char *command, struct json_object *args, int fd)
{
	int ret;

	if (!q->client.ready || q->client.count) {
		json_object_put(args);
		if (fd >= 0)
			close(fd);
		return -EBUSY;
	}
	ret = qmp_client_command(&q->client, command, args, fd, NULL, NULL);
	if (!ret) {
		limit_from_now(q);
		push(q);
	}
	return ret;
}

static void input(struct qmp *q, const char *data, size_t len)
{
	bool greeted = q->client.greeted;
	const char *why;

	if (q->waiting && (q->said += len) > QMP_MSG_MAX) {
		lost(q, "it has said enough");
		return;
	}
	why = qmp_client_input(&q->client, data, len);
	if (why) {
		lost(q, why);
		return;
	}
	/* It was greeted with the negotiation, whose answer is due. */
	if (!greeted && q->client.greeted)
		limit_from_now(q);
	push(q);
}

static int on_io(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct qmp *q = arg;
	char buf[16384];
	ssize_t n;

	(void)s;
	if (events & EPOLLOUT)
		push(q);
	n = recv(fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	q->inside = true;
	if (n <= 0)
		lost(q, "it closed the connection");
	else
		input(q, buf, (size_t)n);
	q->inside = false;
	if (q->closed)
		destroy(q);
	return 0;
}

static int on_time(sd_event_source *s, uint64_t usec, void *arg)
{
	struct qmp *q = arg;

	(void)s;
	(void)usec;
	q->inside = true;
	lost(q, "no answer in time");
	q->inside = false;
	if (q->closed)
		destroy(q);
	return 0;
}

static int connect_to(struct qmp *q, const char *path)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(a.sun_path))
		return -ENAMETOOLONG;
	strcpy(a.sun_path, path);
	q->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (q->fd < 0)
		return -errno;
	/* EAGAIN: others wait already, as many as QEMU lets. */
	return connect(q->fd, (struct sockaddr *)&a, sizeof(a)) ? -errno : 0;
}

struct qmp *qmp_open(sd_event *ev, const char *path, const struct qmp_ops *ops, void *arg)
{
	static const struct qmp_client_ops client_ops = { client_ready, client_reply, client_event };
	struct qmp *q = calloc(1, sizeof(*q));
	uint64_t now;
	int ret;

	if (!q)
		return NULL;
	q->ev = ev;
	q->fd = -1;
	q->ops = ops;
	q->arg = arg;
	ret = qmp_client_init(&q->client, &client_ops, q, QMP_MSG_MAX);
	if (!ret)
		ret = connect_to(q, path);
	if (ret >= 0)
		ret = sd_event_now(ev, CLOCK_MONOTONIC, &now);
	if (ret >= 0)
		ret = sd_event_add_time(ev, &q->timer, CLOCK_MONOTONIC,
					now + QMP_LIMIT_MS * UINT64_C(1000), 1000, on_time, q);
	if (ret >= 0)
		ret = sd_event_add_io(ev, &q->io, q->fd, EPOLLIN, on_io, q);
	if (ret < 0) {
		q->closed = true;
		destroy(q);
		errno = -ret;
		return NULL;
	}
	return q;
}
