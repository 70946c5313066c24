// SPDX-License-Identifier: GPL-2.0-or-later
#include "monitor.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

int monitor_open(struct monitor *m, const struct args_monitor *a)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	mode_t mask;
	int ret;

	*m = (struct monitor){ .listen = a->fd, .client = -1 };
	ret = qmp_stream_init(&m->in, MONITOR_MSG_MAX);
	if (ret || m->listen >= 0)
		return ret;
	strcpy(addr.sun_path, a->path);
	m->listen = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (m->listen < 0)
		return -errno;
	unlink(a->path);
	mask = umask(077);
	ret = bind(m->listen, (struct sockaddr *)&addr, sizeof(addr)) || listen(m->listen, 4) ? -errno : 0;
	umask(mask);
	return ret;
}

static void hang_up(struct monitor *m)
{
	if (m->client >= 0)
		close(m->client);
	m->client = -1;
	m->negotiated = false;
	qmp_buf_clear(&m->out);
	qmp_stream_reset(&m->in);
}

void monitor_close(struct monitor *m)
{
	hang_up(m);
	if (m->listen >= 0)
		close(m->listen);
	m->listen = -1;
	qmp_stream_free(&m->in);
}

static void push(struct monitor *m)
{
	while (m->out.len > m->out.head) {
		ssize_t n = send(m->client, qmp_buf_data(&m->out), m->out.len - m->out.head, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n <= 0) {
			hang_up(m);
			return;
		}
		qmp_buf_take(&m->out, (size_t)n);
	}
}

/* Takes @o. */
static int put(struct monitor *m, struct json_object *o)
{
	const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
	int ret = -ENOMEM;

	if (text && m->out.len - m->out.head + strlen(text) < MONITOR_OUT_MAX)
		ret = qmp_buf_put(&m->out, text, strlen(text));
	if (!ret)
		ret = qmp_buf_put(&m->out, "\r\n", 2);
	json_object_put(o);
	return ret;
}

static int take(struct monitor *m, struct qmp_server *q, const char *data, size_t len)
{
	while (len) {
		struct json_object *msg = NULL;
		int got = qmp_stream_next(&m->in, &data, &len, &msg), ret;

		if (!got)
			return 0;
		ret = put(m, qmp_answer(q, &m->negotiated, msg));
		json_object_put(msg);
		if (ret)
			return ret;
	}
	return 0;
}

static void accept_client(struct monitor *m)
{
	m->client = accept4(m->listen, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (m->client < 0)
		return;
	if (put(m, qmp_greeting()))
		hang_up(m);
	else
		push(m);
}

struct pollfd monitor_poll(const struct monitor *m)
{
	if (m->client < 0)
		return (struct pollfd){ .fd = m->listen, .events = POLLIN };
	return (struct pollfd){
		.fd = m->client, .events = m->out.len > m->out.head ? POLLOUT : POLLIN,
	};
}

void monitor_serve(struct monitor *m, struct qmp_server *q, short revents)
{
	char buf[4096];
	ssize_t n;

	if (!revents)
		return;
	if (m->client < 0) {
		accept_client(m);
		return;
	}
	/* Who does not read answers is not asked for more. */
	if (m->out.len > m->out.head) {
		push(m);
		return;
	}
	n = recv(m->client, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || take(m, q, buf, (size_t)n))
		hang_up(m);
	else
		push(m);
}
