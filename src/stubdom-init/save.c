// SPDX-License-Identifier: GPL-2.0-or-later
#include "save.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "init.h"

/* dom0 takes nothing for so long: give up, the guest runs on. */
#define STALL_MS	20000
#define POLL_MS		20
/*
 * The last 2 KiB are in the ring when the tty is empty, and nothing tells when
 * dom0's QEMU has written them to its file; libxl reads that file at once.
 */
#define SETTLE_MS	300

static void finish(struct save_out *s, int err)
{
	loop_timer_stop(&s->timer);
	loop_want(s->loop, &s->src, 0);
	s->state = SAVE_IDLE;
	/*
	 * It is the guest's memory: gone as soon as it is not needed.  QEMU writes
	 * through a duplicate, at the same offset: its next state starts at 0.
	 */
	if (ftruncate(s->file, 0) || lseek(s->file, 0, SEEK_SET))
		say_debug("the state file cannot be emptied");
	s->done(s->arg, err);
}

static void on_room(void *arg, uint32_t events)
{
	struct save_out *s = arg;
	char buf[4096];
	ssize_t n, w;

	(void)events;
	n = pread(s->file, buf, sizeof(buf), s->at);
	if (n <= 0) {
		finish(s, n < 0 ? -errno : -EIO);
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
	if (s->at < s->size)
		return;
	loop_want(s->loop, &s->src, 0);
	s->state = SAVE_DRAIN;
	loop_timer_set(s->loop, &s->timer, POLL_MS);
}

static void on_tick(void *arg)
{
	struct save_out *s = arg;
	int left = 0;

	if (s->state == SAVE_SETTLE) {
		finish(s, 0);
		return;
	}
	if (s->state == SAVE_DRAIN &&
	    (ioctl(s->console, TIOCOUTQ, &left) || !left)) {
		s->state = SAVE_SETTLE;
		loop_timer_set(s->loop, &s->timer, SETTLE_MS);
		return;
	}
	if (now_ms() - s->moved_ms > STALL_MS) {
		finish(s, -ETIMEDOUT);
		return;
	}
	loop_timer_set(s->loop, &s->timer,
		       s->state == SAVE_DRAIN ? POLL_MS : STALL_MS / 4);
}

void save_out_init(struct save_out *s, struct loop *loop, int file, int console,
		   void (*done)(void *arg, int err), void *arg)
{
	*s = (struct save_out){
		.loop = loop, .file = file, .console = console,
		.src = { .fd = console, .fn = on_room, .arg = s },
		.timer = { .fn = on_tick, .arg = s },
		.done = done, .arg = arg,
	};
}

void save_out_start(struct save_out *s)
{
	struct stat st;
	int ret;

	if (fstat(s->file, &st)) {
		finish(s, -errno);
		return;
	}
	/* QEMU said it wrote something: an empty state is never right. */
	if (!st.st_size || st.st_size > SAVE_FILE_MAX) {
		finish(s, -EIO);
		return;
	}
	s->at = 0;
	s->size = st.st_size;
	s->moved_ms = now_ms();
	s->state = SAVE_WRITE;
	loop_timer_set(s->loop, &s->timer, STALL_MS / 4);
	ret = loop_want(s->loop, &s->src, EPOLLOUT);
	if (ret)
		finish(s, ret);
}
