// SPDX-License-Identifier: GPL-2.0-or-later
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"

int qmp_client_init(struct qmp_client *c, const struct qmp_client_ops *ops, void *arg, size_t max)
{
	*c = (struct qmp_client){ .ops = ops, .arg = arg, .fd = -1 };
	return qmp_stream_init(&c->in, max);
}

static void drop_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The first of the queue is done. */
static void done(struct qmp_client *c, struct json_object *ret, const char *error)
{
	struct qmp_queued q = c->queue[c->head];

	c->head = (c->head + 1) % QMP_QUEUE;
	c->count--;
	c->asked = false;
	free(q.text);
	drop_fd(&q.fd);
	drop_fd(&c->fd);	/* answered before it was sent */
	if (q.fn)
		q.fn(q.arg, ret, error);
	else
		c->ops->reply(c->arg, ret, error);
}

void qmp_client_free(struct qmp_client *c)
{
	if (!c->in.tok)
		return;
	c->broken = "the connection was closed";
	qmp_stream_free(&c->in);
	qmp_buf_clear(&c->out);
	drop_fd(&c->fd);
	while (c->count)
		done(c, NULL, c->broken);
}

static void put(struct qmp_client *c, const char *text)
{
	if (qmp_buf_put(&c->out, text, strlen(text)) || qmp_buf_put(&c->out, "\r\n", 2))
		c->broken = "out of memory";
}

/* Say the first of the queue, if it is its turn. */
static void next(struct qmp_client *c)
{
	struct qmp_queued *q = &c->queue[c->head];

	if (!c->ready || c->asked || !c->count || c->broken)
		return;
	c->asked = true;
	c->fd = q->fd;
	q->fd = -1;
	put(c, q->text);
}

static char *command_text(const char *command, struct json_object *args)
{
	struct json_object *o = json_object_new_object();
	const char *text;
	char *copy;

	if (!o) {
		json_object_put(args);
		return NULL;
	}
	json_object_object_add(o, "execute", json_object_new_string(command));
	if (args)
		json_object_object_add(o, "arguments", args);
	text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN |
					      JSON_C_TO_STRING_NOSLASHESCAPE);
	copy = text ? strdup(text) : NULL;
	json_object_put(o);
	return copy;
}

int qmp_client_command(struct qmp_client *c, const char *command, struct json_object *args,
		       int fd, qmp_reply_fn *fn, void *arg)
{
	char *text = command_text(command, args);

	if (!text || c->broken || c->count == QMP_QUEUE) {
		free(text);
		drop_fd(&fd);
		return !text ? -ENOMEM : c->broken ? -ENOTCONN : -EBUSY;
	}
	c->queue[(c->head + c->count++) % QMP_QUEUE] =
		(struct qmp_queued){ .text = text, .fd = fd, .fn = fn, .arg = arg };
	next(c);
	return 0;
}

/* ---- what QEMU says ---- */

static void greeting(struct qmp_client *c, struct json_object *qmp)
{
	static const char *const parts[] = { "major", "minor", "micro" };
	struct json_object *v, *o;
	int num[3] = { 0 };

	if (c->greeted) {
		c->broken = "it greets twice";
		return;
	}
	c->greeted = true;
	if (json_object_object_get_ex(qmp, "version", &v) &&
	    json_object_object_get_ex(v, "qemu", &v))
		for (int i = 0; i < 3; i++)
			if (json_object_object_get_ex(v, parts[i], &o))
				num[i] = json_object_get_int(o);
	snprintf(c->version, sizeof(c->version), "%d.%d.%d", num[0], num[1], num[2]);
	put(c, "{\"execute\":\"qmp_capabilities\"}");
}

static void answer(struct qmp_client *c, struct json_object *ret, const char *error)
{
	if (!c->greeted || (c->ready && !c->asked)) {
		c->broken = "it answers what it was not asked";
	} else if (c->ready) {
		done(c, ret, ret || error ? error : "an empty answer");
	} else if (error) {
		c->broken = "it refuses the negotiation";
	} else {
		c->ready = true;
		c->ops->ready(c->arg, c->version);
	}
	next(c);
}

static void message(struct qmp_client *c, struct json_object *msg)
{
	struct json_object *o, *data = NULL, *desc = NULL;
	char error[QMP_ERROR_MAX] = "no reason given";

	if (json_object_object_get_ex(msg, "QMP", &o)) {
		greeting(c, o);
	} else if (json_object_object_get_ex(msg, "event", &o)) {
		json_object_object_get_ex(msg, "data", &data);
		if (json_object_is_type(o, json_type_string))
			c->ops->event(c->arg, json_object_get_string(o), data);
	} else if (json_object_object_get_ex(msg, "return", &o)) {
		answer(c, o, NULL);
	} else if (json_object_object_get_ex(msg, "error", &o)) {
		if (json_object_object_get_ex(o, "desc", &desc) &&
		    json_object_is_type(desc, json_type_string))
			log_clean(error, sizeof(error), json_object_get_string(desc), strlen(json_object_get_string(desc)));
		answer(c, NULL, error);
	} else {
		c->broken = "it sends what is no QMP";
	}
}

const char *qmp_client_input(struct qmp_client *c, const char *data, size_t len)
{
	while (len && !c->broken) {
		struct json_object *msg;
		int got = qmp_stream_next(&c->in, &data, &len, &msg);

		if (!got)
			break;
		if (got < 0) {
			c->broken = "it sends what is no QMP";
			break;
		}
		message(c, msg);
		json_object_put(msg);
	}
	return c->broken;
}

/* ---- the socket ---- */

static ssize_t send_some(struct qmp_client *c, int fd)
{
	struct iovec iov = {
		.iov_base = (char *)qmp_buf_data(&c->out),
		.iov_len = c->out.len - c->out.head,
	};
	union {
		struct cmsghdr h;
		char buf[CMSG_SPACE(sizeof(int))];
	} ctl;
	struct msghdr mh = { .msg_iov = &iov, .msg_iovlen = 1 };
	ssize_t n;

	if (c->fd >= 0) {
		memset(&ctl, 0, sizeof(ctl));
		mh.msg_control = ctl.buf;
		mh.msg_controllen = sizeof(ctl.buf);
		ctl.h.cmsg_level = SOL_SOCKET;
		ctl.h.cmsg_type = SCM_RIGHTS;
		ctl.h.cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(&ctl.h), &c->fd, sizeof(int));
	}
	n = sendmsg(fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0)
		drop_fd(&c->fd);
	return n;
}

bool qmp_client_push(struct qmp_client *c, int fd)
{
	while (c->out.len > c->out.head) {
		ssize_t n = send_some(c, fd);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		qmp_buf_take(&c->out, (size_t)n);
	}
	return c->out.len > c->out.head;
}
