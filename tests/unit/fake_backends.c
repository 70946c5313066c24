// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_backends.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "virtio/blockdev.h"
#include "virtio/ids.h"
#include "virtio/daemon/devnodes.h"
#include "virtio/daemon/fetch.h"
#include "virtio/daemon/keeper.h"
#include "virtio/daemon/net.h"
#include "qmp/session.h"

char fake_units_asked[1024], fake_units_permits[4096], fake_qmp_sent[16384], fake_net_done[1024];
int fake_units_error, fake_units_permitted, fake_permit_answer, fake_net_error;
bool fake_qmp_refuses, fake_events_missing;
char fake_fetched[1024];
int fake_fetch_begins, fake_fetch_result;
const char *fake_fetch_why = "";
void (*fake_event_done)(void);
dev_t fake_rdev;
uint64_t fake_bytes;
unsigned int *fake_probed;
int fake_probing_ms;

static enum vd_unit unit[256];

static void put(char *to, size_t size, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

static void put(char *to, size_t size, const char *fmt, ...)
{
	size_t n = strlen(to);
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(to + n, size - n, fmt, ap);
	va_end(ap);
}

void fake_backends_reset(void)
{
	memset(unit, 0, sizeof(unit));
	fake_units_permits[0] = '\0';
	fake_units_permitted = fake_permit_answer = 0;
	fake_units_asked[0] = fake_qmp_sent[0] = fake_net_done[0] = '\0';
	fake_units_error = fake_net_error = 0;
	fake_qmp_refuses = fake_events_missing = false;
	if (!fake_probed)
		fake_probed = mmap(NULL, sizeof(*fake_probed), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	fake_fetched[0] = '\0';
	fake_fetch_begins = fake_fetch_result = 0;
	fake_rdev = fake_probes = 0;
	fake_probing_ms = 30000;
	fake_event_done = NULL;
}

/* ---- units ---- */

void fake_unit_set(uint32_t domid, enum vd_unit state)
{
	unit[domid] = state;
}

struct units *units_open(sd_event *ev, units_fn *fn, void *arg)
{
	(void)ev;
	(void)fn;
	(void)arg;
	return (struct units *)unit;
}

void units_close(struct units *u)
{
	(void)u;
}

enum vd_unit units_state(struct units *u, uint32_t domid)
{
	(void)u;
	return unit[domid];
}

int units_list(struct units *u, uint32_t **domids, unsigned int *n)
{
	(void)u;
	*n = 0;
	*domids = calloc(256, sizeof(**domids));
	for (uint32_t i = 0; i < 256; i++)
		if (unit[i] != VD_UNIT_INACTIVE)
			(*domids)[(*n)++] = i;
	return 0;
}

int units_start(struct units *u, uint32_t domid)
{
	(void)u;
	if (fake_units_error)
		return fake_units_error;
	put(fake_units_asked, sizeof(fake_units_asked), "start %u;", domid);
	unit[domid] = VD_UNIT_STARTING;
	return 0;
}

int units_stop(struct units *u, uint32_t domid)
{
	(void)u;
	put(fake_units_asked, sizeof(fake_units_asked), "stop %u;", domid);
	unit[domid] = VD_UNIT_STOPPING;
	return 0;
}

int units_reset(struct units *u, uint32_t domid)
{
	(void)u;
	put(fake_units_asked, sizeof(fake_units_asked), "reset %u;", domid);
	return 0;
}

int units_permit(struct units *u, uint32_t domid, const struct vd_rules *r, const struct vd_rule *bind)
{
	char dev[VD_RULE_DEVICE_MAX];

	(void)u;
	put(fake_units_permits, sizeof(fake_units_permits), "%u:", domid);
	for (unsigned int i = 0; i < r->n; i++)
		if (r->rule[i].dev)
			put(fake_units_permits, sizeof(fake_units_permits), " %s %s,",
			    vd_rule_device(dev, &r->rule[i]), vd_rule_access(&r->rule[i]));
	if (bind)
		put(fake_units_permits, sizeof(fake_units_permits), " show %s", bind->path);
	put(fake_units_permits, sizeof(fake_units_permits), ";");
	fake_units_permitted = fake_permit_answer;
	return 0;
}

int units_permitted(struct units *u, uint32_t domid)
{
	(void)u;
	(void)domid;
	return fake_units_permitted;
}

void fake_permit_done(int ret)
{
	fake_units_permitted = ret;
}

/* ---- QMP ---- */

struct qmp {
	const struct qmp_ops *ops;
	void *arg;
	bool ready, busy;
};

static struct qmp *session, *events;

static struct qmp *events_open(const struct qmp_ops *ops, void *arg)
{
	if (fake_events_missing || events) {
		errno = fake_events_missing ? ENOENT : EAGAIN;
		return NULL;
	}
	events = calloc(1, sizeof(*events));
	events->ops = ops;
	events->arg = arg;
	return events;
}

struct qmp *qmp_open(sd_event *ev, const char *path, const struct qmp_ops *ops, void *arg)
{
	(void)ev;
	if (!strcmp(path + strlen(path) - 7, "/events"))
		return events_open(ops, arg);
	if (fake_qmp_refuses || session) {
		errno = fake_qmp_refuses ? ECONNREFUSED : EAGAIN;
		return NULL;
	}
	session = calloc(1, sizeof(*session));
	session->ops = ops;
	session->arg = arg;
	return session;
}

void qmp_close(struct qmp *q)
{
	if (!q)
		return;
	if (q != session && q != events)
		abort();
	if (q == events)
		events = NULL;
	else
		session = NULL;
	free(q);
}

void qmp_wait(struct qmp *q)
{
	if (q != events)
		abort();
}

int qmp_command(struct qmp *q, const char *command, struct json_object *args, int fd)
{
	if (q != session || !q->ready || q->busy)
		abort();
	q->busy = true;
	put(fake_qmp_sent, sizeof(fake_qmp_sent), "%s %s\n", command,
	    json_object_to_json_string_ext(args, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(args);
	if (fd >= 0)
		close(fd);
	return 0;
}

static void done(void)
{
	if (fake_event_done)
		fake_event_done();
}

bool fake_qmp_open(void)
{
	return session;
}

bool fake_qmp_greeted(void)
{
	return session && session->ready;
}

bool fake_qmp_asked(void)
{
	return session && session->busy;
}

void fake_qmp_ready(void)
{
	session->ready = true;
	session->ops->ready(session->arg);
	done();
}

void fake_qmp_reply(const char *text)
{
	struct json_object *o = *text == '!' ? NULL : json_tokener_parse(text);

	if (!session->busy)
		abort();
	session->busy = false;
	session->ops->reply(session->arg, o, o ? NULL : text + 1);
	json_object_put(o);
	done();
}

void fake_qmp_deleted(const char *device)
{
	struct json_object *o = json_object_new_object();

	json_object_object_add(o, "device", json_object_new_string(device));
	session->ops->event(session->arg, "DEVICE_DELETED", o);
	json_object_put(o);
	done();
}

void fake_qmp_lost(void)
{
	session->ops->lost(session->arg, "no answer in time");
	done();
}

void fake_qmp_agree(void)
{
	while (session && (!session->ready || session->busy)) {
		char *last;

		if (!session->ready) {
			fake_qmp_ready();
			continue;
		}
		fake_qmp_sent[strlen(fake_qmp_sent) - 1] = '\0';
		last = strrchr(fake_qmp_sent, '\n');
		last = strdup(last ? last + 1 : fake_qmp_sent);
		strcat(fake_qmp_sent, "\n");
		fake_qmp_reply(strncmp(last, "qom-list", 8) ? "{}" : "[]");
		/* It goes at once. */
		if (!strncmp(last, "device_del", 10) && session) {
			char *id = strstr(last, "\":\"") + 3;

			*strchr(id, '"') = '\0';
			fake_qmp_deleted(id);
		}
		free(last);
	}
}

bool fake_events_open(void)
{
	return events;
}

void fake_events_say(const char *name, const char *data)
{
	struct json_object *o = json_tokener_parse(data);

	events->ops->event(events->arg, name, o);
	json_object_put(o);
	done();
}

void fake_events_lost(void)
{
	events->ops->lost(events->arg, "it closed the connection");
	done();
}

/* ---- files ---- */

struct fetch {
	struct vd_id id;
};

struct fetch *fetch_begin(sd_event *ev, uint32_t domid, struct vd_id id, fetch_fn *fn, void *arg)
{
	struct fetch *f;
	char name[VD_ID_MAX];

	(void)ev;
	(void)fn;
	(void)arg;
	put(fake_fetched, sizeof(fake_fetched), "%u %s;", domid, vd_id_name(name, id));
	if (fake_fetch_begins) {
		errno = -fake_fetch_begins;
		return NULL;
	}
	f = calloc(1, sizeof(*f));
	f->id = id;
	return f;
}

int fetch_result(struct fetch *f, struct vd_opened *o, char *why)
{
	(void)f;
	snprintf(why, VD_ERROR_MAX, "%s", fake_fetch_why);
	if (fake_fetch_result)
		return fake_fetch_result;
	o->n = 1;
	o->fd[0] = open("/dev/null", O_RDWR | O_CLOEXEC);
	return 0;
}

struct vd_id fetch_of(const struct fetch *f)
{
	return f->id;
}

void fetch_end(struct fetch *f)
{
	free(f);
}

/* ---- what is beside a QEMU ---- */

int keeper_start(uint32_t domid)
{
	(void)domid;
	return 0;
}

int devnodes_make(const char **path)
{
	(void)path;
	return 0;
}

/* ---- block devices ---- */

/* None can be made here: for vd_probe() every file is one. */
static int fake_stat(const char *path, struct stat *st)
{
	int ret = stat(path, st);

	while (!strncmp(path, FAKE_HUNG, strlen(FAKE_HUNG)))
		pause();
	if (!ret)
		fake_probes++;
	if (!ret && fake_rdev) {
		st->st_mode = S_IFBLK | 0600;
		st->st_rdev = fake_rdev;
	}
	return ret;
}

#define stat(path, st) fake_stat(path, st)
#include "virtio/probe.c"
#undef stat
#define PROBING_CALL_MS fake_probing_ms
#include "virtio/probing.c"

int blockdev_sectors(dev_t dev, struct vd_sectors *s)
{
	(void)dev;
	*s = (struct vd_sectors){ 512, 512 };
	return 0;
}

int blockdev_bytes(dev_t dev, uint64_t *bytes)
{
	*bytes = fake_bytes;
	return dev == fake_rdev ? 0 : -ENOENT;
}

/* ---- network ---- */

int vd_net_up(uint32_t domid, uint32_t devid, const struct vd_spec *s, char *error)
{
	if (fake_net_error) {
		snprintf(error, VD_ERROR_MAX, "bridge=%s: no such bridge: create it", s->bridge);
		return fake_net_error;
	}
	put(fake_net_done, sizeof(fake_net_done), "up vx%u.%u;", domid, devid);
	return 0;
}

int vd_net_down(uint32_t domid, uint32_t devid)
{
	put(fake_net_done, sizeof(fake_net_done), "down vx%u.%u;", domid, devid);
	return 0;
}

void vd_net_sweep(bool (*keep)(void *arg, uint32_t domid, uint32_t devid), void *arg)
{
	if (!keep(arg, 99, 0))
		put(fake_net_done, sizeof(fake_net_done), "swept;");
}
