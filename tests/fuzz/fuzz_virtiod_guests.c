// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/daemon/guests.c src/virtio/daemon/guest.c src/virtio/daemon/look.c src/virtio/daemon/device.c src/virtio/daemon/guest_unit.c src/virtio/daemon/session.c src/virtio/daemon/hotplug.c src/virtio/daemon/growth.c src/virtio/daemon/access.c src/virtio/daemon/disk_errors.c src/virtio/daemon/remains.c src/virtio/daemon/decide.c src/lib/virtio/nodes.c src/lib/virtio/spec.c src/lib/virtio/ids.c src/virtio/daemon/sectors.c src/virtio/daemon/steps.c src/virtio/daemon/opened.c src/lib/net/tap.c src/lib/net/rtnl.c src/virtio/daemon/option.c src/virtio/daemon/job.c src/virtio/daemon/rules.c src/lib/base/file.c src/lib/virtio/size.c src/virtio/daemon/ioerror.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c tests/unit/fake_backends.c src/lib/xen/domain.c */
/* test-pkgs: json-c libsystemd libmnl */
/*
 * What a QEMU that its guest has taken over answers to the daemon: which devices it has
 * (learn_plugged), what became of a command, which event has come.  A line of the input is
 * one of them; whatever they are, each command waits for one answer, and the other guest
 * has what it had.
 */
#include <json-c/json.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "fake_backends.h"
#include "fake_xenstore.h"
#include "virtio/daemon/guests.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define LINES_MAX 200

static uint64_t now;
static struct guests *gs;

static uint64_t fake_now(void)
{
	return now;
}

static void must(bool is)
{
	if (!is)
		abort();
}

static void sink(int level, const struct log_about *about, const char *line)
{
	(void)level;
	(void)about;
	must(strlen(line) < 1024);
	for (; *line; line++)
		must(*line >= 0x20 && *line < 0x7f);
}

static void after_event(void)
{
	guests_tick(gs);
}

static void device(unsigned int domid, unsigned int devid, const char *type, const char *state)
{
	fake_xs_setf("1", "/local/domain/0/backend/virtio/%u/%u/online", domid, devid);
	fake_xs_setf(type, "/local/domain/0/backend/virtio/%u/%u/type", domid, devid);
	fake_xs_setf(state, "/local/domain/0/backend/virtio/%u/%u/state", domid, devid);
}

static void guest(unsigned int domid, const char *name)
{
	fake_xs_setf(name, "/local/domain/%u/name", domid);
	fake_xs_introduce(domid, true);
	fake_unit_set(domid, VD_UNIT_RUNNING);
}

static void say_event(char *line)
{
	char *data = strchr(line, ' ');
	struct json_object *o = data ? json_tokener_parse(data) : NULL;

	if (o && fake_events_open()) {
		*data++ = '\0';
		fake_events_say(line, data);
	}
	json_object_put(o);
}

/* As client.c passes it on: an error is printable. */
static void say_reply(const char *line)
{
	struct json_object *o = *line == 'r' ? json_tokener_parse(line + 1) : NULL;
	char error[256] = "!";

	log_clean(error + 1, sizeof(error) - 1, line, strlen(line));
	fake_qmp_reply(o ? line + 1 : error);
	json_object_put(o);
}

static void one(char *line)
{
	if (fake_qmp_open() && !fake_qmp_greeted())
		fake_qmp_ready();
	switch (*line) {
	case 'r': case '!':
		if (fake_qmp_asked())
			say_reply(line);
		break;
	case 'd':
		if (fake_qmp_open())
			fake_qmp_deleted(line + 1);
		break;
	case 'e':
		say_event(line + 1);
		break;
	case 'l':
		if (fake_qmp_open())
			fake_qmp_lost();
		break;
	case 'g':
		fake_xs_rm("/local/domain/0/backend/virtio/3/1");
		guests_visit(gs, 3);
		break;
	default:
		now += 1000;
		guests_visit(gs, 3);
	}
	guests_tick(gs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *p = text, *line;
	unsigned int n, devices, bad;
	struct vd_store st;
	struct guests_env env = { .st = &st, .now = fake_now };

	memcpy(text, data, size);
	text[size] = '\0';
	log_open("fuzz", sink, LOG_DEBUG);
	fake_xs_reset();
	fake_backends_reset();
	now = 1000000;
	must(!vd_store_init(&st, xs_open(0)));
	env.units = units_open(NULL, NULL, NULL);
	gs = guests_new(&env);
	fake_event_done = after_event;
	guest(3, "web1");
	device(3, 0, "virtio,device4", "4");
	device(3, 1, "virtio,device1;bridge=b;mac=00:16:3e:00:00:01", "4");
	device(3, 2, "virtio,device3", "1");
	must(!guests_scan(gs));
	for (n = 0; n < LINES_MAX && (line = strsep(&p, "\n")); n++)
		one(line);
	guests_count(gs, &n, &devices, &bad);
	must(n <= 1 && devices <= 1024);
	/* Nothing is decided about the domain, or its unit, but to stop it. */
	must(!strstr(fake_units_asked, "start 4") && !strstr(fake_units_asked, "stop 4"));
	must(!fake_xs_open_transactions());
	guests_free(gs);
	free(text);
	return 0;
}
