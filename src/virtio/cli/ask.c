// SPDX-License-Identifier: GPL-2.0-or-later
/* One command to the QEMU that serves a guest. */
#include <errno.h>
#include <string.h>

#include "qmp/session.h"
#include "vcli.h"

struct ask {
	sd_event *ev;
	struct qmp *q;
	const char *command;
	struct json_object *args, *answer;
	char *error;
};

static void end(struct ask *a, const char *error)
{
	log_clean(a->error, VD_ERROR_MAX, error, strlen(error));
	sd_event_exit(a->ev, 0);
}

static void on_ready(void *arg)
{
	struct ask *a = arg;

	if (qmp_command(a->q, a->command, json_object_get(a->args), -1))
		end(a, "the command cannot be sent");
}

static void on_reply(void *arg, struct json_object *ret, const char *error)
{
	struct ask *a = arg;

	a->answer = json_object_get(ret);
	end(a, error ? error : "");
}

static void on_event(void *arg, const char *name, struct json_object *data)
{
	(void)arg;
	(void)name;
	(void)data;
}

static void on_lost(void *arg, const char *why)
{
	end(arg, why);
}

struct json_object *qemu_ask(uint32_t domid, const char *command, struct json_object *args,
			     char error[VD_ERROR_MAX])
{
	static const struct qmp_ops ops = { on_ready, on_reply, on_event, on_lost };
	struct ask a = { .command = command, .args = args, .error = error };
	char path[64];

	*error = '\0';
	snprintf(path, sizeof(path), VD_RUN_QMP, domid);
	if (sd_event_new(&a.ev) < 0) {
		json_object_put(args);
		snprintf(error, VD_ERROR_MAX, "out of memory");
		return NULL;
	}
	a.q = qmp_open(a.ev, path, &ops, &a);
	if (a.q)
		sd_event_loop(a.ev);
	else
		snprintf(error, VD_ERROR_MAX, "%s: %s: see 'xen-virtio check'", path, strerror(errno));
	qmp_close(a.q);
	sd_event_unref(a.ev);
	json_object_put(args);
	if (*error) {
		json_object_put(a.answer);
		a.answer = NULL;
	}
	return a.answer;
}
