// SPDX-License-Identifier: GPL-2.0-or-later
#include "events.h"

#include <errno.h>
#include <string.h>

static const char token_console[] = "console";
static const char token_release[] = "release";
static const char token_introduce[] = "introduce";
static const char token_device[] = "device";

int events_watch(struct xs_handle *xs)
{
	if (!xs_watch(xs, EVENTS_CONSOLES, token_console) ||
	    !xs_watch(xs, EVENTS_RELEASE, token_release) ||
	    !xs_watch(xs, EVENTS_INTRODUCE, token_introduce) ||
	    !xs_watch(xs, EVENTS_DEVICES, token_device))
		return errno ? -errno : -EIO;
	return 0;
}

static void note_console(struct events *ev, const char *path)
{
	const char *rest;
	uint32_t domid;
	int ret = watches_domid(path, EVENTS_CONSOLES, &domid, &rest);

	if (!ret)
		ev->scan = true;
	else if (ret > 0)
		domid_set_add(&ev->marked, domid);
}

/* Of all that libxl writes down, network cards that come and go. */
static void note_device(struct events *ev, const char *path)
{
	const char *rest;
	uint32_t domid;

	if (watches_domid(path, EVENTS_DEVICES, &domid, &rest) > 0 &&
	    !strncmp(rest, "/device/vif", 11))
		domid_set_add(&ev->marked, domid);
}

static void note_state(struct events *ev, const char *path)
{
	const char *rest;
	uint32_t domid;

	if (watches_domid(path, "/local/domain", &domid, &rest) > 0)
		domid_set_add(&ev->marked, domid);
}

void events_note(struct events *ev, const char *path, const char *token)
{
	if (!strcmp(token, token_release))
		ev->sweep = true;
	else if (!strcmp(token, token_introduce))
		ev->born = true;
	else if (!strcmp(token, token_console))
		note_console(ev, path);
	else if (!strcmp(token, token_device))
		note_device(ev, path);
	else if (!strcmp(token, EVENTS_STATE))
		note_state(ev, path);
}

static void note(void *ev, const char *path, const char *token)
{
	events_note(ev, path, token);
}

int events_take(struct xs_handle *xs, struct events *ev)
{
	return watches_take(xs, note, ev);
}
