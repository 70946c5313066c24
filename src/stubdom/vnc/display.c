// SPDX-License-Identifier: GPL-2.0-or-later
#include "display.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "keys.h"

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

static void tell(const struct display *d, uint32_t what, uint32_t n, int err)
{
	const struct link_msg m = { .what = what, .n = n, .a = (uint64_t)err };

	/* When the parent is gone, the next round sees it. */
	while (send(d->sock, &m, sizeof(m), MSG_NOSIGNAL) < 0 && errno == EINTR)
		;
}

/* ---- the stubdomain's rings ---- */

static void close_fb(struct display *d)
{
	if (d->fb_port >= 0)
		foreign_unbind(d->foreign, d->fb_port);
	d->fb_port = -1;
	d->fb_due = 0;
	video_disconnect(&d->video);
	screen_update(&d->video);
}

static void malformed(struct display *d, uint32_t n)
{
	if (n == LINK_VFB)
		close_fb(d);
	else
		foreign_unmap(d->foreign, &d->kbd_map);
	if (limit_take(&d->lines, now_ms(), 3600 * 1000, 10))
		log_err(d->about, "what its stubdomain says about its %s is malformed: it is closed",
			n == LINK_VFB ? "framebuffer" : "keyboard");
	tell(d, LINK_REFUSED, n, 0);
}

static void serve_fb(struct display *d)
{
	if (video_events(&d->video)) {
		malformed(d, LINK_VFB);
		return;
	}
	screen_update(&d->video);
	foreign_notify(d->foreign, d->fb_port);
	/* Then it may say more. */
	d->fb_due = now_ms() + DISPLAY_FRAME_MS;
}

static void put(struct display *d, const union xenkbd_in_event *ev, unsigned int n)
{
	int ret = 1;

	if (!d->kbd_map.page)
		return;
	/* One that does not read loses them. */
	for (unsigned int i = 0; i < n && ret > 0; i++)
		ret = kbd_ring_put(&d->kbd, &ev[i]);
	if (ret < 0)
		malformed(d, LINK_VKBD);
	else
		foreign_notify(d->foreign, d->kbd_map.port);
}

static void on_event(struct display *d)
{
	int port = foreign_event(d->foreign);

	if (port < 0)
		return;
	if (port == d->fb_port) {
		d->fb_masked = true;
		if (!d->fb_due)
			d->fb_due = now_ms();
	}
	/* The keyboard has nothing to say: its event is left masked. */
}

static void on_time(struct display *d)
{
	if (!d->fb_due || now_ms() < d->fb_due || d->fb_port < 0)
		return;
	d->fb_due = 0;
	if (fb_ring_count(&d->video.ring)) {
		serve_fb(d);
	} else if (d->fb_masked) {
		d->fb_masked = false;
		foreign_unmask(d->foreign, d->fb_port);
	}
}

/* ---- the parent ---- */

static int connect_fb(struct display *d, uint64_t gfn, uint32_t port)
{
	int ret = video_connect(&d->video, gfn);

	if (ret)
		return ret;
	d->fb_port = foreign_bind(d->foreign, port);
	if (d->fb_port < 0) {
		ret = d->fb_port;
		d->fb_port = -1;
		video_disconnect(&d->video);
		return ret;
	}
	d->fb_masked = false;
	d->fb_due = now_ms();
	screen_update(&d->video);
	return 0;
}

static int connect_kbd(struct display *d, const struct link_msg *m)
{
	int ret = foreign_map(d->foreign, (uint32_t)m->a, m->b, &d->kbd_map);

	if (ret)
		return ret;
	kbd_ring_init(&d->kbd, d->kbd_map.page);
	d->input = (struct input){ .absolute = m->c };
	return 0;
}

static void on_connect(struct display *d, const struct link_msg *m)
{
	int ret = -EBUSY;

	if (m->n == LINK_VFB && d->fb_port < 0)
		ret = connect_fb(d, m->a, m->b);
	else if (m->n == LINK_VKBD && !d->kbd_map.page)
		ret = connect_kbd(d, m);
	tell(d, ret ? LINK_REFUSED : LINK_CONNECTED, m->n, -ret);
}

static int on_message(struct display *d)
{
	struct link_msg m;
	ssize_t n = recv(d->sock, &m, sizeof(m), MSG_DONTWAIT);

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return 0;
	if (n != sizeof(m) || (m.n != LINK_VFB && m.n != LINK_VKBD))
		return -EPIPE;
	if (m.what == LINK_CONNECT) {
		on_connect(d, &m);
	} else if (m.what == LINK_DISCONNECT && m.n == LINK_VFB) {
		close_fb(d);
	} else if (m.what == LINK_DISCONNECT) {
		foreign_unmap(d->foreign, &d->kbd_map);
	} else if (m.what == LINK_PASSWORD) {
		m.text[sizeof(m.text) - 1] = '\0';
		screen_password(m.text);
	}
	return 0;
}

/* ---- the clients ---- */

static void on_key(void *arg, bool down, uint32_t keysym)
{
	uint32_t code = keys_find(keysym);
	union xenkbd_in_event ev;
	struct display *d = arg;

	if (!code)
		return;
	input_key(&d->input, down, code, &ev);
	put(d, &ev, 1);
}

static void on_pointer(void *arg, unsigned int buttons, uint32_t x, uint32_t y)
{
	union xenkbd_in_event ev[INPUT_EVENTS];
	struct display *d = arg;
	unsigned int n = input_pointer(&d->input, buttons, x, y, ev);

	put(d, ev, n);
}

/* Nobody is left who could release what is pressed. */
static void release_all(struct display *d)
{
	union xenkbd_in_event ev;

	while (input_release(&d->input, &ev))
		put(d, &ev, 1);
}

int display_init(struct display *d, const char *name, bool password)
{
	static const struct screen_ops ops = { on_key, on_pointer };

	d->fb_port = d->kbd_map.port = -1;
	pace_init(&d->pace, DISPLAY_MESSAGES * PACE_EVENT, now_ms());
	return screen_init(name, password, &ops, d, d->about);
}

static int shorter(int wait, int other)
{
	return wait < 0 || (other >= 0 && other < wait) ? other : wait;
}

/* Clients' sockets, unless they have said too much; how long to wait at most. */
static unsigned int poll_clients(struct display *d, struct pollfd *fds, int *wait)
{
	unsigned int clients = screen_poll(fds);
	uint64_t now = now_ms();

	if (d->had_clients && !clients)
		release_all(d);
	d->had_clients = clients;
	if (d->fb_due)
		*wait = shorter(*wait, d->fb_due > now ? (int)(d->fb_due - now) : 0);
	if (d->clients_due <= now)
		return clients;
	*wait = shorter(*wait, (int)(d->clients_due - now));
	return 0;
}

static bool some_spoke(const struct pollfd *fds, unsigned int n)
{
	while (n--)
		if (fds[n].revents)
			return true;
	return false;
}

int display_round(struct display *d, int max_ms)
{
	struct pollfd fds[3 + SCREEN_CLIENTS] = {
		{ .fd = d->sock, .events = POLLIN }, { .fd = foreign_fd(d->foreign), .events = POLLIN },
		{ .fd = d->listen, .events = POLLIN },
	};
	int wait = shorter(screen_serve(), max_ms);
	unsigned int clients = poll_clients(d, fds + 3, &wait);
	int ret = 0;

	if (poll(fds, 3 + clients, wait) < 0)
		return errno == EINTR ? 0 : -errno;
	if (some_spoke(fds + 3, clients))
		d->clients_due = now_ms() + pace_take(&d->pace, now_ms(), PACE_EVENT);
	if (fds[0].revents)
		ret = on_message(d);
	if (!ret && fds[1].revents)
		on_event(d);
	if (!ret)
		on_time(d);
	if (!ret && fds[2].revents)
		screen_accept(d->listen);
	return ret;
}
