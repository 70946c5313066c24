// SPDX-License-Identifier: GPL-2.0-or-later
#include "fetch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/log.h"

struct fetch {
	struct vd_id id;
	fetch_fn *fn;
	void *arg;
	int fd;
	sd_event_source *io, *timer;
	int ret;
	char why[VD_ERROR_MAX];
	struct vd_opened o;
};

static void done(struct fetch *f, int ret, const char *why)
{
	sd_event_source_set_enabled(f->io, SD_EVENT_OFF);
	sd_event_source_set_enabled(f->timer, SD_EVENT_OFF);
	f->ret = ret;
	log_clean(f->why, sizeof(f->why), why, strlen(why));
	f->fn(f->arg);
}

static void take_files(struct fetch *f, struct msghdr *mh)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c; c = CMSG_NXTHDR(mh, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS || n > VD_OPENED_MAX - f->o.n)
			continue;
		memcpy(f->o.fd + f->o.n, CMSG_DATA(c), n * sizeof(int));
		f->o.n += (unsigned int)n;
	}
}

static int on_answer(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	union {
		struct cmsghdr h;
		char buf[CMSG_SPACE(VD_OPENED_MAX * sizeof(int))];
	} ctl;
	char text[VD_ERROR_MAX + 1];
	struct iovec iov = { .iov_base = text, .iov_len = sizeof(text) - 1 };
	struct msghdr mh = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = ctl.buf, .msg_controllen = sizeof(ctl.buf),
	};
	struct fetch *f = arg;
	ssize_t n = recvmsg(fd, &mh, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	(void)s;
	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	if (n > 0)
		take_files(f, &mh);
	text[n > 0 ? n : 0] = '\0';
	if (!strcmp(text, "ok"))
		done(f, 0, "");
	else
		done(f, *text == '!' ? -EIO : -ECONNRESET, *text == '!' ? text + 1 : "its backend has ended");
	return 0;
}

static int on_time(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	done(arg, -ETIMEDOUT, "it cannot be opened: what it is on does not answer");
	return 0;
}

static int ask(struct fetch *f, uint32_t domid)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	char name[VD_ID_MAX];

	snprintf(a.sun_path, sizeof(a.sun_path), VD_RUN_OPEN, domid);
	f->fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (f->fd < 0 || connect(f->fd, (struct sockaddr *)&a, sizeof(a)))
		return -errno;
	vd_id_name(name, f->id);
	return send(f->fd, name, strlen(name), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

struct fetch *fetch_begin(sd_event *ev, uint32_t domid, struct vd_id id, fetch_fn *fn, void *arg)
{
	struct fetch *f = calloc(1, sizeof(*f));
	uint64_t now;
	int ret;

	if (!f)
		return NULL;
	*f = (struct fetch){ .id = id, .fn = fn, .arg = arg, .fd = -1, .ret = -EINPROGRESS };
	ret = ask(f, domid);
	if (ret >= 0)
		ret = sd_event_now(ev, CLOCK_MONOTONIC, &now);
	if (ret >= 0)
		ret = sd_event_add_time(ev, &f->timer, CLOCK_MONOTONIC,
					now + FETCH_LIMIT_MS * UINT64_C(1000), 1000, on_time, f);
	if (ret >= 0)
		ret = sd_event_add_io(ev, &f->io, f->fd, EPOLLIN, on_answer, f);
	if (ret >= 0)
		return f;
	fetch_end(f);
	errno = -ret;
	return NULL;
}

int fetch_result(struct fetch *f, struct vd_opened *o, char *why)
{
	if (f->ret < 0) {
		memcpy(why, f->why, sizeof(f->why));
		return f->ret;
	}
	*o = f->o;
	f->o.n = 0;
	return 0;
}

struct vd_id fetch_of(const struct fetch *f)
{
	return f->id;
}

void fetch_end(struct fetch *f)
{
	if (!f)
		return;
	sd_event_source_disable_unref(f->io);
	sd_event_source_disable_unref(f->timer);
	if (f->fd >= 0)
		close(f->fd);
	vd_opened_close(&f->o);
	free(f);
}
