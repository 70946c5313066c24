// SPDX-License-Identifier: GPL-2.0-or-later
#include "events.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xen/domain.h"
#include "xen/xs_util.h"

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

static void mark(struct events *ev, uint32_t domid)
{
	uint64_t bit = UINT64_C(1) << (domid % 64);

	if (!(ev->mark[domid / 64] & bit))
		ev->marked++;
	ev->mark[domid / 64] |= bit;
}

/* @path is "DIRECTORY/DOMID" and more; *@rest is what follows. */
static bool path_domid(const char *path, size_t dir_len, uint64_t *domid,
		       const char **rest)
{
	char digits[8];
	size_t n;

	if (path[dir_len] != '/')
		return false;
	n = strcspn(path + dir_len + 1, "/");
	if (n >= sizeof(digits))
		return false;
	memcpy(digits, path + dir_len + 1, n);
	digits[n] = '\0';
	*rest = path + dir_len + 1 + n;
	return !xsh_parse_uint(digits, DOMID_LIMIT - 1, domid);
}

static void note_console(struct events *ev, const char *path)
{
	size_t len = sizeof(EVENTS_CONSOLES) - 1;
	const char *rest;
	uint64_t domid;

	if (strncmp(path, EVENTS_CONSOLES, len))
		return;
	/* The directory itself: xenstored says so once for a new watch. */
	if (!path[len])
		ev->scan = true;
	else if (path_domid(path, len, &domid, &rest))
		mark(ev, domid);
}

/* Of all that libxl writes down, network cards that come and go. */
static void note_device(struct events *ev, const char *path)
{
	size_t len = sizeof(EVENTS_DEVICES) - 1;
	const char *rest;
	uint64_t domid;

	if (!strncmp(path, EVENTS_DEVICES, len) &&
	    path_domid(path, len, &domid, &rest) &&
	    !strncmp(rest, "/device/vif", 11))
		mark(ev, domid);
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
}

int events_take(struct xs_handle *xs, struct events *ev)
{
	for (int i = 0; i < EVENTS_ROUND; i++) {
		char **v = xs_check_watch(xs);

		if (!v)
			return errno == EAGAIN ? 0 : errno ? -errno : -EIO;
		events_note(ev, v[XS_WATCH_PATH], v[XS_WATCH_TOKEN]);
		free(v);
	}
	return 0;
}

int events_next(struct events *ev, uint32_t from)
{
	for (uint32_t d = from; d < DOMID_LIMIT && ev->marked; d++) {
		uint64_t word = ev->mark[d / 64] >> (d % 64);

		if (!word) {
			d |= 63;
			continue;
		}
		d += __builtin_ctzll(word);
		ev->mark[d / 64] &= ~(UINT64_C(1) << (d % 64));
		ev->marked--;
		return d;
	}
	return -1;
}
