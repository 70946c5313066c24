// SPDX-License-Identifier: GPL-2.0-or-later
#include "serve.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/log.h"
#include "daemon/watches.h"
#include "stubdom.h"
#include "xen/xs_util.h"

/* Signals, xenstore, consoles, display, monitors. */
#define POLL_FDS (4 + ARGS_MONITORS)

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static int failed(const struct serve *s, const char *what, int err)
{
	log_err(s ? s->about : NULL, "%s: %s", what, strerror(-err));
	return err;
}

/* ---- the processes that have rings ---- */

static void tell(void *arg, const struct link_msg *m)
{
	struct serve *s = arg;
	int sock = m->n < CONSOLES_MAX ? s->sock : s->vnc_sock;

	/* When it is gone, the next round sees it. */
	if (sock >= 0 && send(sock, m, sizeof(*m), MSG_DONTWAIT | MSG_NOSIGNAL) != sizeof(*m))
		shutdown(sock, SHUT_RDWR);
}

static int start_running(struct serve *s)
{
	const struct front_dev *log = &s->front.dev[STUBDOM_CONSOLE_LOG];

	if (s->running || !s->ready || (s->vnc_sock >= 0 && !s->vnc_ready) || log->connecting)
		return 0;
	if (log->refused)
		return -EIO;
	s->running = true;
	return xsu_write(s->xs, XBT_NULL, "running", "/local/domain/0/device-model/%u/state", s->plan->id.stub);
}

/* 1: there was a message; 0: none; negative errno: there will be none. */
static int hear(int sock, struct link_msg *m)
{
	ssize_t n = recv(sock, m, sizeof(*m), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return n == sizeof(*m) ? 1 : n < 0 ? -errno : -EPIPE;
}

static int on_worker(struct serve *s)
{
	struct link_msg m;
	int ret = hear(s->sock, &m);

	/* What the stubdomain did meanwhile was not looked at. */
	s->dirty = true;
	if (ret <= 0)
		return ret ? failed(s, "the process that serves its stubdomain's consoles ended", ret) : 0;
	if (m.what == LINK_FAILED)
		return failed(s, "its stubdomain's consoles", -(int)(m.a & 0xfff));
	ret = 0;
	if (m.what == LINK_READY && !s->ready) {
		s->ready = true;
		front_primary(&s->front, s->plan);
	} else {
		ret = m.n < CONSOLES_MAX ? front_answer(&s->front, &m) : -EPROTO;
	}
	if (!ret)
		ret = start_running(s);
	return ret && ret != -EAGAIN ? failed(s, "its stubdomain's consoles", ret) : 0;
}

/* The guest runs on without. */
static int vnc_ended(struct serve *s, int err)
{
	failed(s, "its VNC server ended", err);
	close(s->vnc_sock);
	s->vnc_sock = -1;
	s->vnc.enabled = false;
	s->qmp.password = NULL;
	/* When it never began, libxl is to know. */
	return s->vnc_ready ? front_close_display(&s->front) : err;
}

static int on_vnc(struct serve *s)
{
	struct link_msg m;
	int ret = hear(s->vnc_sock, &m);

	s->dirty = true;
	if (!ret)
		return 0;
	if (ret > 0 && m.what == LINK_READY && !s->vnc_ready) {
		s->vnc_ready = s->vnc.enabled = true;
		snprintf(s->vnc.service, sizeof(s->vnc.service), "%u", (unsigned int)(m.a & 0xffff));
		ret = start_running(s);
		return ret && ret != -EAGAIN ? failed(s, "xenstore", ret) : 0;
	}
	if (ret > 0)
		ret = m.what == LINK_FAILED ? -(int)(m.a & 0xfff) : m.n < CONSOLES_MAX ? -EPROTO : front_answer(&s->front, &m);
	return ret && ret != -EAGAIN ? vnc_ended(s, ret) : 0;
}

static int set_password(void *arg, const char *text)
{
	struct link_msg m = { .what = LINK_PASSWORD, .n = LINK_VFB };
	struct serve *s = arg;

	/* More than eight characters do not count, in this protocol. */
	snprintf(m.text, sizeof(m.text), "%s", text);
	tell(s, &m);
	return 0;
}

/* What is in the rings is still taken; then the worker ends. */
static void end_worker(struct serve *s)
{
	struct pollfd p = { .fd = s->sock, .events = POLLIN };
	uint64_t until = now_ms() + SERVE_END_MS, now;
	struct link_msg m;

	shutdown(s->sock, SHUT_WR);
	while ((now = now_ms()) < until && poll(&p, 1, (int)(until - now)) >= 0)
		if (p.revents && recv(s->sock, &m, sizeof(m), MSG_DONTWAIT) <= 0)
			break;
	/* One that hangs is killed with its parent. */
	close(s->sock);
}

/* ---- xenstore ---- */

static void on_watch(void *arg, const char *path, const char *token)
{
	struct serve *s = arg;

	(void)path;
	if (!strcmp(token, "gone"))
		s->end |= !xs_is_domain_introduced(s->xs, s->plan->id.stub);
	else
		s->dirty = true;
}

static int take_watches(struct serve *s)
{
	int ret = watches_take(s->xs, on_watch, s);

	return ret ? failed(s, "xenstore", ret) : 0;
}

static int look(struct serve *s)
{
	int ret = 0;

	if (s->dirty && s->ready && now_ms() - s->looked >= SERVE_LOOK_MS) {
		s->dirty = false;
		ret = front_look(&s->front);
		s->looked = now_ms();
	}
	return ret ? failed(s, "xenstore", ret) : 0;
}

static int open_xenstore(struct serve *s)
{
	char path[64];
	int ret;

	s->xs = xs_open(0);
	if (!s->xs)
		return -errno;
	s->front = (struct front){
		.xs = s->xs, .stub = s->plan->id.stub, .about = s->about, .tell = tell, .arg = s,
	};
	ret = front_init(&s->front, s->plan, s->tty, s->vnc_sock >= 0);
	if (!ret && s->args->vnc.password)
		ret = front_hide_password(&s->front);
	if (ret)
		return ret;
	/* These make libxenstore's pipe and thread: before rights are given up. */
	s->xs_fd = xs_fileno(s->xs);
	if (s->xs_fd < 0)
		return -errno;
	snprintf(path, sizeof(path), "/local/domain/%u/device", s->plan->id.stub);
	if (!xs_watch(s->xs, path, "device") || !xs_watch(s->xs, "@releaseDomain", "gone"))
		return -errno;
	return 0;
}

/* ---- all together ---- */

static int open_monitors(struct serve *s, const struct args *a)
{
	for (unsigned int i = 0; i < a->n_monitors; i++) {
		int ret = monitor_open(&s->monitor[i], &a->monitor[i]);

		s->n_monitors++;
		if (ret)
			return failed(s, a->monitor[i].path, ret);
	}
	return 0;
}

int serve_open(struct serve *s)
{
	int ret = open_monitors(s, s->args);

	s->vnc.password = s->args->vnc.password;
	strcpy(s->vnc.host, s->args->vnc.host);
	s->qmp = (struct qmp_server){ .name = s->args->name, .vnc = &s->vnc, .arg = s };
	if (s->vnc_sock >= 0)
		s->qmp.password = set_password;
	if (ret)
		return ret;
	ret = open_xenstore(s);
	return ret ? failed(s, "xenstore", ret) : 0;
}

static int wait_ms(const struct serve *s, uint64_t started)
{
	uint64_t now = now_ms();

	if (s->dirty && s->ready)
		return now - s->looked >= SERVE_LOOK_MS ? 0 : (int)(SERVE_LOOK_MS - (now - s->looked));
	if (!s->running)
		return now - started >= SERVE_READY_MS ? 0 : (int)(SERVE_READY_MS - (now - started));
	return -1;
}

static int round_once(struct serve *s, uint64_t started)
{
	struct pollfd fds[POLL_FDS] = {
		{ .fd = s->signals, .events = POLLIN }, { .fd = s->xs_fd, .events = POLLIN },
		{ .fd = s->sock, .events = POLLIN }, { .fd = s->vnc_sock, .events = POLLIN },
	};
	int ret = 0;

	for (unsigned int i = 0; i < s->n_monitors; i++)
		fds[4 + i] = monitor_poll(&s->monitor[i]);
	if (poll(fds, 4 + s->n_monitors, wait_ms(s, started)) < 0)
		return errno == EINTR ? 0 : -errno;
	s->end |= fds[0].revents != 0;
	for (unsigned int i = 0; i < s->n_monitors; i++)
		monitor_serve(&s->monitor[i], &s->qmp, fds[4 + i].revents);
	s->end |= s->qmp.quit;
	if (fds[1].revents && !s->end)
		ret = take_watches(s);
	if (!ret && fds[2].revents && !s->end)
		ret = on_worker(s);
	if (!ret && fds[3].revents && !s->end && s->vnc_sock >= 0)
		ret = on_vnc(s);
	if (!ret && !s->end)
		ret = look(s);
	if (!ret && !s->running && now_ms() - started >= SERVE_READY_MS)
		ret = failed(s, "its stubdomain's consoles", -ETIMEDOUT);
	return ret;
}

int serve_run(struct serve *s)
{
	uint64_t started = now_ms();
	int ret = 0;

	while (!ret && !s->end)
		ret = round_once(s, started);
	end_worker(s);
	front_end(&s->front);
	for (unsigned int i = 0; i < s->n_monitors; i++)
		monitor_close(&s->monitor[i]);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

int serve_probe(const struct args *a)
{
	struct serve s = { .args = a, .sock = -1, .vnc_sock = -1, .signals = -1 };
	int ret = open_monitors(&s, a);

	s.qmp.vnc = &s.vnc;
	/* libxl kills it anyhow; if it died itself, this ends too. */
	alarm(120);
	while (!ret && !s.qmp.quit) {
		struct pollfd fds[ARGS_MONITORS];

		for (unsigned int i = 0; i < s.n_monitors; i++)
			fds[i] = monitor_poll(&s.monitor[i]);
		if (poll(fds, s.n_monitors, -1) < 0)
			break;
		for (unsigned int i = 0; i < s.n_monitors; i++)
			monitor_serve(&s.monitor[i], &s.qmp, fds[i].revents);
	}
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
