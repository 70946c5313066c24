// SPDX-License-Identifier: GPL-2.0-or-later
#include "qmp_broker.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "failure.h"
#include "loop.h"
#include "qmp_msg.h"
#include "save.h"
#include "spawn.h"
#include "state_dev.h"
#include "state_save.h"

/* See the header: two hypercalls of a client in dom0, under emulation too. */
#define GRACE_MS 300
/* A ring could not be made (no grants left?): try again. */
#define RETRY_MS 1000

/* As by disk (state_save.h): while it saves, libxl itself waits for ever, and the guest is stopped. */
int broker_save_ms = STATE_DISK_SAVE_MS;

struct broker {
	struct loop loop;
	struct qmp_relay relay;
	struct qmp_link *link;
	struct loop_source link_src, qemu_src;
	struct loop_timer timer;	/* GRACE or retry */
	struct loop_timer late;		/* QEMU owes an answer */
	struct loop_timer beat;
	int alive;
	/* A state goes by disk, or by console when there is no disk. */
	struct state_save disk;
	struct save_out save;
	bool drained;			/* QEMU is ready: it writes no state of an earlier broker's */
	enum { NOWHERE, BY_CONSOLE, BY_DISK, BY_DISK_ANSWERED } way;
	enum { CLOSED, LISTEN, GRACE, OPEN } state;
	bool stale;			/* a client left this ring unseen */
	bool again;			/* not the first broker of this QEMU */
	uint64_t dropped_said, bad_said;
	int err;
};

static void broker_end(struct broker *b, int err)
{
	if (!b->loop.stop)
		b->err = err;
	b->loop.stop = true;
}

static void start_listen(struct broker *b)
{
	int ret = b->link->listen(b->link);

	if (ret) {
		say_warn("QMP: no ring for the next client: %s", strerror(-ret));
		loop_timer_set(&b->loop, &b->timer, RETRY_MS);
		return;
	}
	b->state = LISTEN;
	b->stale = false;
	b->link_src.fd = b->link->fd(b->link);
	ret = loop_want(&b->loop, &b->link_src, EPOLLIN);
	if (ret)
		broker_end(b, ret);
}

static void stop_link(struct broker *b)
{
	if (b->state == CLOSED)
		return;
	loop_want(&b->loop, &b->link_src, 0);
	b->link->close(b->link);
	b->state = CLOSED;
}

static void session_end(struct broker *b)
{
	bool dropped = b->relay.save != NULL;

	qmp_relay_detach(&b->relay);
	if (dropped)
		state_save_event(&b->disk, TRANSFER_DROPPED);
	stop_link(b);
	start_listen(b);
}

static void session_open(struct broker *b)
{
	char junk[8192];	/* more than a ring holds */

	loop_timer_stop(&b->timer);
	/* Another was there before, and may have left something in the ring. */
	if (b->stale && b->link->read(b->link, junk, sizeof(junk)) > 0)
		say_debug("QMP: the ring was used before");
	b->stale = false;
	b->state = OPEN;
	qmp_relay_attach(&b->relay);
	say_debug("QMP: session %u", b->relay.session);
}

/* Has a client come? */
static void check_listen(struct broker *b)
{
	if (b->state == LISTEN && b->link->state(b->link) != LINK_WAITING) {
		b->link->hide(b->link);
		b->state = GRACE;
		loop_timer_set(&b->loop, &b->timer, GRACE_MS);
	}
	if (b->state != GRACE)
		return;
	if (b->link->state(b->link) == LINK_OPEN)
		session_open(b);
	else
		b->stale = true;
}

static void on_timer(void *arg)
{
	struct broker *b = arg;

	if (b->state == GRACE)
		session_end(b);
	else if (b->state == CLOSED)
		start_listen(b);
}

/* What of it tells of a save: in the order in which libxl says it. */
static void look_for_save(struct broker *b)
{
	static const struct {
		unsigned int saw;
		enum transfer_event ev;
	} said[] = {
		{ QMP_SAW_DIRTY_LOG, TRANSFER_EARLY }, { QMP_SAW_STOP, TRANSFER_STOP },
		{ QMP_SAW_SAVE, TRANSFER_SAVE },
		{ QMP_SAW_NO_DIRTY_LOG, TRANSFER_CANCEL }, { QMP_SAW_CONT, TRANSFER_CONT },
	};
	unsigned int saw = b->relay.hold_saves ? b->relay.saw : 0;

	b->relay.saw = 0;
	for (unsigned int i = 0; i < sizeof(said) / sizeof(said[0]); i++)
		if (saw & said[i].saw)
			state_save_event(&b->disk, said[i].ev);
}

/* What the client sent; true when there was any. */
static bool read_client(struct broker *b)
{
	bool any = false;
	char buf[4096];
	ssize_t n;
	int ret;

	while (!b->loop.stop) {
		n = b->link->read(b->link, buf, sizeof(buf));
		if (n <= 0)
			break;
		any = true;
		ret = qmp_relay_from_client(&b->relay, buf, n);
		if (ret)
			broker_end(b, ret);
		look_for_save(b);
	}
	return any;
}

static void write_client(struct broker *b)
{
	struct qmp_buf *out = &b->relay.to_client;
	ssize_t n;

	while (out->len > out->head) {
		n = b->link->write(b->link, qmp_buf_data(out), out->len - out->head);
		if (n <= 0)
			return;
		qmp_buf_take(out, n);
	}
}

static void write_qemu(struct broker *b)
{
	struct qmp_buf *out = &b->relay.to_qemu;
	ssize_t n;

	while (out->len > out->head) {
		n = send(b->qemu_src.fd, qmp_buf_data(out), out->len - out->head,
			 MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			broker_end(b, -errno);
		if (n <= 0)
			break;
		qmp_buf_take(out, n);
	}
	loop_want(&b->loop, &b->qemu_src,
		  EPOLLIN | (out->len > out->head ? EPOLLOUT : 0));
}

/* One line for what went wrong since the last, however often it did. */
static void say_problems(struct broker *b)
{
	struct qmp_relay *r = &b->relay;

	if (r->events_dropped != b->dropped_said)
		say_warn("QMP: %llu events dropped: the client does not read",
			 (unsigned long long)(r->events_dropped - b->dropped_said));
	b->dropped_said = r->events_dropped;
	if (r->bad_client != b->bad_said)
		say_warn("QMP: %llu messages from dom0 were not QMP",
			 (unsigned long long)(r->bad_client - b->bad_said));
	b->bad_said = r->bad_client;
	if (r->ignored)
		say_warn("QMP: the client sent, and did not read the answers: it was ignored");
}

static void pump(struct broker *b);

/* From its last word on, or from the first command that it owes an answer. */
static void watch_qemu(struct broker *b)
{
	if (!qmp_relay_waits(&b->relay))
		loop_timer_stop(&b->late);
	else if (!b->late.due_ms)
		loop_timer_set(&b->loop, &b->late, broker_save_ms);
}

static void on_saved(void *arg, int err)
{
	struct broker *b = arg;
	int ret;

	if (err)
		say_err("%s", b->save.why);
	else
		say_info("device state saved: %lld bytes", (long long)b->save.size);
	b->way = NOWHERE;
	ret = qmp_relay_save_done(&b->relay, err ? b->save.why : NULL);
	if (ret)
		broker_end(b, ret);
	pump(b);
}

/* What the save by disk asks for (state_save.h). */

static void on_disk_go(void *arg, const char *file)
{
	struct broker *b = arg;
	int ret;

	if (!file && b->relay.hold_saves)
		save_out_empty(&b->save);
	ret = qmp_relay_save_go(&b->relay, file);
	b->way = file ? BY_DISK : BY_CONSOLE;
	if (ret)
		broker_end(b, ret);
	write_qemu(b);
	watch_qemu(b);
}

static void on_disk_end(void *arg, const char *error)
{
	struct broker *b = arg;
	int ret = error ? qmp_relay_save_fail(&b->relay, error) : qmp_relay_save_done(&b->relay, NULL);

	if (ret)
		broker_end(b, ret);
	if (!b->relay.saving)
		b->way = NOWHERE;
	write_client(b);
}

static void on_disk_version(void *arg, char *out, size_t size)
{
	qmp_relay_qemu_version(&((struct broker *)arg)->relay, out, size);
}

/* QEMU says nothing.  By disk it has less patience (transfer.c). */
static void on_late(void *arg)
{
	static const char why[] = "The device state was not saved: QEMU did not complete it in time";
	struct broker *b = arg;
	int ret;

	if (b->loop.overdue_ms > LOOP_STALL_MS) {
		watch_qemu(b);
		return;
	}
	ret = qmp_relay_give_up(&b->relay, "QEMU does not answer");
	if (!ret && b->way == BY_CONSOLE && b->relay.saving && !b->relay.held) {
		say_err("%s", why);
		b->way = NOWHERE;
		ret = qmp_relay_save_fail(&b->relay, why);
	}
	if (ret)
		broker_end(b, ret);
	write_client(b);
}

static void on_beat(void *arg)
{
	struct broker *b = arg;

	/* A pipe that is full: init has not looked for hours. */
	if (write(b->alive, ".", 1) < 0)
		say_debug("QMP: %s", strerror(errno));
	loop_timer_set(&b->loop, &b->beat, BROKER_BEAT_MS);
}

/* QEMU has said something: was it the end of its part of a save? */
static void look_for_answer(struct broker *b)
{
	if (!b->drained && b->relay.qemu_ready) {
		b->drained = true;
		state_save_event(&b->disk, TRANSFER_ERROR);
	}
	if (b->way == BY_CONSOLE && b->relay.held && b->save.state == SAVE_IDLE)
		save_out_start(&b->save, !b->again && b->relay.saves == 1);
	if (b->way != BY_DISK || (b->relay.saving && !b->relay.held))
		return;
	b->way = b->relay.held ? BY_DISK_ANSWERED : NOWHERE;
	state_save_event(&b->disk, b->relay.held ? TRANSFER_ANSWERED : TRANSFER_ERROR);
}

/* After any event: move what can be moved. */
static void pump(struct broker *b)
{
	bool gone, more;

	check_listen(b);
	if (b->state != OPEN) {
		write_qemu(b);
		return;
	}
	/* Looked at first: what was sent before leaving still counts. */
	gone = b->link->state(b->link) != LINK_OPEN;
	do {
		more = read_client(b);
		write_client(b);
		write_qemu(b);
	} while (more && !b->loop.stop);
	watch_qemu(b);
	if (gone) {
		say_problems(b);
		session_end(b);
	}
}

static void on_link(void *arg, uint32_t events)
{
	struct broker *b = arg;

	(void)events;
	b->link->event(b->link);
	pump(b);
}

static void on_qemu(void *arg, uint32_t events)
{
	struct broker *b = arg;
	char buf[8192];
	ssize_t n;
	int ret;

	(void)events;
	n = recv(b->qemu_src.fd, buf, sizeof(buf), MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
		pump(b);
		return;
	}
	if (n <= 0) {
		broker_end(b, n < 0 && errno != ECONNRESET ? -errno : 0);
		return;
	}
	ret = qmp_relay_from_qemu(&b->relay, buf, n);
	if (ret) {
		say_err("QMP: QEMU's answer is not QMP: %s", strerror(-ret));
		broker_end(b, ret);
		return;
	}
	look_for_answer(b);
	loop_timer_stop(&b->late);
	pump(b);
	watch_qemu(b);
}

/* Who writes the state to a disk is a child: nobody waits for its end. */
static void start_saving(struct broker *b, const struct qmp_broker_opts *o)
{
	const struct state_save_opts opts = {
		.xs = o->xs, .pipe = o->save_pipe, .machine = o->machine, .again = o->again,
		.open_disk = o->open_disk, .go = on_disk_go, .end = on_disk_end,
		.version = on_disk_version, .arg = b,
	};

	b->again = o->again;
	b->relay.hold_saves = o->save_file >= 0 && o->save_qemu >= 0 && o->save_console >= 0;
	save_out_init(&b->save, &b->loop, o->save_file, o->save_qemu, o->save_console, o->xs,
		      on_saved, b);
	state_save_init(&b->disk, &b->loop, &opts);
}

int qmp_broker_run(const struct qmp_broker_opts *o)
{
	struct broker *b = calloc(1, sizeof(*b));
	int ret = b ? 0 : -ENOMEM;

	if (!ret)
		ret = qmp_relay_init(&b->relay);
	if (!ret)
		ret = loop_init(&b->loop);
	if (ret)
		return ret;
	b->link = o->link;
	start_saving(b, o);
	b->link_src = (struct loop_source){ .fd = -1, .fn = on_link, .arg = b };
	b->qemu_src = (struct loop_source){ .fd = o->qemu, .fn = on_qemu, .arg = b };
	b->timer = (struct loop_timer){ .fn = on_timer, .arg = b };
	b->late = (struct loop_timer){ .fn = on_late, .arg = b };
	b->beat = (struct loop_timer){ .fn = on_beat, .arg = b };
	b->alive = o->alive;
	if (o->alive >= 0)
		loop_timer_set(&b->loop, &b->beat, BROKER_BEAT_MS);
	ret = loop_want(&b->loop, &b->qemu_src, EPOLLIN);
	if (!ret) {
		start_listen(b);
		if (o->ready >= 0 && b->state == LISTEN && write(o->ready, "r", 1) != 1)
			say_debug("QMP: init does not wait for the broker");
		ret = loop_run(&b->loop);
	}
	stop_link(b);
	state_save_free(&b->disk);
	qmp_relay_free(&b->relay);
	if (!ret)
		ret = b->err;
	close(b->loop.epfd);
	free(b);
	return ret;
}

static int inherited(int fd)
{
	return fcntl(fd, F_GETFD) < 0 ? -1 : fd;
}

int qmp_broker_main(const char *guest, bool again, const char *machine)
{
	char path[64];
	struct qmp_broker_opts o = {
		.ready = BROKER_FD_READY, .alive = BROKER_FD_READY, .again = again, .machine = machine,
		.save_pipe = STATE_SAVE_PIPE, .open_disk = state_dev_open,
	};
	int ret;

	signal(SIGCHLD, SIG_IGN);
	fcntl(BROKER_FD_READY, F_SETFL, O_NONBLOCK);
	snprintf(path, sizeof(path), "device-model/%s/qmp-vchan", guest);
	o.save_file = inherited(BROKER_FD_SAVE_FILE);
	o.save_qemu = inherited(BROKER_FD_SAVE_QEMU);
	o.save_console = inherited(BROKER_FD_SAVE_CONSOLE);
	o.qemu = qmp_connect(INIT_QMP_BROKER);
	if (o.qemu < 0) {
		say_err("QMP: %s: %s", INIT_QMP_BROKER, strerror(-o.qemu));
		return 1;
	}
	o.xs = xs_open(0);
	if (!o.xs)
		say_warn("xenstore: %s: the guest can be saved once", strerror(errno));
	o.link = link_vchan_new(path, 0);
	if (!o.link) {
		say_err("QMP: out of memory");
		return 1;
	}
	ret = qmp_broker_run(&o);
	if (ret)
		say_err("QMP: broker ends: %s", strerror(-ret));
	return ret ? 1 : 0;
}
