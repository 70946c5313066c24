// SPDX-License-Identifier: GPL-2.0-or-later
#include "track.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "bounds.h"
#include "clean.h"
#include "devices.h"
#include "diag.h"
#include "life.h"
#include "observe.h"
#include "orphan.h"
#include "record.h"
#include "savefile.h"
#include "saves.h"
#include "states.h"
#include "stub.h"
#include "xen/domain.h"
#include "xen/xs_util.h"

/* Looks at one stubdomain in a second. */
#define LOOKS_PER_SECOND 20

struct track {
	struct host host;
	struct stub *stubs;
	struct orphans *orphans;
	uint64_t orphans_due;
	uint64_t bounds_due;
};

struct track *track_new(struct xs_handle *xs, struct hv *hv)
{
	struct track *tr = calloc(1, sizeof(*tr));

	if (!tr)
		return NULL;
	tr->host.xs = xs;
	tr->host.hv = hv;
	tr->host.helpers = epoll_create1(EPOLL_CLOEXEC);
	tr->orphans_due = tr->bounds_due = UINT64_MAX;
	tr->orphans = orphans_new();
	if (tr->orphans && tr->host.helpers >= 0)
		return tr;
	track_free(tr);
	return NULL;
}

void track_serve_states(struct track *tr, uint64_t limit, uint64_t log_limit)
{
	tr->host.state_limit = limit;
	tr->host.log_limit = log_limit;
}

static void free_stub(struct stub *s)
{
	free(s->log);
	free(s);
}

void track_free(struct track *tr)
{
	struct stub *s, *next;

	if (!tr)
		return;
	for (s = tr->stubs; s; s = next) {
		next = s->next;
		/* Its nodes are the next daemon's to remove. */
		helper_end(&s->state.helper);
		helper_end(&s->state.refuser);
		free_stub(s);
	}
	if (tr->orphans)
		orphans_free(tr->orphans);
	if (tr->host.helpers >= 0)
		close(tr->host.helpers);
	free(tr);
}

/* ---- the list ---- */

static struct stub *find(struct track *tr, uint32_t domid, const uint8_t *uuid)
{
	struct stub *s = tr->stubs;

	while (s && (s->id.stub != domid || memcmp(s->uuid, uuid, 16)))
		s = s->next;
	return s;
}

static struct stub *find_guest(struct track *tr, uint32_t domid, const uint8_t *uuid)
{
	struct stub *s = tr->stubs;

	while (s && (s->id.guest != domid || memcmp(s->guest_uuid, uuid, 16)))
		s = s->next;
	return s;
}

static struct stub *add(struct track *tr, const struct stub_id *id,
			const uint8_t *uuid, const uint8_t *guest_uuid)
{
	struct stub *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->id = *id;
	memcpy(s->uuid, uuid, 16);
	memcpy(s->guest_uuid, guest_uuid, 16);
	s->due = UINT64_MAX;
	s->state.helper = s->state.refuser = (struct helper){ -1, -1 };
	domain_name(tr->host.xs, id->guest, s->id.name, sizeof(s->id.name));
	s->next = tr->stubs;
	tr->stubs = s;
	if (tr->host.log_limit && tr->bounds_due == UINT64_MAX)
		tr->bounds_due = tr->host.now + BOUNDS_LOOK_MS;
	return s;
}

static struct record record_of(const struct stub *s)
{
	struct record r = { .stub = s->id.stub, .guest = s->id.guest };

	memcpy(r.uuid, s->uuid, 16);
	memcpy(r.guest_uuid, s->guest_uuid, 16);
	return r;
}

static void drop(struct track *tr, struct stub *gone)
{
	struct stub **p = &tr->stubs;

	while (*p != gone)
		p = &(*p)->next;
	*p = gone->next;
	free_stub(gone);
}

/* ---- acting ---- */

static void crash_guest(struct track *tr, struct stub *s)
{
	int ret = hv_dom_crash(tr->host.hv, s->id.guest);

	s->life.crashed_at = stub_time(tr->host.now);
	if (ret && ret != -ESRCH)
		stub_say(&tr->host, s, LOG_ERR, "it lives without a device model and Xen could not end it: %s: run 'xl destroy %s'",
			 strerror(-ret), s->id.name);
	else if (!ret)
		stub_say(&tr->host, s, LOG_NOTICE, "it cannot go on without its device model: reported to Xen as crashed, its on_crash action decides");
}

static void say_left(struct track *tr, struct stub *s)
{
	s->life.told_left = true;
	if (s->life.guest == LIFE_GONE)
		stub_say(&tr->host, s, LOG_WARNING, "stubdomain %u is still there without its guest: run 'xl destroy %u'",
			 s->id.stub, s->id.stub);
	else
		stub_say(&tr->host, s, LOG_WARNING, "it is still there, crashed (on_crash=\"preserve\", or no xl process watches it): run 'xl destroy %s' when you have looked at it",
			 s->id.name);
}

/* A guest that runs was started, so its device model had come up. */
static enum diag_kind dead_kind(const struct life *l)
{
	return l->ready_at || l->dm_running || (l->guest == LIFE_ALIVE && !l->guest_paused) ?
	       DIAG_ENDED : DIAG_FAILED;
}

static void act(struct track *tr, struct stub *s, const struct life_plan *plan,
		const struct hv_dom *stub)
{
	struct life *l = &s->life;

	if (plan->say_ready) {
		l->ready_at = stub_time(tr->host.now);
		stub_say(&tr->host, s, LOG_INFO, "device model runs in stubdomain %u", s->id.stub);
	}
	if (plan->say_slow) {
		l->told_slow = true;
		diag_say(tr->host.xs, tr->host.hv, &s->id, DIAG_SLOW, NULL);
	}
	if (plan->say_dead) {
		l->told_dead = true;
		diag_say(tr->host.xs, tr->host.hv, &s->id, dead_kind(l), stub);
	}
	if (plan->crash_guest)
		crash_guest(tr, s);
	if (plan->take_save)
		saves_take(&tr->host, s);
	if (plan->say_left)
		say_left(tr, s);
	if (plan->clean) {
		l->cleaned = true;
		clean_stub(tr->host.xs, tr->host.hv, &s->id);
	}
	if (plan->forget) {
		struct record r = record_of(s);

		states_forget(&tr->host, s);
		clean_guest(tr->host.xs, tr->host.hv, &s->id);
		record_remove(tr->host.xs, &r);
	}
}

/* A guest may be renamed; an incoming migration always is. */
static void refresh_name(struct track *tr, struct stub *s)
{
	char name[DOMAIN_NAME_MAX];

	domain_name(tr->host.xs, s->id.guest, name, sizeof(name));
	if (name[0])
		memcpy(s->id.name, name, sizeof(name));
}

/*
 * May @s begin to use a state disk?  One whose guest is suspended cannot wait: another
 * that can ask again gives way, and does not get the place back that it gave.
 */
static bool has_room(struct track *tr, const struct stub *s)
{
	struct stub *early = NULL;
	unsigned int busy = 0;

	for (struct stub *o = tr->stubs; o; o = o->next) {
		busy += states_is_busy(o) || (!s->life.suspended_at && states_wants(o));
		if (states_is_early(o) && (!early || o->state.t.since < early->state.t.since))
			early = o;
	}
	if (busy < STATE_DISK_TRANSFERS)
		return true;
	if (states_wants(s) && early) {
		early->state.way = true;
		stub_look_again(early, tr->host.now);
	}
	return false;
}

/* Look at one stubdomain and do what is needed; frees it when all is over. */
static void serve(struct track *tr, struct stub *s)
{
	struct life_plan plan;
	struct hv_dom stub;
	int ret = observe(&tr->host, s, &stub);

	if (ret) {
		stub_failed(&tr->host, s, "asking the hypervisor", ret);
		return;
	}
	s->due = UINT64_MAX;
	/* Not while a state is waited for: that is many looks, and long after the start. */
	if (s->life.stub == LIFE_ALIVE && !s->life.suspended_at) {
		devices_fix_consoles(&tr->host, s);
		devices_fix_drives(&tr->host, s);
		devices_take_vifs(&tr->host, s);
	}
	states_look(&tr->host, s, has_room(tr, s));
	life_decide(&s->life, &plan);
	if (plan.say_slow || plan.say_dead || plan.crash_guest || plan.say_left)
		refresh_name(tr, s);
	act(tr, s, &plan, &stub);
	if (plan.forget) {
		drop(tr, s);
		return;
	}
	/* That may change what is next: look once more, soon. */
	if (plan.crash_guest || plan.say_dead || plan.clean || plan.say_slow)
		plan.next = tr->host.now + 1000;
	stub_look_again(s, plan.next);
}

static void welcome(struct track *tr, struct stub *s, const struct hv_dom *guest)
{
	struct record r = record_of(s);
	bool known = false;
	int ret;

	/* Consoles and drives before anything else: dom0's QEMU is being started. */
	devices_fix_consoles(&tr->host, s);
	devices_fix_drives(&tr->host, s);
	ret = record_is(tr->host.xs, &r, &known);
	if (!ret && !known)
		savefile_forget(s->id.guest);
	if (!ret)
		ret = record_write(tr->host.xs, &r);
	if (ret)
		stub_failed(&tr->host, s, "writing its record", ret);
	states_welcome(&tr->host, s);
	/*
	 * No news when the daemon is newer than the stubdomain.  A guest that
	 * runs has a device model, whatever the stubdomain says of itself.
	 */
	if (observe_running(tr->host.xs, &s->id) || (!guest->paused && guest->cpu_ns))
		s->life.ready_at = stub_time(tr->host.now);
	stub_say(&tr->host, s, LOG_INFO, "stubdomain %u found%s", s->id.stub,
		 s->life.ready_at ? ", device model runs" : "");
}

/* Is this domain a stubdomain that is not known yet? */
static void recognise(struct track *tr, const struct hv_dom *dom)
{
	struct hv_dom guest;
	struct stub_id id;
	struct stub *s;
	int ret;

	if (dom->hvm || !dom->domid || dom->dying || find(tr, dom->domid, dom->uuid))
		return;
	ret = stub_ident(tr->host.xs, XBT_NULL, dom->domid, &id);
	if (!ret)
		ret = hv_dom_get(tr->host.hv, id.guest, &guest);
	if (ret == -ENOENT || ret == -ENODEV)
		return;
	s = ret ? NULL : add(tr, &id, dom->uuid, guest.uuid);
	if (s)
		welcome(tr, s, &guest);
	else
		log_err(NULL, "domain %u: telling whether it is a stubdomain: %s",
			dom->domid, strerror(ret ? -ret : ENOMEM));
}

void track_visit(struct track *tr, uint32_t domid, uint64_t now)
{
	struct hv_dom dom;
	struct stub *s;

	tr->host.now = now;
	/* Most events are about domains that are no stubdomains, or gone. */
	if (hv_dom_get(tr->host.hv, domid, &dom))
		return;
	recognise(tr, &dom);
	s = find(tr, domid, dom.uuid);
	if (!s)
		s = find_guest(tr, domid, dom.uuid);
	if (!s)
		return;
	if (limit_take(&s->looks, now, 1000, LOOKS_PER_SECOND))
		serve(tr, s);
	else if (s->due > now + 1000)
		s->due = now + 1000;
}

int track_helpers_fd(const struct track *tr)
{
	return tr->host.helpers;
}

void track_helpers(struct track *tr, uint64_t now)
{
	struct epoll_event ev[STATE_DISK_TRANSFERS];
	int n = epoll_wait(tr->host.helpers, ev, STATE_DISK_TRANSFERS, 0);

	tr->host.now = now;
	for (int i = 0; i < n; i++) {
		struct stub *s = tr->stubs;

		while (s && (s->id.stub != ev[i].data.u32 || !states_is_busy(s)))
			s = s->next;
		if (s)
			serve(tr, s);
	}
}

void track_sweep(struct track *tr, uint64_t now)
{
	struct stub *s, *next;

	tr->host.now = now;
	for (s = tr->stubs; s; s = next) {
		next = s->next;
		serve(tr, s);
	}
	tr->orphans_due = orphans_check(tr->orphans, tr->host.xs, tr->host.hv, now);
}

void track_born(struct track *tr, uint64_t now)
{
	tr->host.now = now;
	tr->orphans_due = orphans_check(tr->orphans, tr->host.xs, tr->host.hv, now);
}

/* What an earlier daemon saw. */
static int read_record(struct track *tr, const char *name)
{
	struct stub_id id = { .name = "" };
	struct record r;
	int ret = record_read(tr->host.xs, name, &r);

	if (ret || find(tr, r.stub, r.uuid))
		return ret;
	id.stub = r.stub;
	id.guest = r.guest;
	return add(tr, &id, r.uuid, r.guest_uuid) ? 0 : -ENOMEM;
}

static void scan_records(struct track *tr)
{
	unsigned int n;
	char **names;
	int ret = xsu_list(tr->host.xs, XBT_NULL, &names, &n, RECORD_DIR);

	if (ret == -ENOENT)
		return;
	if (ret) {
		log_warn(NULL, "reading %s: %s", RECORD_DIR, strerror(-ret));
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		if (read_record(tr, names[i]) != -EINVAL)
			continue;
		log_warn(NULL, "malformed record %s/%.16s: removed", RECORD_DIR, names[i]);
		xsu_rm(tr->host.xs, XBT_NULL, RECORD_DIR "/%s", names[i]);
	}
	free(names);
}

int track_scan(struct track *tr, uint64_t now)
{
	struct hv_dom *list;
	unsigned int n;
	int ret;

	tr->host.now = now;
	ret = hv_dom_list(tr->host.hv, &list, &n);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < n; i++)
		recognise(tr, &list[i]);
	free(list);
	scan_records(tr);
	track_sweep(tr, now);
	return 0;
}

static void bound_all(struct track *tr)
{
	for (struct stub *s = tr->stubs; s; s = s->next)
		bounds_look(&tr->host, s);
	tr->bounds_due = tr->stubs ? tr->host.now + BOUNDS_LOOK_MS : UINT64_MAX;
}

void track_tick(struct track *tr, uint64_t now)
{
	struct stub *s, *next;

	tr->host.now = now;
	if (tr->bounds_due <= now)
		bound_all(tr);
	for (s = tr->stubs; s; s = next) {
		next = s->next;
		if (s->due <= now)
			serve(tr, s);
	}
	if (tr->orphans_due <= now)
		tr->orphans_due = orphans_check(tr->orphans, tr->host.xs, tr->host.hv, now);
}

uint64_t track_next(const struct track *tr)
{
	uint64_t due = tr->orphans_due < tr->bounds_due ? tr->orphans_due : tr->bounds_due;

	for (const struct stub *s = tr->stubs; s; s = s->next)
		if (s->due < due)
			due = s->due;
	return due;
}

void track_count(const struct track *tr, unsigned int *all, unsigned int *bad)
{
	*all = *bad = 0;
	for (const struct stub *s = tr->stubs; s; s = s->next) {
		++*all;
		if (s->life.told_slow || s->life.told_dead || s->life.told_left)
			++*bad;
	}
	*bad += orphans_count(tr->orphans);
}
