// SPDX-License-Identifier: GPL-2.0-or-later
#include "client.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "stream.h"

struct qmp {
	int fd;
	sd_event *ev;
	sd_event_source *io, *timer;
	const struct qmp_ops *ops;
	void *arg;
	struct qmp_stream in;
	struct qmp_buf out;
	bool greeted, ready, busy;
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
	qmp_stream_free(&q->in);
	qmp_buf_clear(&q->out);
	free(q);
}

void qmp_close(struct qmp *q)
{
	if (!q)
		return;
	q->closed = true;
	if (!q->inside)
		destroy(q);
}

static void lost(struct qmp *q, const char *why)
{
	if (q->closed || q->lost)
		return;
	q->lost = true;
	q->ops->lost(q->arg, why);
}

/* ---- messages ---- */

static int send_text(struct qmp *q, const char *text);

static void greeting(struct qmp *q)
{
	if (q->greeted) {
		lost(q, "it greets twice");
		return;
	}
	q->greeted = true;
	if (send_text(q, "{\"execute\":\"qmp_capabilities\"}\r\n"))
		lost(q, "out of memory");
}

static void answer(struct qmp *q, struct json_object *ret, const char *error)
{
	if (!q->greeted || (q->ready && !q->busy)) {
		lost(q, "it answers what it was not asked");
		return;
	}
	if (q->ready) {
		q->busy = false;
		q->ops->reply(q->arg, ret, error);
	} else if (error) {
		lost(q, "it refuses the negotiation");
	} else {
		q->ready = true;
		q->ops->ready(q->arg);
	}
}

static void message(struct qmp *q, struct json_object *msg)
{
	struct json_object *o, *data = NULL, *desc = NULL;
	const char *error = "no reason given";

	if (json_object_object_get_ex(msg, "QMP", &o)) {
		greeting(q);
	} else if (json_object_object_get_ex(msg, "event", &o)) {
		json_object_object_get_ex(msg, "data", &data);
		if (json_object_is_type(o, json_type_string))
			q->ops->event(q->arg, json_object_get_string(o), data);
	} else if (json_object_object_get_ex(msg, "return", &o)) {
		answer(q, o, NULL);
	} else if (json_object_object_get_ex(msg, "error", &o)) {
		if (json_object_object_get_ex(o, "desc", &desc) &&
		    json_object_is_type(desc, json_type_string))
			error = json_object_get_string(desc);
		answer(q, NULL, error);
	} else {
		lost(q, "it sends what is no QMP");
	}
}

void qmp_input(struct qmp *q, const char *data, size_t len)
{
	bool outer = !q->inside;

	q->inside = true;
	while (len && !q->closed && !q->lost) {
		struct json_object *msg;
		int got = qmp_stream_next(&q->in, &data, &len, &msg);

		if (!got)
			break;
		if (got < 0) {
			lost(q, "it sends what is no QMP");
			break;
		}
		message(q, msg);
		json_object_put(msg);
	}
	if (!outer)
		return;
	q->inside = false;
	if (q->closed)
		destroy(q);
}

/* ---- bytes ---- */

static void limit_from_now(struct qmp *q)
{
	uint64_t now;

	if (q->timer && sd_event_now(q->ev, CLOCK_MONOTONIC, &now) >= 0) {
		sd_event_source_set_time(q->timer, now + QMP_LIMIT_MS * UINT64_C(1000));
		sd_event_source_set_enabled(q->timer, SD_EVENT_ONESHOT);
	}
}

void qmp_wait(struct qmp *q)
{
	q->waiting = true;
	q->said = 0;
	if (q->timer)
		sd_event_source_set_enabled(q->timer, SD_EVENT_OFF);
}

static int push(struct qmp *q)
{
	size_t left;

	while ((left = q->out.len - q->out.head) > 0) {
		ssize_t n = send(q->fd, qmp_buf_data(&q->out), left, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			return -errno;
		if (n <= 0)
			break;
		qmp_buf_take(&q->out, (size_t)n);
	}
	if (q->io)
		sd_event_source_set_io_events(q->io, EPOLLIN | (left ? EPOLLOUT : 0));
	return 0;
}

static int send_text(struct qmp *q, const char *text)
{
	int ret = qmp_buf_put(&q->out, text, strlen(text));

	limit_from_now(q);
	/* A broken connection shows when it is read. */
	if (!ret && q->fd >= 0)
		push(q);
	else if (!ret)
		qmp_buf_clear(&q->out);
	return ret;
}

int qmp_command(struct qmp *q, const char *command, struct json_object *args)
{
	struct json_object *o = json_object_new_object();
	const char *text;
	int ret = -ENOMEM;

	if (!o) {
		json_object_put(args);
		return ret;
	}
	json_object_object_add(o, "execute", json_object_new_string(command));
	if (args)
		json_object_object_add(o, "arguments", args);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	if (!q->ready || q->busy)
		ret = -EBUSY;
	else if (text)
		ret = send_text(q, text);
	if (!ret)
		ret = send_text(q, "\r\n");
	if (!ret)
		q->busy = true;
	json_object_put(o);
	return ret;
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
	else if (q->waiting && (q->said += (size_t)n) > QMP_MSG_MAX)
		lost(q, "it has said enough");
	q->inside = false;
	if (q->closed)
		destroy(q);
	else if (n > 0)
		qmp_input(q, buf, (size_t)n);
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

struct qmp *qmp_new(const struct qmp_ops *ops, void *arg)
{
	struct qmp *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->fd = -1;
	q->ops = ops;
	q->arg = arg;
	if (qmp_stream_init(&q->in, QMP_MSG_MAX)) {
		free(q);
		errno = ENOMEM;
		return NULL;
	}
	return q;
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
	struct qmp *q = qmp_new(ops, arg);
	uint64_t now;
	int ret;

	if (!q)
		return NULL;
	q->ev = ev;
	ret = connect_to(q, path);
	if (ret >= 0)
		ret = sd_event_now(ev, CLOCK_MONOTONIC, &now);
	if (ret >= 0)
		ret = sd_event_add_time(ev, &q->timer, CLOCK_MONOTONIC,
					now + QMP_LIMIT_MS * UINT64_C(1000), 1000, on_time, q);
	if (ret >= 0)
		ret = sd_event_add_io(ev, &q->io, q->fd, EPOLLIN, on_io, q);
	if (ret < 0) {
		destroy(q);
		errno = -ret;
		return NULL;
	}
	return q;
}
