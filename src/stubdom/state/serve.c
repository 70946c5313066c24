// SPDX-License-Identifier: GPL-2.0-or-later
#include "serve.h"

#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ring.h"

#define TAKE_OVER_MS 3000
#define TAKE_OVER_LOOK_MS 20

struct server {
	struct serve_opts *o;
	struct ring ring;
	bool mapped, more, end;
};

static int say(int sock, const char *line)
{
	ssize_t n;

	do
		n = send(sock, line, strlen(line), MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static int say_length(int sock, const char *word, uint64_t length)
{
	char line[64];

	snprintf(line, sizeof(line), "%s %llu", word, (unsigned long long)length);
	return say(sock, line);
}

static void say_last(int sock, const char *word, const char *fmt, va_list ap)
{
	char line[SERVE_LINE_MAX + 1];
	int n = snprintf(line, sizeof(line), "%s ", word);

	vsnprintf(line + n, STATE_DISK_REASON_MAX + 1, fmt, ap);
	say(sock, line);
}

void serve_fail(int sock, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_last(sock, "error", fmt, ap);
	va_end(ap);
}

void serve_unable(int sock, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	say_last(sock, "unable", fmt, ap);
	va_end(ap);
}

/* ---- the stubdomain's requests ---- */

static int copy(void *arg, const struct segment *segs, unsigned int n, bool to_guest)
{
	struct serve_opts *o = arg;

	return grants_copy(o->grants, o->disk.mem, segs, n, to_guest);
}

static int fetch(void *arg, uint32_t gref, void *buf, size_t len)
{
	struct serve_opts *o = arg;

	return grants_fetch(o->grants, gref, buf, (uint16_t)len);
}

static int serve_ring(struct server *s)
{
	bool notify;
	int ret = ring_serve(&s->ring, &notify, &s->more);

	if (ret) {
		serve_fail(s->o->sock, "the stubdomain's ring is malformed");
		return ret;
	}
	if (!notify)
		return 0;
	ret = grants_notify(s->o->grants);
	if (ret)
		serve_fail(s->o->sock, "the stubdomain cannot be notified: %s", strerror(-ret));
	return ret;
}

/* ---- the daemon's lines ---- */

static int number(const char **p, uint32_t *out)
{
	char *end;
	unsigned long n;

	if (**p < '0' || **p > '9')
		return -EINVAL;
	errno = 0;
	n = strtoul(*p, &end, 10);
	if (errno || n > UINT32_MAX)
		return -EINVAL;
	*out = (uint32_t)n;
	*p = end;
	return 0;
}

int serve_parse_ring(const char *line, uint32_t *ref, uint32_t *port)
{
	if (strncmp(line, "ring ", 5))
		return -EINVAL;
	line += 5;
	if (number(&line, ref) || *line++ != ' ' || number(&line, port))
		return -EINVAL;
	return *line ? -EINVAL : 0;
}

/* The one before may be about to end: until then the event channel is not free. */
static void *map_ring(struct serve_opts *o, uint32_t ref, uint32_t port)
{
	void *page = grants_map(o->grants, ref, port);

	for (int i = 0; !page && o->refuse && i < TAKE_OVER_MS / TAKE_OVER_LOOK_MS; i++) {
		poll(NULL, 0, TAKE_OVER_LOOK_MS);
		page = grants_map(o->grants, ref, port);
	}
	return page;
}

static int connect_ring(struct server *s, uint32_t ref, uint32_t port)
{
	static const struct ring_ops ops = { .copy = copy, .fetch = fetch };
	/* Everything is outside of a disk without sectors. */
	const struct geometry geo = {
		.sectors = s->o->refuse ? 0 : s->o->disk.sectors, .readonly = s->o->restore,
	};
	void *page = map_ring(s->o, ref, port);

	if (!page) {
		int ret = errno ? -errno : -EIO;

		serve_fail(s->o->sock, "the stubdomain's ring cannot be mapped: %s", strerror(-ret));
		return ret;
	}
	ring_init(&s->ring, page, &geo, &ops, s->o);
	s->mapped = true;
	if (s->o->refuse) {
		ring_take_over(&s->ring);
		/* There may be answers that nobody was told about. */
		grants_notify(s->o->grants);
	}
	/* It may have been filled before there was somebody to be notified. */
	s->more = true;
	return say(s->o->sock, "connected");
}

static int finish(struct server *s)
{
	struct serve_opts *o = s->o;
	char why[STATE_DISK_REASON_MAX + 1];
	uint64_t length;
	int ret;

	/* From here on nobody else can write to the disk. */
	grants_unmap(o->grants);
	s->mapped = s->more = false;
	s->end = true;
	if (o->restore)
		return 0;
	ret = disk_store(&o->disk, o->file, &length, why);
	if (!ret)
		return say_length(o->sock, "saved", length);
	serve_fail(o->sock, "%s", why[0] ? why : strerror(-ret));
	return ret;
}

static int on_line(struct server *s)
{
	char line[SERVE_LINE_MAX + 1];
	uint32_t ref, port;
	ssize_t n = recv(s->o->sock, line, SERVE_LINE_MAX, 0);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (!n) {
		s->end = true;
		return 0;
	}
	line[n] = '\0';
	if (!strcmp(line, "finish"))
		return finish(s);
	if (!s->mapped && !serve_parse_ring(line, &ref, &port))
		return connect_ring(s, ref, port);
	serve_fail(s->o->sock, "xen-state-disk does not know what xen-stubdomd says: are both of one version?");
	return -EPROTO;
}

static int round_once(struct server *s)
{
	struct pollfd fds[2] = {
		{ .fd = s->o->sock, .events = POLLIN },
		{ .fd = s->mapped ? grants_fd(s->o->grants) : -1, .events = POLLIN },
	};
	int ret = 0;

	if (poll(fds, 2, s->more ? 0 : -1) < 0)
		return errno == EINTR ? 0 : -errno;
	/* First: however much the stubdomain asks. */
	if (fds[0].revents)
		ret = on_line(s);
	if (!ret && s->mapped && fds[1].revents) {
		ret = grants_take_event(s->o->grants);
		s->more = true;
	}
	if (!ret && s->mapped && s->more)
		ret = serve_ring(s);
	return ret;
}

int serve(struct serve_opts *o)
{
	struct server s = { .o = o };
	char why[STATE_DISK_REASON_MAX + 1];
	uint64_t length = 0;
	int ret = 0;

	if (o->restore) {
		ret = disk_load(&o->disk, o->file, &length, why);
		if (ret)
			serve_fail(o->sock, "%s", why);
	}
	if (!ret)
		ret = say_length(o->sock, "ready", length);
	while (!ret && !s.end)
		ret = round_once(&s);
	return ret;
}
