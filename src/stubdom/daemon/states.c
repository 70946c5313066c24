// SPDX-License-Identifier: GPL-2.0-or-later
#include "states.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "observe.h"
#include "savefile.h"
#include "state/words.h"
#include "statenodes.h"
#include "xen/xenbus.h"
#include "xen/xs_util.h"

/* Transfers of one stubdomain: more than any administrator's. */
#define STARTS_WINDOW_MS 10000
#define STARTS_MAX 10

/* What was found at one look. */
struct look {
	struct statenodes_asked asked;
	struct statenodes_front front;
	enum transfer_word word;
	uint64_t length;		/* of WORD_READY and WORD_SAVED */
	char line[HELPER_LINE_MAX + 1];	/* of WORD_ERROR and WORD_UNABLE */
	struct transfer_in in;
};

bool states_is_busy(const struct stub *s)
{
	return s->state.helper.sock >= 0;
}

bool states_wants(const struct stub *s)
{
	return s->state.t.asked_at && s->life.suspended_at;
}

bool states_is_early(const struct stub *s)
{
	return transfer_is_early(&s->state.t, s->life.suspended_at);
}

/* ---- words to the stubdomain ---- */

static void say(const struct host *h, struct stub *s, const char *node, const char *text)
{
	int ret = statenodes_say(h->xs, &s->id, node, text);

	if (ret && ret != -ENOENT)
		stub_failed(h, s, "telling it about its state disk", ret);
}

/* The last word about the save that is called @tag. */
static void say_result(const struct host *h, struct stub *s, const char *tag, const char *reason)
{
	char text[STATE_DISK_TAG_LEN + STATE_DISK_REASON_MAX + 16];

	if (reason)
		snprintf(text, sizeof(text), "%s error %.*s", tag, STATE_DISK_REASON_MAX, reason);
	else
		snprintf(text, sizeof(text), "%s ok", tag);
	memmove(s->state.answered, tag, STATE_DISK_TAG_LEN + 1);
	say(h, s, STATE_DISK_RESULT, text);
}

/* A restore does not come by disk: it is refused, or the console has the same bytes. */
static void say_restore(const struct host *h, struct stub *s, const char *refused)
{
	char text[STATE_DISK_REASON_MAX + 16];

	snprintf(text, sizeof(text), "refused %.*s", STATE_DISK_REASON_MAX, refused ? refused : "");
	say(h, s, STATE_DISK_RESTORE, refused ? text : "console");
}

/* @refuse: a restore by console would be of the same file, which is bad. */
static void failed_as(const struct host *h, struct stub *s, int level, const char *reason, bool refuse)
{
	struct state_transfer *st = &s->state;

	stub_say(h, s, level, "its device state is not %s by disk: %s",
		 st->t.restore ? "restored" : "saved", reason);
	if (!st->t.restore)
		say_result(h, s, st->tag, reason);
	else
		say_restore(h, s, refuse ? reason : NULL);
}

static void failed(const struct host *h, struct stub *s, const char *reason, bool refuse)
{
	failed_as(h, s, LOG_ERR, reason, refuse);
}

/* ---- what is so ---- */

/* "WORD LENGTH" */
static bool is_length(const char *line, const char *word, uint64_t *length)
{
	size_t n = strlen(word);

	return !strncmp(line, word, n) && line[n] == ' ' && !xsu_parse_uint(line + n + 1, UINT64_MAX, length);
}

/* "WORD REASON": its last, of which the reason is left in @line. */
static bool is_last(char *line, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(line, word, n) || line[n] != ' ' || !line[n + 1])
		return false;
	memmove(line, line + n + 1, strlen(line + n));
	return true;
}

static enum transfer_word hear(struct stub *s, struct look *l)
{
	int n = states_is_busy(s) ? helper_hear(&s->state.helper, l->line) : -EAGAIN;

	if (n == -EAGAIN)
		return WORD_NONE;
	if (!n)
		return WORD_GONE;
	if (is_length(l->line, "ready", &l->length))
		return WORD_READY;
	if (is_length(l->line, "saved", &l->length))
		return WORD_SAVED;
	if (!strcmp(l->line, "connected"))
		return WORD_CONNECTED;
	if (is_last(l->line, "error"))
		return WORD_ERROR;
	return is_last(l->line, "unable") ? WORD_UNABLE : WORD_GONE;
}

static bool never_ran(const struct host *h, const struct stub *s)
{
	enum life_dom stub;
	struct hv_dom dom;

	return !observe_dom(h->hv, s->id.stub, s->uuid, &stub, &dom) &&
	       stub == LIFE_ALIVE && dom.paused && !dom.cpu_ns;
}

/* What libxl wrote before the stubdomain ran: looked at first, and only then whether it does. */
static bool incoming(const struct host *h, const struct stub *s)
{
	return s->life.stub == LIFE_ALIVE && !s->life.ran_at && s->state.t.step == TRANSFER_NONE &&
	       statenodes_incoming(h->xs, &s->id) && !statenodes_have(h->xs, s->id.stub, STATE_DISK_RESTORE) &&
	       never_ran(h, s);
}

/* For this transfer, or any that was not answered yet. */
static bool is_wanted(const struct stub *s, const struct look *l)
{
	const char *want = l->asked.want;

	if (s->state.t.step == TRANSFER_NONE)
		return *want && strcmp(want, s->state.answered);
	return !strcmp(want, s->state.tag);
}

static void look(const struct host *h, struct stub *s, bool room, struct look *l)
{
	const struct state_transfer *st = &s->state;

	memset(l, 0, sizeof(*l));
	l->front.state = -1;
	if (s->life.stub == LIFE_ALIVE)
		statenodes_asked(h->xs, s->id.stub, &l->asked);
	if (st->t.attached)
		statenodes_front(h->xs, s->id.stub, st->devid, &l->front);
	l->word = hear(s, l);
	l->in = (struct transfer_in){
		.now = h->now,
		.stub_alive = s->life.stub == LIFE_ALIVE,
		.guest_there = s->life.guest != LIFE_DYING && s->life.guest != LIFE_GONE,
		.suspended_at = s->life.suspended_at,
		.ran_at = s->life.ran_at,
		.incoming = incoming(h, s),
		.want = is_wanted(s, l),
		.done = l->asked.done[0] && !strcmp(l->asked.done, st->tag),
		.restored = l->asked.restored || s->life.ready_at,
		.front = l->front.state,
		.ring = l->front.ring,
		.word = l->word,
		.room = room,
		.way = st->way,
	};
}

/* ---- what is to be done ---- */

static int open_file(const struct host *h, struct stub *s, uint64_t *sectors, char *why, size_t size)
{
	uint64_t len;
	int fd;

	why[0] = '\0';
	*sectors = STATE_DISK_SECTORS(h->state_limit);
	if (!s->state.t.restore) {
		fd = savefile_new(s->id.guest);
		if (fd < 0)
			snprintf(why, size, "/var/lib/xen/qemu-save.%u: %s", s->id.guest, strerror(-fd));
		return fd;
	}
	fd = savefile_incoming(s->id.guest, &len);
	if (fd < 0) {
		snprintf(why, size, "/var/lib/xen/qemu-resume.%u: %s", s->id.guest, strerror(-fd));
	} else if (len > h->state_limit + sizeof(struct state_disk_header)) {
		snprintf(why, size, "a state of %llu bytes: at most %llu are allowed (xen-stubdomd --state-limit)",
			 (unsigned long long)len, (unsigned long long)h->state_limit);
		close(fd);
		fd = -EFBIG;
	}
	*sectors = STATE_DISK_SECTORS(len ? len : 1);
	return fd;
}

/* epoll tells main.c that a helper has said something, and about which stubdomain. */
static int listen_to(const struct host *h, struct stub *s)
{
	struct epoll_event ev = { .events = EPOLLIN, .data.u32 = s->id.stub };

	return epoll_ctl(h->helpers, EPOLL_CTL_ADD, s->state.helper.sock, &ev) ? -errno : 0;
}

static int start(const struct host *h, struct stub *s, const struct look *l, bool restore)
{
	struct state_transfer *st = &s->state;
	char why[STATE_DISK_REASON_MAX + 1];
	int fd, ret;

	st->t.restore = restore;
	st->way = false;
	memcpy(st->tag, l->asked.want, sizeof(st->tag));
	if (restore)
		say(h, s, STATE_DISK_RESTORE, "wait");
	fd = open_file(h, s, &st->sectors, why, sizeof(why));
	if (fd < 0) {
		failed(h, s, why, true);
		return fd;
	}
	ret = helper_start(&st->helper, restore, s->id.stub, st->sectors, fd);
	close(fd);
	if (!ret)
		ret = listen_to(h, s);
	if (!ret)
		return 0;
	helper_end(&st->helper);
	savefile_drop(s->id.guest);
	snprintf(why, sizeof(why), "xen-state-disk cannot be started: %s",
		 ret == -EIDRM ? "its user " STUBDOM_STATE_USER " is missing" : strerror(-ret));
	failed(h, s, why, false);
	return ret;
}

static int attach(const struct host *h, struct stub *s)
{
	struct state_transfer *st = &s->state;
	char text[STATE_DISK_TAG_LEN + 48];
	struct statenodes_dev dev = {
		.sectors = st->sectors, .readonly = st->t.restore, .text = text,
		.node = st->t.restore ? STATE_DISK_RESTORE : STATE_DISK_DISK,
	};
	int ret;

	dev.devid = st->devid = state_next_devid(st->devid);
	if (st->t.restore)
		snprintf(text, sizeof(text), "%u", st->devid);
	else
		snprintf(text, sizeof(text), "%s %u %llu", st->tag, st->devid, (unsigned long long)h->state_limit);
	ret = statenodes_attach(h->xs, &s->id, &dev);
	st->t.attached = !ret;
	if (!ret)
		ret = statenodes_watch_front(h->xs, s->id.stub, st->devid, true);
	return ret;
}

static void set_state(const struct host *h, struct stub *s, int state)
{
	int ret;

	if (!s->state.t.attached)
		return;
	ret = statenodes_state(h->xs, s->id.stub, s->state.devid, state);
	if (ret && ret != -ENOENT)
		stub_failed(h, s, "setting the state of its state disk", ret);
}

static int map(struct stub *s, const struct look *l)
{
	char line[48];

	s->state.ref = l->front.ref;
	s->state.port = l->front.port;
	snprintf(line, sizeof(line), "ring %u %u", l->front.ref, l->front.port);
	return helper_say(&s->state.helper, line);
}

static void publish(const struct host *h, struct stub *s, const struct look *l)
{
	char why[STATE_DISK_REASON_MAX + 1];
	int ret = savefile_publish(s->id.guest, l->length);

	if (!ret) {
		stub_say(h, s, LOG_INFO, "device state saved by disk: %llu bytes",
			 (unsigned long long)(l->length - sizeof(struct state_disk_header)));
		say_result(h, s, s->state.tag, NULL);
		return;
	}
	snprintf(why, sizeof(why), "/var/lib/xen/qemu-save.%u: %s", s->id.guest, strerror(-ret));
	failed(h, s, why, false);
}

/*
 * blkfront waits for the answer to each request for ever, in the thread that all of its domain's
 * watches need: what a helper has left on its ring when it ended is refused by another one.
 */
static void refuse_rest(const struct host *h, struct stub *s)
{
	struct state_transfer *st = &s->state;
	int ret;

	helper_end(&st->refuser);
	ret = helper_refuse(&st->refuser, s->id.stub, st->ref, st->port);
	if (ret)
		stub_say(h, s, LOG_WARNING, "requests to its state disk cannot be answered: %s", strerror(-ret));
	/* Longer than its frontend is waited for. */
	st->refuser_until = h->now + STATE_DISK_CLOSE_MS + 1000;
	stub_look_again(s, st->refuser_until);
}

static void look_at_refuser(const struct host *h, struct stub *s)
{
	if (s->state.refuser.sock < 0)
		return;
	if (h->now >= s->state.refuser_until)
		helper_end(&s->state.refuser);
	else
		stub_look_again(s, s->state.refuser_until);
}

static void end(const struct host *h, struct stub *s)
{
	/* Its socket leaves the epoll set by being closed. */
	helper_end(&s->state.helper);
	if (s->state.t.step == TRANSFER_SERVING && s->life.stub == LIFE_ALIVE)
		refuse_rest(h, s);
	if (!s->state.t.restore)
		savefile_drop(s->id.guest);
	set_state(h, s, XenbusStateClosing);
}

static void detach(const struct host *h, struct stub *s)
{
	int ret = statenodes_detach(h->xs, &s->id, s->state.devid);

	statenodes_watch_front(h->xs, s->id.stub, s->state.devid, false);
	if (ret)
		stub_failed(h, s, "removing its state disk", ret);
	s->state.t.attached = false;
}

static void say_error(const struct host *h, struct stub *s, enum transfer_error error, const char *line)
{
	if (error == TRANSFER_HELPER || error == TRANSFER_UNABLE)
		failed(h, s, line, error == TRANSFER_HELPER && s->state.t.step == TRANSFER_PREPARE);
	else if (error != TRANSFER_OK)
		/* One that gave way asks again at `stop`: nothing is lost. */
		failed_as(h, s, error == TRANSFER_GAVE_WAY ? LOG_NOTICE : LOG_ERR, transfer_reason(error), false);
}

/* 0, or what failed: then the transfer is at its end. */
static int act(const struct host *h, struct stub *s, const struct look *l, const struct transfer_plan *p)
{
	int ret = 0;

	if (p->start)
		ret = start(h, s, l, p->restore);
	if (p->attach && s->state.t.restore && !l->length)
		stub_say(h, s, LOG_NOTICE, "its saved state has no sum, as it was saved by console: it could not be verified");
	if (p->attach)
		ret = attach(h, s);
	if (p->map)
		ret = map(s, l);
	if (p->connected)
		set_state(h, s, XenbusStateConnected);
	if (p->finish) {
		ret = helper_say(&s->state.helper, "finish");
		set_state(h, s, XenbusStateClosing);
	}
	if (p->publish) {
		publish(h, s, l);
		end(h, s);
	}
	if (p->end) {
		end(h, s);
		say_error(h, s, p->error, l->line);
	}
	if (p->detach)
		detach(h, s);
	return ret;
}

/* A transfer that may not begin, as too many are under way. */
static void refuse(const struct host *h, struct stub *s, const struct look *l, const struct transfer_plan *p)
{
	s->state.t.restore = p->restore;
	memcpy(s->state.tag, l->asked.want, sizeof(s->state.tag));
	s->state.t.asked_at = 0;
	s->state.words |= !p->restore;
	say_error(h, s, p->error, "");
}

/* What act() could not do; its start has said so itself. */
static void give_up(const struct host *h, struct stub *s, const struct transfer_plan *p, int err)
{
	char why[STATE_DISK_REASON_MAX + 1];

	if (p->start)
		return;
	end(h, s);
	snprintf(why, sizeof(why), p->attach ? "its disk cannot be attached: %s" :
		 "xen-state-disk does not listen: %s", strerror(-err));
	/* The stubdomain went away: no news. */
	if (err != -ENOENT)
		failed(h, s, why, false);
}

/* dom0's words about a save that the stubdomain does not ask for (any more). */
static void forget_words(const struct host *h, struct stub *s, const struct look *l)
{
	struct state_transfer *st = &s->state;

	if (!l->in.stub_alive || !st->words || !strcmp(l->asked.want, st->tag))
		return;
	say(h, s, STATE_DISK_DISK, NULL);
	say(h, s, STATE_DISK_RESULT, NULL);
	st->words = false;
}

static void step_to(const struct host *h, struct stub *s, enum transfer_step next)
{
	if (s->state.t.step == next)
		return;
	s->state.t.step = next;
	s->state.t.since = stub_time(h->now);
	s->state.words |= !s->state.t.restore;
}

void states_look(const struct host *h, struct stub *s, bool room)
{
	struct state_transfer *st = &s->state;
	struct transfer_plan p;
	struct look l;
	int ret;

	if (!h->state_limit)
		return;
	look_at_refuser(h, s);
	look(h, s, room, &l);
	forget_words(h, s, &l);
	transfer_decide(&st->t, &l.in, &p);
	if (p.start && !limit_take(&st->starts, h->now, STARTS_WINDOW_MS, STARTS_MAX)) {
		stub_look_again(s, h->now + 1000);
		return;
	}
	if (st->t.step == TRANSFER_NONE && p.error)
		refuse(h, s, &l, &p);
	ret = act(h, s, &l, &p);
	if (ret) {
		give_up(h, s, &p, ret);
		p.next = st->t.attached ? TRANSFER_CLOSING : TRANSFER_NONE;
		p.look = h->now;
		st->words |= !st->t.restore;
	}
	if (!l.in.want || l.in.room)
		st->t.asked_at = 0;
	else if (p.next == TRANSFER_NONE && !p.error && !st->t.asked_at)
		st->t.asked_at = stub_time(h->now);
	step_to(h, s, p.next);
	stub_look_again(s, p.look);
}

/* What an earlier daemon was doing, and cannot be gone on with: its helper has ended. */
static void clean(const struct host *h, struct stub *s)
{
	char disk[STATE_DISK_TAG_LEN + 1], result[STATE_DISK_TAG_LEN + 1];
	struct statenodes_front front = { 0 };
	unsigned int n;
	int ret = statenodes_detach_all(h->xs, &s->id, &n, &s->state.devid, &front);

	if (ret)
		stub_failed(h, s, "removing its state disk", ret);
	s->state.ref = front.ref;
	s->state.port = front.port;
	if (front.ring)
		refuse_rest(h, s);
	savefile_drop(s->id.guest);
	statenodes_said(h->xs, s->id.stub, disk, result);
	s->state.words = disk[0] || result[0];
	memcpy(s->state.tag, disk[0] ? disk : result, sizeof(s->state.tag));
	memcpy(s->state.answered, result, sizeof(s->state.answered));
	if (disk[0] && strcmp(disk, result))
		say_result(h, s, disk, "xen-stubdomd was restarted meanwhile: try again");
	if (n)
		stub_say(h, s, LOG_NOTICE, "removed its state disk, left by an earlier xen-stubdomd");
}

void states_welcome(const struct host *h, struct stub *s)
{
	int ret;

	if (!h->state_limit)
		return;
	ret = statenodes_watch(h->xs, s->id.stub, true);
	if (ret)
		stub_failed(h, s, "watching for its state disk", ret);
	clean(h, s);
	/* One that never ran can still be served. */
	if (statenodes_have(h->xs, s->id.stub, STATE_DISK_RESTORE))
		say(h, s, STATE_DISK_RESTORE, never_ran(h, s) ? NULL : "console");
	say(h, s, STATE_DISK_SERVED, "1");
}

void states_forget(const struct host *h, struct stub *s)
{
	if (states_is_busy(s))
		end(h, s);
	helper_end(&s->state.refuser);
	if (s->state.t.attached)
		detach(h, s);
	if (h->state_limit)
		statenodes_watch(h->xs, s->id.stub, false);
}
