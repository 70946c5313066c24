// SPDX-License-Identifier: GPL-2.0-or-later
#include "save.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "failure.h"
#include "xen/xs_util.h"

/* dom0 takes nothing for so long: give up, the guest runs on. */
#define STALL_MS	20000
#define POLL_MS		30
/*
 * xen-stubdomd looks every 50 ms while a guest is suspended.  Without it, this
 * is also what the last 2 KiB get from the ring into the file of dom0's QEMU:
 * nothing tells when they are there, and libxl reads that file at once.
 */
int save_ask_ms = 5000;

/*
 * QEMU goes on where its descriptor stands, and does not seek: a next state would have a hole
 * before it.
 */
void save_out_empty(struct save_out *s)
{
	if (ftruncate(s->file, 0) || lseek(s->qemu, 0, SEEK_SET))
		say_warn("the state file cannot be emptied: %s", strerror(errno));
}

static void finish(struct save_out *s, int err)
{
	loop_timer_stop(&s->timer);
	loop_want(s->loop, &s->src, 0);
	s->state = SAVE_IDLE;
	if (s->xs) {
		xsu_rm(s->xs, XBT_NULL, STUBDOM_DATA "/save");
		xsu_rm(s->xs, XBT_NULL, STUBDOM_DATA "/saved");
	}
	if (err && !s->why[0])
		snprintf(s->why, sizeof(s->why),
			 "The device state cannot leave the stubdomain (console 1): %s",
			 strerror(-err));
	/* It is the guest's memory: gone as soon as it is not needed. */
	save_out_empty(s);
	s->done(s->arg, err);
}

/* What is to be sent next: the state, then the tag. */
static ssize_t next_bytes(struct save_out *s, char *buf, size_t len)
{
	size_t at = s->at - s->size, left = STUBDOM_TAG_LEN - at;
	ssize_t n;

	if (s->at >= s->size) {
		memcpy(buf, s->tag + at, left);
		return left;
	}
	if ((off_t)len > s->size - s->at)
		len = s->size - s->at;
	n = pread(s->file, buf, len, s->at);
	return n < 0 ? -errno : n ? n : -EIO;
}

static void on_room(void *arg, uint32_t events)
{
	struct save_out *s = arg;
	char buf[4096];
	ssize_t n, w;

	(void)events;
	n = next_bytes(s, buf, sizeof(buf));
	if (n < 0) {
		finish(s, n);
		return;
	}
	w = write(s->console, buf, n);
	if (w < 0 && errno != EAGAIN && errno != EINTR) {
		finish(s, -errno);
		return;
	}
	if (w <= 0)
		return;
	s->moved_ms = now_ms();
	s->at += w;
	if (s->at < s->size + STUBDOM_TAG_LEN)
		return;
	loop_want(s->loop, &s->src, 0);
	s->state = SAVE_DRAIN;
	loop_timer_set(s->loop, &s->timer, POLL_MS);
}

/* xen-stubdomd's answer: -EAGAIN until there is one for this state. */
static int answer(struct save_out *s)
{
	int ret = -EAGAIN;
	char *v;

	if (!s->xs || xsu_read(s->xs, XBT_NULL, &v, NULL, STUBDOM_DATA "/saved"))
		return ret;
	if (!strncmp(v, s->tag, STUBDOM_TAG_LEN)) {
		ret = v[STUBDOM_TAG_LEN] ? -EIO : 0;
		if (ret)
			snprintf(s->why, sizeof(s->why), "The device state was not saved: xen-stubdomd: %s",
				 v + STUBDOM_TAG_LEN + 1);
	}
	free(v);
	return ret;
}

static void ask(struct save_out *s)
{
	int ret = answer(s);

	if (ret != -EAGAIN) {
		finish(s, ret);
	} else if (now_ms() - s->moved_ms < save_ask_ms) {
		loop_timer_set(s->loop, &s->timer, POLL_MS);
	} else if (s->first) {
		say_warn("xen-stubdomd in dom0 does not answer: this device state is saved without it, the next one cannot be");
		finish(s, 0);
	} else {
		snprintf(s->why, sizeof(s->why), "%s",
			 "A state was saved before, and this one cannot take its place: is xen-stubdomd running in dom0? The guest runs on");
		finish(s, -EEXIST);
	}
}

static void on_tick(void *arg)
{
	struct save_out *s = arg;
	int left = 0;

	if (s->state == SAVE_DRAIN &&
	    (ioctl(s->console, TIOCOUTQ, &left) || !left)) {
		s->state = SAVE_ASK;
		s->moved_ms = now_ms();
	}
	if (s->state == SAVE_ASK) {
		ask(s);
		return;
	}
	if (now_ms() - s->moved_ms > STALL_MS) {
		finish(s, -ETIMEDOUT);
		return;
	}
	loop_timer_set(s->loop, &s->timer,
		       s->state == SAVE_DRAIN ? POLL_MS : STALL_MS / 4);
}

void save_out_init(struct save_out *s, struct loop *loop, int file, int qemu, int console,
		   struct xs_handle *xs, void (*done)(void *arg, int err), void *arg)
{
	*s = (struct save_out){
		.loop = loop, .file = file, .qemu = qemu, .console = console, .xs = xs,
		.src = { .fd = console, .fn = on_room, .arg = s },
		.timer = { .fn = on_tick, .arg = s },
		.done = done, .arg = arg,
	};
}

/* A tag that is nowhere in what went through the console before. */
static int new_tag(struct save_out *s)
{
	unsigned char raw[STUBDOM_TAG_LEN / 2];

	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return -EIO;
	for (unsigned int i = 0; i < sizeof(raw); i++)
		snprintf(s->tag + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

static int announce(struct save_out *s)
{
	char text[64];

	snprintf(text, sizeof(text), "%lld %s", (long long)s->size, s->tag);
	return s->xs ? xsu_write(s->xs, XBT_NULL, text, STUBDOM_DATA "/save") : 0;
}

void save_out_start(struct save_out *s, bool first)
{
	struct stat st;
	char magic[4];
	int ret;

	s->first = first;
	s->why[0] = '\0';
	if (fstat(s->file, &st)) {
		finish(s, -errno);
		return;
	}
	/* QEMU said it wrote something: but this does not begin as a state does. */
	if (st.st_size > STUBDOM_STATE_MAX ||
	    pread(s->file, magic, sizeof(magic), 0) != sizeof(magic) ||
	    memcmp(magic, "QEVM", sizeof(magic))) {
		finish(s, -EIO);
		return;
	}
	s->at = 0;
	s->size = st.st_size;
	s->moved_ms = now_ms();
	s->state = SAVE_WRITE;
	loop_timer_set(s->loop, &s->timer, STALL_MS / 4);
	ret = new_tag(s);
	if (!ret)
		ret = announce(s);
	if (!ret)
		ret = loop_want(s->loop, &s->src, EPOLLOUT);
	if (ret)
		finish(s, ret);
}
