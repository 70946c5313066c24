// SPDX-License-Identifier: GPL-2.0-or-later
/* The broker's link over libxenvchan; see qmp_broker.h for the design. */
#include "qmp_broker.h"

#include <errno.h>
#include <libxenvchan.h>
#include <xenevtchn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "failure.h"
#include "xen/xs_util.h"

/* Whole pages: a command or an answer of usual size fits in one go. */
#define RING_BYTES 4096

struct link_vchan {
	struct qmp_link link;
	struct libxenvchan *ctrl;
	struct xs_handle *xs;
	unsigned int client;
	char path[64];
};

static int vc_listen(struct qmp_link *l)
{
	struct link_vchan *v = (struct link_vchan *)l;

	if (!v->xs)
		v->xs = xs_open(0);
	if (!v->xs)
		return errno ? -errno : -EIO;
	errno = 0;
	v->ctrl = libxenvchan_server_init(NULL, v->client, v->path,
					  RING_BYTES, RING_BYTES);
	if (!v->ctrl)
		return errno ? -errno : -EIO;
	/* The library leaves this one as malloc() gave it. */
	v->ctrl->blocking = 0;
	return 0;
}

static void vc_hide(struct qmp_link *l)
{
	struct link_vchan *v = (struct link_vchan *)l;
	int ret = xsu_rm(v->xs, XBT_NULL, "%s/ring-ref", v->path);

	if (!ret)
		ret = xsu_rm(v->xs, XBT_NULL, "%s/event-channel", v->path);
	if (ret)
		say_warn("QMP: %s cannot be removed: %s", v->path, strerror(-ret));
}

static void vc_close(struct qmp_link *l)
{
	struct link_vchan *v = (struct link_vchan *)l;

	libxenvchan_close(v->ctrl);
	v->ctrl = NULL;
}

static int vc_fd(struct qmp_link *l)
{
	return libxenvchan_fd_for_select(((struct link_vchan *)l)->ctrl);
}

static void vc_event(struct qmp_link *l)
{
	libxenvchan_wait(((struct link_vchan *)l)->ctrl);
}

static enum link_state vc_state(struct qmp_link *l)
{
	switch (libxenvchan_is_open(((struct link_vchan *)l)->ctrl)) {
	case 1:
		return LINK_OPEN;
	case 2:
		return LINK_WAITING;
	default:
		return LINK_GONE;
	}
}

static ssize_t vc_read(struct qmp_link *l, void *buf, size_t len)
{
	struct libxenvchan *c = ((struct link_vchan *)l)->ctrl;
	int n = libxenvchan_read(c, buf, len);

	/*
	 * After the end of its client, libxl's proxy (vchan-socket-proxy.c,
	 * data_loop) waits for an event even when it has just written its last
	 * byte; without this one it could wait for ever, and with it every later
	 * xl command for this guest.
	 */
	if (n > 0)
		xenevtchn_notify(c->event, c->event_port);
	return n;
}

static ssize_t vc_write(struct qmp_link *l, const void *buf, size_t len)
{
	return libxenvchan_write(((struct link_vchan *)l)->ctrl, buf, len);
}

struct qmp_link *link_vchan_new(const char *path, unsigned int client)
{
	struct link_vchan *v = calloc(1, sizeof(*v));

	if (!v)
		return NULL;
	v->link = (struct qmp_link){
		.listen = vc_listen, .hide = vc_hide, .close = vc_close,
		.fd = vc_fd, .event = vc_event, .state = vc_state,
		.read = vc_read, .write = vc_write,
	};
	v->client = client;
	snprintf(v->path, sizeof(v->path), "%s", path);
	return &v->link;
}
