// SPDX-License-Identifier: GPL-2.0-or-later
#include "state_save.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "failure.h"
#include "state/words.h"
#include "state_io.h"
#include "xen/xs_util.h"

/* blkfront needs some ms, and init as many to give the node away. */
#define LOOK_MS 5
/* A block is written within some ms. */
#define WRITER_END_MS 500

static void step(struct state_save *s, enum transfer_event ev, const char *why);

/* Does dom0 serve state disks, in words that we know? */
static bool served(struct state_save *s)
{
	uint64_t version;

	return s->o.xs && !xsu_read_uint(s->o.xs, XBT_NULL, &version, UINT32_MAX, STATE_DISK_SERVED) &&
	       version == STATE_DISK_VERSION;
}

/*
 * What is in the pipe is a state that nobody wants: the next must not follow it.  It holds at
 * most a megabyte (pipe-max-size); a QEMU that goes on writing must not keep us here.
 */
static void empty_pipe(struct state_save *s)
{
	char junk[4096];

	for (size_t left = 1 << 20; left && read(s->pipe, junk, sizeof(junk)) > 0; left -= sizeof(junk))
		;
}

static void close_pipe(struct state_save *s)
{
	if (s->pipe < 0)
		return;
	loop_want(s->loop, &s->drain_src, 0);
	empty_pipe(s);
	close(s->pipe);
	s->pipe = -1;
}

/* So that QEMU never waits for a reader, whoever dies. */
static int open_pipe(struct state_save *s)
{
	s->pipe = open(s->o.pipe, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return s->pipe < 0 ? -errno : 0;
}

static void on_drain(void *arg, uint32_t events)
{
	struct state_save *s = arg;
	char junk[4096];

	(void)events;
	/* At its end it would be readable for ever. */
	if (!read(s->pipe, junk, sizeof(junk)))
		loop_want(s->loop, &s->drain_src, 0);
}

static void drain(struct state_save *s)
{
	s->drain_src.fd = s->pipe;
	if (s->pipe >= 0)
		loop_want(s->loop, &s->drain_src, EPOLLIN);
}

static void close_ctl(struct state_save *s)
{
	loop_want(s->loop, &s->ctl_src, 0);
	close(s->ctl_src.fd);
	s->writer = 0;
}

/*
 * Let go of the disk.  What the writer has given to it has to be answered before dom0
 * hears that it can be taken away: blkfront would wait for that answer for ever, and no device of
 * this domain could change any more.  A writer that its disk holds does not end now.
 */
static void close_writer(struct state_save *s)
{
	struct pollfd p = { .fd = s->ctl_src.fd };	/* POLLHUP alone */

	loop_timer_stop(&s->look);
	if (!s->writer)
		return;
	kill(s->writer, SIGKILL);
	poll(&p, 1, WRITER_END_MS);
	close_ctl(s);
}

static const char *on_msg(struct state_save *s, struct state_io_msg *m, enum transfer_event *ev)
{
	switch (m->what) {
	case STATE_IO_TOOK:
		*ev = TRANSFER_TOOK;
		break;
	case STATE_IO_MOVED:
		*ev = TRANSFER_MOVED;
		break;
	case STATE_IO_END:
		s->length = m->info.length;
		*ev = TRANSFER_END;
		break;
	case STATE_IO_SEALED:
		*ev = TRANSFER_SEALED;
		break;
	default:
		m->why[sizeof(m->why) - 1] = '\0';
		*ev = TRANSFER_BROKEN;
		return m->why;
	}
	return NULL;
}

static void on_writer(void *arg, uint32_t events)
{
	struct state_save *s = arg;
	enum transfer_event ev;
	struct state_io_msg m;
	const char *why;
	ssize_t n = recv(s->ctl_src.fd, &m, sizeof(m), MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n == sizeof(m)) {
		why = on_msg(s, &m, &ev);
		step(s, ev, why);
		return;
	}
	close_ctl(s);
	/* After its last word it has nothing to say: that has been heard. */
	step(s, s->t.state == TRANSFER_RESULT ? TRANSFER_MOVED : TRANSFER_BROKEN,
	     "what writes it ended unexpectedly");
}

/* The device is open: whatever can fail fails now, while the console is a way. */
static int start_writer(struct state_save *s, int disk, uint64_t size)
{
	char version[STATE_DISK_NAME_LEN];
	struct state_io io = { .disk = disk, .limit = s->limit, .qemu = version, .machine = s->o.machine };
	int ctl = -1, ret = open_pipe(s);
	pid_t pid;

	if (size <= STATE_DISK_BLOCK)
		ret = -ENOSPC;
	else if (size - STATE_DISK_BLOCK < io.limit)
		io.limit = size - STATE_DISK_BLOCK;
	s->o.version(s->o.arg, version, sizeof(version));
	io.stream = ret ? -1 : fcntl(s->pipe, F_DUPFD_CLOEXEC, 3);
	if (io.stream < 0) {
		ret = ret ? ret : -errno;
		close(disk);
		return ret;
	}
	pid = state_io_start(state_io_save, &io, &ctl);
	if (pid < 0)
		return pid;
	s->writer = pid;
	s->ctl_src.fd = ctl;
	return loop_want(s->loop, &s->ctl_src, EPOLLIN);
}

static void on_look(void *arg)
{
	struct state_save *s = arg;
	uint64_t size = 0;
	char why[128];
	int ret = s->o.open_disk(s->devid, O_RDWR, &size);

	if (ret == -EAGAIN) {
		loop_timer_set(s->loop, &s->look, LOOK_MS);
		return;
	}
	if (ret >= 0)
		ret = start_writer(s, ret, size);
	snprintf(why, sizeof(why), "its block device (vbd %u): %s", s->devid, strerror(ret < 0 ? -ret : 0));
	step(s, ret < 0 ? TRANSFER_BROKEN : TRANSFER_DEVICE, why);
}

static int new_tag(struct state_save *s)
{
	unsigned char raw[STATE_DISK_TAG_LEN / 2];

	if (getrandom(raw, sizeof(raw), 0) != sizeof(raw))
		return -EIO;
	for (unsigned int i = 0; i < sizeof(raw); i++)
		snprintf(s->tag + 2 * i, 3, "%02x", raw[i]);
	return 0;
}

static int want(struct state_save *s)
{
	char text[STATE_DISK_TAG_LEN + 8];
	int ret = new_tag(s);

	s->old_disk = false;
	if (ret)
		return ret;
	snprintf(text, sizeof(text), "save %s", s->tag);
	return xsu_write(s->o.xs, XBT_NULL, text, STATE_DISK_WANT);
}

static void unwant(struct state_save *s)
{
	if (!s->o.xs)
		return;
	xsu_rm(s->o.xs, XBT_NULL, STATE_DISK_WANT);
	xsu_rm(s->o.xs, XBT_NULL, STATE_DISK_DONE);
}

/* What dom0 says about our transfer: result first, as it ends all else. */
static void look_at_result(struct state_save *s)
{
	char tag[STATE_DISK_TAG_LEN + 1], why[STATE_DISK_REASON_MAX + 1] = "";
	const char *reason;
	char *v;

	if (xsu_read(s->o.xs, XBT_NULL, &v, NULL, STATE_DISK_RESULT))
		return;
	if (!state_result_parse(v, tag, &reason) && !strcmp(tag, s->tag)) {
		snprintf(why, sizeof(why), "%s", reason ? reason : "");
		step(s, reason ? TRANSFER_REFUSED : TRANSFER_OK, why);
	}
	free(v);
}

static void look_at_disk(struct state_save *s)
{
	struct state_disk d;
	bool ours, old = false;
	char *v;

	if (s->t.state != TRANSFER_ASKED)
		return;
	if (!xsu_read(s->o.xs, XBT_NULL, &v, NULL, STATE_DISK_DISK)) {
		ours = !state_disk_parse(v, &d) && !strcmp(d.tag, s->tag);
		free(v);
		if (ours) {
			s->devid = d.devid;
			s->limit = d.limit;
			step(s, TRANSFER_DISK, NULL);
			return;
		}
		old = true;
	}
	if (old != s->old_disk)
		step(s, old ? TRANSFER_OLD_DISK : TRANSFER_FREE, NULL);
	s->old_disk = old;
}

static void look_at_nodes(struct state_save *s)
{
	look_at_result(s);
	look_at_disk(s);
}

static void on_xenstore(void *arg, uint32_t events)
{
	struct state_save *s = arg;
	char **ev;

	(void)events;
	while ((ev = xs_check_watch(s->o.xs)))
		free(ev);
	if (s->t.state >= TRANSFER_ASKED && s->t.state <= TRANSFER_RESULT)
		look_at_nodes(s);
}

/* What can fail.  0 or negative errno: the transfer is broken then. */
static int perform(struct state_save *s, unsigned int acts)
{
	int ret = 0;

	if (acts & DO_WANT)
		ret = want(s);
	if (acts & DO_SEAL && send(s->ctl_src.fd, "g", 1, MSG_NOSIGNAL) != 1)
		ret = -errno;
	if (acts & DO_DONE)
		ret = xsu_write(s->o.xs, XBT_NULL, s->tag, STATE_DISK_DONE);
	return ret;
}

static void tell(struct state_save *s, unsigned int acts)
{
	if (acts & DO_START)
		s->o.go(s->o.arg, s->o.pipe);
	if (acts & DO_CONSOLE)
		s->o.go(s->o.arg, NULL);
	if (acts & DO_RELEASE)
		say_info("device state saved to a state disk: %llu bytes", (unsigned long long)s->length);
	if (acts & DO_FAIL)
		say_err("%s", s->t.why);
	if (acts & (DO_RELEASE | DO_FAIL))
		s->o.end(s->o.arg, acts & DO_FAIL ? s->t.why : NULL);
}

static void step(struct state_save *s, enum transfer_event ev, const char *why)
{
	unsigned int acts = transfer_step(&s->t, ev, ev <= TRANSFER_SAVE && served(s), why);
	int ret;

	if (s->t.timer_set)
		loop_timer_set(s->loop, &s->timer, s->t.timer_ms);
	else if (!s->t.timer_ms)
		loop_timer_stop(&s->timer);
	if (acts & DO_CLOSE)
		close_writer(s);
	if (acts & DO_UNDRAIN || (acts & DO_CLOSE && !(acts & DO_DRAIN)))
		close_pipe(s);
	if (acts & DO_UNWANT)
		unwant(s);
	if (acts & DO_SAY)
		say_warn("%s", s->t.why);
	if (acts & DO_DRAIN)
		drain(s);
	if (acts & DO_FIND)
		loop_timer_set(s->loop, &s->look, 0);
	ret = perform(s, acts);
	tell(s, acts);
	if (ret)
		step(s, TRANSFER_BROKEN, strerror(-ret));
	else if (acts & DO_WANT)
		look_at_nodes(s);
}

static void on_timer(void *arg)
{
	step(arg, TRANSFER_TIMER, NULL);
}

void state_save_event(struct state_save *s, enum transfer_event ev)
{
	step(s, ev, NULL);
}

void state_save_init(struct state_save *s, struct loop *loop, const struct state_save_opts *o)
{
	*s = (struct state_save){
		.o = *o, .loop = loop, .pipe = -1,
		.xs_src = { .fn = on_xenstore, .arg = s },
		.ctl_src = { .fd = -1, .fn = on_writer, .arg = s },
		.drain_src = { .fd = -1, .fn = on_drain, .arg = s },
		.timer = { .fn = on_timer, .arg = s },
		.look = { .fn = on_look, .arg = s },
	};
	unwant(s);
	if (s->o.xs && !xs_watch(s->o.xs, STATE_DISK_DOM0, "state")) {
		say_warn("xenstore watch: %s: states go by console", strerror(errno));
		s->o.xs = NULL;
	}
	if (s->o.xs) {
		s->xs_src.fd = xs_fileno(s->o.xs);
		loop_want(loop, &s->xs_src, EPOLLIN);
	}
	if (!o->again || open_pipe(s))
		return;
	s->t.state = TRANSFER_DRAIN;
	drain(s);
}

void state_save_free(struct state_save *s)
{
	loop_timer_stop(&s->timer);
	close_writer(s);
	close_pipe(s);
	unwant(s);
}
