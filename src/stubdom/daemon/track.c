// SPDX-License-Identifier: GPL-2.0-or-later
#include "track.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/sched.h>

#include "base/log.h"
#include "base/ratelimit.h"
#include "clean.h"
#include "consoles.h"
#include "diag.h"
#include "drives.h"
#include "life.h"
#include "orphan.h"
#include "savefile.h"
#include "stubdom.h"
#include "vifs.h"
#include "xen/domain.h"
#include "xen/xs_util.h"

/* Lines about one guest in a minute; looks at one, and states put in place, in a second. */
#define LINES_PER_MINUTE 20
#define LOOKS_PER_SECOND 20
#define SAVES_PER_SECOND 2

struct stub {
	struct stub *next;
	struct stub_id id;
	uint8_t uuid[16], guest_uuid[16];
	struct life life;
	uint64_t due;
	uint64_t vifs_since;	/* an interface is being closed since then; 0: none is */
	struct limit lines, looks, saves;
};

struct track {
	struct xs_handle *xs;
	struct hv *hv;
	struct stub *stubs;
	struct orphans *orphans;
	uint64_t orphans_due;
	uint64_t now;
};

struct track *track_new(struct xs_handle *xs, struct hv *hv)
{
	struct track *tr = calloc(1, sizeof(*tr));

	if (!tr)
		return NULL;
	tr->xs = xs;
	tr->hv = hv;
	tr->orphans_due = UINT64_MAX;
	tr->orphans = orphans_new();
	if (!tr->orphans) {
		free(tr);
		return NULL;
	}
	return tr;
}

void track_free(struct track *tr)
{
	struct stub *s, *next;

	for (s = tr ? tr->stubs : NULL; s; s = next) {
		next = s->next;
		free(s);
	}
	if (tr)
		orphans_free(tr->orphans);
	free(tr);
}

/* ---- log lines ---- */

static void say(struct track *tr, struct stub *s, int level, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

static void say(struct track *tr, struct stub *s, int level, const char *fmt, ...)
{
	struct log_about about = {
		.guest = s->id.name[0] ? s->id.name : NULL,
		.domid = (int)s->id.guest, .stubdom = (int)s->id.stub,
	};
	va_list ap;

	if (!limit_take(&s->lines, tr->now, 60000, LINES_PER_MINUTE))
		return;
	if (s->lines.used == LINES_PER_MINUTE) {
		log_warn(&about, "too many messages: silent about it for a minute");
		return;
	}
	va_start(ap, fmt);
	log_vmsg(level, &about, fmt, ap);
	va_end(ap);
}

/*
 * What fails for one stubdomain must not keep the others from being served.
 * A lost connection to xenstored shows in events_take() and ends the daemon.
 */
static void failed(struct track *tr, struct stub *s, const char *what, int err)
{
	say(tr, s, LOG_ERR, "stubdomain %u: %s: %s: trying again",
	    s->id.stub, what, strerror(-err));
	s->due = tr->now + 1000;
}

static void look_again(struct stub *s, uint64_t when)
{
	if (when < s->due)
		s->due = when;
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

static void uuid_format(char *buf, const uint8_t *uuid)
{
	for (int i = 0; i < 16; i++)
		sprintf(buf + 2 * i, "%02x", uuid[i]);
}

static int uuid_parse(uint8_t *uuid, const char *hex)
{
	for (int i = 0; i < 16; i++) {
		unsigned int byte;

		if (strspn(hex, "0123456789abcdef") < 2 ||
		    sscanf(hex, "%2x", &byte) != 1)
			return -EINVAL;
		uuid[i] = byte;
		hex += 2;
	}
	return 0;
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
	guest_name(tr->xs, id->guest, s->id.name, sizeof(s->id.name));
	s->next = tr->stubs;
	tr->stubs = s;
	return s;
}

static void drop(struct track *tr, struct stub *gone)
{
	struct stub **p = &tr->stubs;

	while (*p != gone)
		p = &(*p)->next;
	*p = gone->next;
	free(gone);
}

/* ---- records ---- */

static int record_write(struct track *tr, const struct stub *s)
{
	char value[80], a[33], b[33];

	uuid_format(a, s->uuid);
	uuid_format(b, s->guest_uuid);
	snprintf(value, sizeof(value), "%u %s %s", s->id.guest, a, b);
	return xsh_write(tr->xs, XBT_NULL, value, RECORD_DIR "/%u", s->id.stub);
}

/* Is the record that of this very stubdomain?  Its number may be in use again. */
static int record_is(struct track *tr, const struct stub *s, bool *is)
{
	char a[33], *v;
	int ret = xsh_read(tr->xs, XBT_NULL, &v, NULL, RECORD_DIR "/%u", s->id.stub);

	*is = false;
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	uuid_format(a, s->uuid);
	*is = strstr(v, a);
	free(v);
	return 0;
}

static int record_remove(struct track *tr, const struct stub *s)
{
	bool is;
	int ret = record_is(tr, s, &is);

	return is ? xsh_rm(tr->xs, XBT_NULL, RECORD_DIR "/%u", s->id.stub) : ret;
}

/* What an earlier daemon saw; -EINVAL for a record that makes no sense. */
static int record_read(struct track *tr, const char *name)
{
	unsigned int guest;
	struct stub_id id = { 0 };
	uint8_t a[16], b[16];
	uint64_t stub;
	int ret, at = 0;
	char *v;

	ret = xsh_parse_uint(name, DOMID_LIMIT - 1, &stub);
	if (ret)
		return ret;
	ret = xsh_read(tr->xs, XBT_NULL, &v, NULL, RECORD_DIR "/%s", name);
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (sscanf(v, "%5u %n", &guest, &at) != 1 || guest >= DOMID_LIMIT ||
	    strlen(v + at) != 65 || uuid_parse(a, v + at) || uuid_parse(b, v + at + 33))
		ret = -EINVAL;
	free(v);
	if (ret)
		return ret;
	id.stub = stub;
	id.guest = guest;
	if (!find(tr, stub, a) && !add(tr, &id, a, b))
		return -ENOMEM;
	return 0;
}

/* ---- what is so now ---- */

static int dom_state(struct hv *hv, uint32_t domid, const uint8_t *uuid,
		     enum life_dom *state, struct hv_dom *dom)
{
	int ret = hv_dom_get(hv, domid, dom);

	if (ret == -ENOENT || (!ret && memcmp(dom->uuid, uuid, 16))) {
		memset(dom, 0, sizeof(*dom));
		*state = LIFE_GONE;
		return 0;
	}
	if (ret)
		return ret;
	*state = dom->dying ? LIFE_DYING : dom->shutdown ? LIFE_ENDED : LIFE_ALIVE;
	return 0;
}

static bool dm_running(struct track *tr, const struct stub *s)
{
	char *v;
	bool is;

	if (xsh_read(tr->xs, XBT_NULL, &v, NULL,
		     "/local/domain/%u/device-model/%u/state", s->id.stub, s->id.guest))
		return false;
	is = !strcmp(v, "running");
	free(v);
	return is;
}

static void stamp(uint64_t *when, bool is, uint64_t now)
{
	if (is && !*when)
		*when = now ? now : 1;
}

static int observe(struct track *tr, struct stub *s, struct hv_dom *stub)
{
	struct life *l = &s->life;
	struct hv_dom guest;
	int ret;

	ret = dom_state(tr->hv, s->id.stub, s->uuid, &l->stub, stub);
	if (!ret)
		ret = dom_state(tr->hv, s->id.guest, s->guest_uuid, &l->guest, &guest);
	if (ret)
		return ret;
	l->now = tr->now;
	l->stub_runs = l->stub == LIFE_ALIVE && !stub->paused;
	l->guest_paused = guest.paused;
	l->dm_running = l->stub != LIFE_GONE && !l->ready_at && dm_running(tr, s);
	stamp(&l->ran_at, l->stub_runs || stub->cpu_ns, tr->now);
	stamp(&l->dead_at, l->stub != LIFE_ALIVE, tr->now);
	stamp(&l->orphan_at, l->guest == LIFE_GONE, tr->now);
	if (l->guest != LIFE_ENDED || guest.reason != SHUTDOWN_suspend)
		l->suspended_at = 0;
	else
		stamp(&l->suspended_at, true, tr->now);
	return 0;
}

/* ---- acting ---- */

static void cure_consoles(struct track *tr, struct stub *s)
{
	struct console_plan did;
	int ret = consoles_cure(tr->xs, &s->id, &did);

	if (ret == -EAGAIN)
		look_again(s, tr->now + 100);
	else if (ret && ret != -ENOENT)
		failed(tr, s, "setting its consoles up", ret);
	if (ret)
		return;
	if (did.null_restore)
		say(tr, s, LOG_DEBUG, "console 2 goes to null");
	if (did.connect_primary)
		say(tr, s, LOG_DEBUG, "primary console connected");
	if (did.close_display)
		say(tr, s, LOG_INFO, "dom0's QEMU does not serve its stubdomain's display: closed it, so that its kernel does not wait");
	if (did.close_keyboard)
		say(tr, s, LOG_DEBUG, "nothing serves the guest's PV keyboard: closed it, so that its kernel does not wait");
	for (int n = 1; n < CONSOLES_MAX; n++)
		if (did.close_mask & (1u << n))
			say(tr, s, LOG_WARNING, "dom0's QEMU did not take console %d of stubdomain %u: closed it, so that its kernel does not wait; see /var/log/xen/qemu-dm-%s-dm.log",
			    n, s->id.stub, s->id.name);
}

static void cure_drives(struct track *tr, struct stub *s)
{
	unsigned int done;
	int ret = drives_cure(tr->xs, &s->id, &done);

	if (ret == -EAGAIN)
		look_again(s, tr->now + 100);
	else if (ret && ret != -ENOENT)
		failed(tr, s, "setting its empty CD drives up", ret);
	if (done)
		say(tr, s, LOG_INFO, "%u empty CD drive%s: not given to stubdomain %u before there is a medium",
		    done, done == 1 ? "" : "s", s->id.stub);
}

/* Asked after the interfaces were read: vifs.h says why. */
static int vifs_domains(struct track *tr, struct stub *s, struct vifs_dom *out)
{
	enum life_dom stub, guest;
	struct hv_dom dom;
	int ret = dom_state(tr->hv, s->id.stub, s->uuid, &stub, &dom);

	*out = (struct vifs_dom){ .now = tr->now, .since = s->vifs_since };
	if (ret)
		return ret;
	out->stub_runs = stub == LIFE_ALIVE && !dom.paused;
	ret = dom_state(tr->hv, s->id.guest, s->guest_uuid, &guest, &dom);
	out->guest_ran = guest != LIFE_GONE && guest != LIFE_DYING && dom.cpu_ns;
	return ret;
}

static int take_vif(struct track *tr, struct stub *s, const struct vif *v,
		    const struct vifs_dom *dom)
{
	switch (vif_decide(v, dom)) {
	case VIF_CLOSE:
		if (!dom->since)
			say(tr, s, LOG_NOTICE, "network card %u was detached: the emulated card is taken off the network too (stubdomain %u)",
			    v->devid, s->id.stub);
		return vif_close(tr->xs, v);
	case VIF_CUT:
		say(tr, s, LOG_WARNING, "stubdomain %u does not close its interface for network card %u, which was detached: taking it away",
		    s->id.stub, v->devid);
		return vif_cut(tr->xs, &s->id, v);
	case VIF_REMOVE:
		say(tr, s, LOG_WARNING, "%s does not close: removing it", v->back);
		return vif_remove(tr->xs, v);
	case VIF_WAIT:
	case VIF_KEEP:
		break;
	}
	return 0;
}

/* What the administrator detached from the guest goes from its stubdomain too. */
static void take_vifs(struct track *tr, struct stub *s)
{
	struct vifs_dom dom;
	struct vifs vs;
	int ret = vifs_read(tr->xs, &s->id, &vs);

	if (ret == -ENOENT)
		return;
	if (!ret && !vifs_unwanted(&vs)) {
		s->vifs_since = 0;
		return;
	}
	if (!ret)
		ret = vifs_domains(tr, s, &dom);
	for (unsigned int i = 0; i < vs.count && !ret; i++)
		ret = take_vif(tr, s, &vs.v[i], &dom);
	if (ret && ret != -EAGAIN) {
		failed(tr, s, "closing a detached network card", ret);
		return;
	}
	if (!ret && !s->vifs_since && dom.stub_runs && dom.guest_ran)
		s->vifs_since = tr->now ? tr->now : 1;
	look_again(s, tr->now + (ret ? 100 : s->vifs_since ? 1000 : VIF_LOOK_MS));
}

static void crash_guest(struct track *tr, struct stub *s)
{
	int ret = hv_dom_crash(tr->hv, s->id.guest);

	s->life.crashed_at = tr->now ? tr->now : 1;
	if (ret && ret != -ESRCH)
		say(tr, s, LOG_ERR, "it lives without a device model and Xen could not end it: %s: run 'xl destroy %s'",
		    strerror(-ret), s->id.name);
	else if (!ret)
		say(tr, s, LOG_NOTICE, "it cannot go on without its device model: reported to Xen as crashed, its on_crash action decides");
}

/* Only below a domain that is still there; -EAGAIN: with the next look. */
static int answer_save(struct track *tr, struct stub *s, const char *text)
{
	xs_transaction_t t = xs_transaction_start(tr->xs);
	int ret;

	if (t == XBT_NULL)
		return errno ? -errno : -EIO;
	ret = xsh_exists(tr->xs, t, "/local/domain/%u/vm", s->id.stub) ? 0 : -ENOENT;
	if (!ret)
		ret = xsh_write(tr->xs, t, text, "/local/domain/%u/" STUBDOM_DATA "/saved",
				s->id.stub);
	if (!xs_transaction_end(tr->xs, t, ret) && !ret)
		ret = errno ? -errno : -EIO;
	return ret;
}

/* What the stubdomain asks for; false when that is nothing (any more). */
static bool read_save(struct track *tr, struct stub *s, struct save_ask *ask)
{
	char *v;
	int ret = xsh_read(tr->xs, XBT_NULL, &v, NULL,
			   "/local/domain/%u/" STUBDOM_DATA "/save", s->id.stub);

	if (ret)
		return false;
	ret = savefile_parse(v, ask);
	free(v);
	if (ret || xsh_read(tr->xs, XBT_NULL, &v, NULL,
			    "/local/domain/%u/" STUBDOM_DATA "/saved", s->id.stub))
		return !ret;
	ret = strncmp(v, ask->tag, STUBDOM_TAG_LEN);
	free(v);
	return ret;
}

static const char *save_error(int err)
{
	return err == -ENOENT ? "libxl removed it when an earlier save failed: shut the guest down and start it again" :
	       strerror(-err);
}

static void take_save(struct track *tr, struct stub *s)
{
	char text[STUBDOM_TAG_LEN + 128];
	int fd, ret = savefile_keep(s->id.guest);
	struct save_ask ask;

	if (ret && ret != -ENOENT)
		say(tr, s, LOG_WARNING, "/var/lib/xen/qemu-save.%u cannot be kept for a next xl save: %s",
		    s->id.guest, strerror(-ret));
	if (!read_save(tr, s, &ask))
		return;
	fd = savefile_open(s->id.guest, &ask);
	if (fd == -EAGAIN || !limit_take(&s->saves, tr->now, 1000, SAVES_PER_SECOND)) {
		if (fd >= 0)
			savefile_close(fd, false);
		return;
	}
	ret = fd < 0 ? fd : savefile_put(s->id.guest, fd, &ask);
	snprintf(text, sizeof(text), "%s", ask.tag);
	if (ret)
		snprintf(text + STUBDOM_TAG_LEN, sizeof(text) - STUBDOM_TAG_LEN, " /var/lib/xen/qemu-save.%u: %s",
			 s->id.guest, save_error(ret));
	if (ret)
		say(tr, s, LOG_ERR, "its device state is not saved:%s", text + STUBDOM_TAG_LEN);
	ret = answer_save(tr, s, text) || ret;
	if (fd >= 0)
		savefile_close(fd, !ret);
}

static void say_left(struct track *tr, struct stub *s)
{
	s->life.told_left = true;
	if (s->life.guest == LIFE_GONE)
		say(tr, s, LOG_WARNING, "stubdomain %u is still there without its guest: run 'xl destroy %u'",
		    s->id.stub, s->id.stub);
	else
		say(tr, s, LOG_WARNING, "it is still there, crashed (on_crash=\"preserve\", or no xl process watches it): run 'xl destroy %s' when you have looked at it",
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
		l->ready_at = tr->now ? tr->now : 1;
		say(tr, s, LOG_INFO, "device model runs in stubdomain %u", s->id.stub);
	}
	if (plan->say_slow) {
		l->told_slow = true;
		diag_say(tr->xs, tr->hv, &s->id, DIAG_SLOW, NULL);
	}
	if (plan->say_dead) {
		l->told_dead = true;
		diag_say(tr->xs, tr->hv, &s->id, dead_kind(l), stub);
	}
	if (plan->crash_guest)
		crash_guest(tr, s);
	if (plan->take_save)
		take_save(tr, s);
	if (plan->say_left)
		say_left(tr, s);
	if (plan->clean) {
		l->cleaned = true;
		clean_stub(tr->xs, tr->hv, &s->id);
	}
	if (plan->forget) {
		clean_guest(tr->xs, tr->hv, &s->id);
		record_remove(tr, s);
	}
}

/* A guest may be renamed; an incoming migration always is. */
static void refresh_name(struct track *tr, struct stub *s)
{
	char name[IDENT_NAME_MAX];

	guest_name(tr->xs, s->id.guest, name, sizeof(name));
	if (name[0])
		memcpy(s->id.name, name, sizeof(name));
}

/* Look at one stubdomain and do what is needed; frees it when all is over. */
static void serve(struct track *tr, struct stub *s)
{
	struct life_plan plan;
	struct hv_dom stub;
	int ret = observe(tr, s, &stub);

	if (ret) {
		failed(tr, s, "asking the hypervisor", ret);
		return;
	}
	s->due = UINT64_MAX;
	/* Not while a state is waited for: that is many looks, and long after the start. */
	if (s->life.stub == LIFE_ALIVE && !s->life.suspended_at) {
		cure_consoles(tr, s);
		cure_drives(tr, s);
		take_vifs(tr, s);
	}
	life_decide(&s->life, &plan);
	if (plan.say_slow || plan.say_dead || plan.crash_guest || plan.say_left)
		refresh_name(tr, s);
	act(tr, s, &plan, &stub);
	if (plan.forget) {
		drop(tr, s);
		return;
	}
	/* The deed may change what is next: look once more, soon. */
	if (plan.crash_guest || plan.say_dead || plan.clean || plan.say_slow)
		plan.next = tr->now + 1000;
	look_again(s, plan.next);
}

static void welcome(struct track *tr, struct stub *s, const struct hv_dom *guest)
{
	bool known = false;
	int ret;

	/* Consoles and drives before anything else: dom0's QEMU is being started. */
	cure_consoles(tr, s);
	cure_drives(tr, s);
	ret = record_is(tr, s, &known);
	if (!ret && !known)
		savefile_forget(s->id.guest);
	if (!ret)
		ret = record_write(tr, s);
	if (ret)
		failed(tr, s, "writing its record", ret);
	/*
	 * No news when the daemon is newer than the stubdomain.  A guest that
	 * runs has a device model, whatever the stubdomain says of itself.
	 */
	if (dm_running(tr, s) || (!guest->paused && guest->cpu_ns))
		s->life.ready_at = tr->now ? tr->now : 1;
	say(tr, s, LOG_INFO, "stubdomain %u found%s", s->id.stub,
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
	ret = stub_ident(tr->xs, XBT_NULL, dom->domid, &id);
	if (!ret)
		ret = hv_dom_get(tr->hv, id.guest, &guest);
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

	tr->now = now;
	/* Most events are about domains that are no stubdomains, or gone. */
	if (hv_dom_get(tr->hv, domid, &dom))
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

void track_sweep(struct track *tr, uint64_t now)
{
	struct stub *s, *next;

	tr->now = now;
	for (s = tr->stubs; s; s = next) {
		next = s->next;
		serve(tr, s);
	}
	tr->orphans_due = orphans_check(tr->orphans, tr->xs, tr->hv, now);
}

void track_born(struct track *tr, uint64_t now)
{
	tr->now = now;
	tr->orphans_due = orphans_check(tr->orphans, tr->xs, tr->hv, now);
}

static void scan_records(struct track *tr)
{
	unsigned int n;
	char **names;
	int ret = xsh_list(tr->xs, XBT_NULL, &names, &n, RECORD_DIR);

	if (ret == -ENOENT)
		return;
	if (ret) {
		log_warn(NULL, "reading %s: %s", RECORD_DIR, strerror(-ret));
		return;
	}
	for (unsigned int i = 0; i < n; i++) {
		if (record_read(tr, names[i]) != -EINVAL)
			continue;
		log_warn(NULL, "record %s/%.16s makes no sense: removed", RECORD_DIR, names[i]);
		xsh_rm(tr->xs, XBT_NULL, RECORD_DIR "/%s", names[i]);
	}
	free(names);
}

int track_scan(struct track *tr, uint64_t now)
{
	struct hv_dom *list;
	unsigned int n;
	int ret;

	tr->now = now;
	ret = hv_dom_list(tr->hv, &list, &n);
	if (ret)
		return ret;
	for (unsigned int i = 0; i < n; i++)
		recognise(tr, &list[i]);
	free(list);
	scan_records(tr);
	track_sweep(tr, now);
	return 0;
}

void track_tick(struct track *tr, uint64_t now)
{
	struct stub *s, *next;

	tr->now = now;
	for (s = tr->stubs; s; s = next) {
		next = s->next;
		if (s->due <= now)
			serve(tr, s);
	}
	if (tr->orphans_due <= now)
		tr->orphans_due = orphans_check(tr->orphans, tr->xs, tr->hv, now);
}

uint64_t track_next(const struct track *tr)
{
	uint64_t due = tr->orphans_due;

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
