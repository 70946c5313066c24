// SPDX-License-Identifier: GPL-2.0-or-later
#include "qmp_self.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "init.h"

static void cmd_done(struct qmp_self *q, struct json_object *ret)
{
	struct qmp_self_cmd c = q->queue[q->head];

	q->head = (q->head + 1) % QMP_SELF_QUEUE;
	q->count--;
	q->busy = false;
	free(c.text);
	if (c.fd >= 0)
		close(c.fd);
	if (c.fn)
		c.fn(c.arg, ret);
}

void qmp_self_close(struct qmp_self *q)
{
	if (q->src.fd < 0)
		return;
	loop_want(q->loop, &q->src, 0);
	close(q->src.fd);
	q->src.fd = -1;
	while (q->count)
		cmd_done(q, NULL);
	qmp_stream_free(&q->in);
	qmp_buf_clear(&q->out);
}

/* The descriptor goes with the first byte of its command, and alone. */
static ssize_t send_some(struct qmp_self *q, struct qmp_self_cmd *c)
{
	struct iovec iov = {
		.iov_base = (char *)qmp_buf_data(&q->out),
		.iov_len = q->out.len - q->out.head,
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
	n = sendmsg(q->src.fd, &mh, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n > 0 && c->fd >= 0) {
		close(c->fd);
		c->fd = -1;
	}
	return n;
}

static void push(struct qmp_self *q)
{
	struct qmp_self_cmd *c = &q->queue[q->head];
	ssize_t n;

	if (q->src.fd < 0 || !q->greeted || !q->count)
		return;
	if (!q->busy) {
		if (qmp_buf_put(&q->out, c->text, strlen(c->text))) {
			cmd_done(q, NULL);
			return;
		}
		q->busy = true;
	}
	while (q->out.len > q->out.head) {
		n = send_some(q, c);
		if (n < 0 && errno == EINTR)
			continue;
		/* A broken connection shows when it is read. */
		if (n <= 0)
			break;
		qmp_buf_take(&q->out, n);
	}
	loop_want(q->loop, &q->src,
		  EPOLLIN | (q->out.len > q->out.head ? EPOLLOUT : 0));
}

int qmp_self_send(struct qmp_self *q, const char *cmd, struct json_object *args,
		  int fd, qmp_self_fn *fn, void *arg)
{
	struct json_object *o = json_object_new_object();
	struct qmp_self_cmd *c;
	int ret = 0;

	if (o) {
		json_object_object_add(o, "execute", json_object_new_string(cmd));
		if (args)
			json_object_object_add(o, "arguments", args);
	}
	if (!o)
		ret = -ENOMEM;
	else if (q->src.fd < 0)
		ret = -ENOTCONN;
	else if (q->count == QMP_SELF_QUEUE)
		ret = -EBUSY;
	if (!ret) {
		c = &q->queue[(q->head + q->count) % QMP_SELF_QUEUE];
		*c = (struct qmp_self_cmd){ .fd = fd, .fn = fn, .arg = arg };
		c->text = strdup(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN));
		ret = c->text ? 0 : -ENOMEM;
	}
	if (ret) {
		if (!o)
			json_object_put(args);
		if (fd >= 0)
			close(fd);
	} else {
		q->count++;
		push(q);
	}
	json_object_put(o);
	return ret;
}

/* "10.0.13" of the greeting; only numbers are taken from it. */
static void greeting(struct qmp_self *q, struct json_object *qmp)
{
	static const char *const parts[] = { "major", "minor", "micro" };
	struct json_object *v, *o;
	int num[3] = { 0 };
	char text[48];

	if (json_object_object_get_ex(qmp, "version", &v) &&
	    json_object_object_get_ex(v, "qemu", &v))
		for (int i = 0; i < 3; i++)
			if (json_object_object_get_ex(v, parts[i], &o))
				num[i] = json_object_get_int(o);
	snprintf(text, sizeof(text), "%d.%d.%d", num[0], num[1], num[2]);
	q->greeted = true;
	if (q->ready)
		q->ready(q->ready_arg, text);
	push(q);
}

static void message(struct qmp_self *q, struct json_object *msg)
{
	struct json_object *o;

	if (json_object_object_get_ex(msg, "QMP", &o)) {
		if (!q->greeted)
			greeting(q, o);
		return;
	}
	if (json_object_object_get_ex(msg, "event", &o)) {
		say_debug("QEMU: event %.64s", json_object_get_string(o));
		return;
	}
	if (!q->busy)
		return;
	if (json_object_object_get_ex(msg, "return", &o)) {
		cmd_done(q, o);
	} else {
		struct json_object *desc = NULL;

		if (json_object_object_get_ex(msg, "error", &o))
			json_object_object_get_ex(o, "desc", &desc);
		say_debug("QEMU refuses %.64s: %.200s", q->queue[q->head].text,
			  desc ? json_object_get_string(desc) : "?");
		cmd_done(q, NULL);
	}
	push(q);
}

static void on_input(void *arg, uint32_t events)
{
	struct qmp_self *q = arg;
	struct json_object *msg;
	char buf[4096];
	const char *p = buf;
	size_t len;
	ssize_t n;
	int got;

	(void)events;
	n = recv(q->src.fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		push(q);
		return;
	}
	if (n <= 0) {
		qmp_self_close(q);
		return;
	}
	len = n;
	while (q->src.fd >= 0 && (got = qmp_stream_next(&q->in, &p, &len, &msg))) {
		if (got < 0)
			continue;
		message(q, msg);
		json_object_put(msg);
	}
}

int qmp_self_init(struct qmp_self *q, struct loop *loop, int fd,
		  void (*ready)(void *arg, const char *version), void *arg)
{
	int ret;

	memset(q, 0, sizeof(*q));
	q->loop = loop;
	q->src = (struct loop_source){ .fd = fd, .fn = on_input, .arg = q };
	q->ready = ready;
	q->ready_arg = arg;
	ret = qmp_stream_init(&q->in, QMP_QEMU_MSG_MAX);
	if (!ret)
		ret = loop_want(loop, &q->src, EPOLLIN);
	/* Waits in the queue until QEMU has greeted. */
	if (!ret)
		ret = qmp_self_send(q, "qmp_capabilities", NULL, -1, NULL, NULL);
	if (ret)
		qmp_self_close(q);
	return ret;
}
