// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * One request at a time: the next is read when xenstored has answered, so that neither
 * it nor this process keeps more than that of a client.
 */
#include "xsproxy.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include <xen/io/xs_wire.h>

#include "base/file.h"
#include "base/ratelimit.h"

/* What a client may leave unread: a guest makes watch events as fast as it likes. */
#define OUT_MAX (256 * 1024)

/*
 * xenstored serves all guests in one thread.  A device that connects needs some dozens
 * of requests, and a guest has hundreds of devices at most.
 */
#define REQUESTS_PER_SECOND 2000

struct message {
	struct xsd_sockmsg hdr;
	char body[XENSTORE_PAYLOAD_MAX + 1];	/* and a NUL that was not sent */
};

struct proxy {
	int client, server;
	struct xsf *f;
	struct message req, ans;
	size_t req_got, ans_got;
	bool waits;			/* req was passed on */
	struct limit rate;
	uint64_t rests;			/* until then nothing is taken of the client; 0: it is */
	char out[OUT_MAX];
	size_t out_len;
};

int xsproxy_connect(void)
{
	static const char *const sockets[] = { "/run/xenstored/socket", "/var/run/xenstored/socket" };
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	int fd;

	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0)
			return -errno;
		strcpy(a.sun_path, sockets[i]);
		if (!connect(fd, (struct sockaddr *)&a, sizeof(a)))
			return fd;
		close(fd);
	}
	fd = open("/dev/xen/xenbus", O_RDWR | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* 1: @m is whole; 0: there is more to come.  -EPIPE at the end of the stream. */
static int take(int fd, struct message *m, size_t *got)
{
	size_t need = sizeof(m->hdr);
	ssize_t n;

	if (*got >= sizeof(m->hdr))
		need += m->hdr.len;
	n = read(fd, (char *)m + *got, need - *got);
	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (!n)
		return -EPIPE;
	*got += (size_t)n;
	if (*got < sizeof(m->hdr))
		return 0;
	if (m->hdr.len > XENSTORE_PAYLOAD_MAX)
		return -EPROTO;
	if (*got < sizeof(m->hdr) + m->hdr.len)
		return 0;
	m->body[m->hdr.len] = '\0';
	*got = 0;
	return 1;
}

static int put(struct proxy *p, const struct message *m)
{
	size_t len = sizeof(m->hdr) + m->hdr.len;

	if (len > sizeof(p->out) - p->out_len)
		return -ENOBUFS;
	memcpy(p->out + p->out_len, m, len);
	p->out_len += len;
	return 0;
}

static int refuse(struct proxy *p)
{
	struct message m = { .hdr = p->req.hdr, .body = "EACCES" };

	m.hdr.type = XS_ERROR;
	m.hdr.len = sizeof("EACCES");
	return put(p, &m);
}

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

/* For how long it rests; -1: it does not. */
static int rest_ms(struct proxy *p)
{
	uint64_t now = p->rests ? now_ms() : 0;

	if (now >= p->rests)
		p->rests = 0;
	return p->rests ? (int)(p->rests - now) : -1;
}

static int from_client(struct proxy *p)
{
	int ret = take(p->client, &p->req, &p->req_got);

	if (ret <= 0)
		return ret;
	if (!limit_take(&p->rate, now_ms(), 1000, REQUESTS_PER_SECOND))
		p->rests = p->rate.start + 1000;
	if (!xsf_allows(p->f, p->req.hdr.type, p->req.body, p->req.hdr.len))
		return refuse(p);
	p->waits = true;
	return write_all(p->server, &p->req, sizeof(p->req.hdr) + p->req.hdr.len);
}

static int from_server(struct proxy *p)
{
	int ret = take(p->server, &p->ans, &p->ans_got);

	if (ret <= 0)
		return ret;
	if (p->ans.hdr.type != XS_WATCH_EVENT && p->waits) {
		p->waits = false;
		xsf_answered(p->f, p->req.hdr.type, p->ans.hdr.type == XS_ERROR ? p->ans.body : NULL);
	}
	return put(p, &p->ans);
}

static int to_client(struct proxy *p)
{
	ssize_t n = send(p->client, p->out, p->out_len, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	memmove(p->out, p->out + n, p->out_len - (size_t)n);
	p->out_len -= (size_t)n;
	return 0;
}

static int turn(struct proxy *p)
{
	int rest = rest_ms(p), ret = 0;
	bool takes = !p->waits && rest < 0;
	struct pollfd fds[2] = {
		{ .fd = p->client, .events = (short)((takes ? POLLIN : 0) | (p->out_len ? POLLOUT : 0)) },
		{ .fd = p->server, .events = POLLIN },
	};

	if (poll(fds, 2, rest) < 0)
		return errno == EINTR ? 0 : -errno;
	if (fds[1].revents)
		ret = from_server(p);
	if (ret >= 0 && (fds[0].revents & POLLOUT))
		ret = to_client(p);
	if (ret >= 0 && (fds[0].revents & POLLIN))
		ret = from_client(p);
	else if (ret >= 0 && (fds[0].revents & (POLLHUP | POLLERR | POLLNVAL)))
		ret = -EPIPE;
	return ret;
}

int xsproxy_run(int client, int server, struct xsf *f)
{
	struct proxy *p = calloc(1, sizeof(*p));
	int ret = 0;

	if (!p)
		return -ENOMEM;
	p->client = client;
	p->server = server;
	p->f = f;
	while (ret >= 0)
		ret = turn(p);
	free(p);
	return ret == -EPIPE || ret == -ECONNRESET ? 0 : ret;
}
