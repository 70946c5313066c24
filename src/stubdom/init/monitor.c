// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "failure.h"

/* As the broker: query-qmp-schema is the longest answer there is. */
#define ANSWER_MAX (1024 * 1024)

int monitor_beat_ms = 30000;

void monitor_close(struct monitor *m)
{
	loop_timer_stop(&m->beat);
	if (m->src.fd < 0)
		return;
	loop_want(m->loop, &m->src, 0);
	close(m->src.fd);
	m->src.fd = -1;
	qmp_client_free(&m->client);
}

/* ---- is it alive? ---- */

static void on_beat_reply(void *arg, struct json_object *ret, const char *error)
{
	struct monitor *m = arg;

	(void)ret;
	(void)error;
	if (m->beat_missed && m->src.fd >= 0)
		say_notice("QEMU answers again");
	m->beat_asked = m->beat_missed = false;
}

/*
 * It is not ended: what holds it may be a disk that dom0 does not serve just now, and the
 * guest would be gone with it.
 */
static void on_beat(void *arg)
{
	struct monitor *m = arg;

	if (m->beat_asked && !m->beat_missed && m->loop->overdue_ms <= LOOP_STALL_MS) {
		say_warn("QEMU has not answered for %d s: the guest's devices stand still; does dom0 serve its disks?",
			 monitor_beat_ms / 1000);
		m->beat_missed = true;
	}
	if (!m->beat_asked)
		m->beat_asked = !monitor_send(m, "query-status", NULL, -1, on_beat_reply, m);
	loop_timer_set(m->loop, &m->beat, monitor_beat_ms);
}

static void on_ready(void *arg, const char *version)
{
	struct monitor *m = arg;

	loop_timer_set(m->loop, &m->beat, monitor_beat_ms);
	if (m->ready)
		m->ready(m->ready_arg, version);
}

static void on_reply(void *arg, struct json_object *ret, const char *error)
{
	(void)arg;
	if (!ret)
		say_debug("QEMU refuses a command: %.200s", error);
}

static void on_event(void *arg, const char *name, struct json_object *data)
{
	(void)arg;
	(void)data;
	say_debug("QEMU: event %.64s", name);
}

static void push(struct monitor *m)
{
	bool more = qmp_client_push(&m->client, m->src.fd);

	loop_want(m->loop, &m->src, EPOLLIN | (more ? EPOLLOUT : 0));
}

int monitor_send(struct monitor *m, const char *command, struct json_object *args,
		 int fd, qmp_reply_fn *fn, void *arg)
{
	int ret;

	if (m->src.fd < 0) {
		json_object_put(args);
		if (fd >= 0)
			close(fd);
		return -ENOTCONN;
	}
	ret = qmp_client_command(&m->client, command, args, fd, fn, arg);
	if (!ret)
		push(m);
	return ret;
}

static void on_input(void *arg, uint32_t events)
{
	struct monitor *m = arg;
	const char *why;
	char buf[4096];
	ssize_t n;

	(void)events;
	n = recv(m->src.fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		push(m);
		return;
	}
	if (n <= 0) {
		monitor_close(m);
		return;
	}
	why = qmp_client_input(&m->client, buf, (size_t)n);
	if (m->src.fd < 0)
		return;
	if (why) {
		say_warn("QEMU's monitor: %s: CD media cannot be changed any more", why);
		monitor_close(m);
		return;
	}
	push(m);
}

int monitor_init(struct monitor *m, struct loop *loop, int fd,
		 void (*ready)(void *arg, const char *version), void *arg)
{
	static const struct qmp_client_ops ops = { on_ready, on_reply, on_event };
	int ret;

	memset(m, 0, sizeof(*m));
	m->loop = loop;
	m->src = (struct loop_source){ .fd = fd, .fn = on_input, .arg = m };
	m->ready = ready;
	m->ready_arg = arg;
	m->beat = (struct loop_timer){ .fn = on_beat, .arg = m };
	ret = qmp_client_init(&m->client, &ops, m, ANSWER_MAX);
	if (!ret)
		ret = loop_want(loop, &m->src, EPOLLIN);
	if (ret)
		monitor_close(m);
	return ret;
}
