// SPDX-License-Identifier: GPL-2.0-or-later
#include "events.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char token_release[] = "release";
static const char token_dev[] = "dev";

static void dir_of(char *buf, size_t size, uint32_t own, enum vd_kind kind)
{
	snprintf(buf, size, "/local/domain/%u/backend/%s", own, vd_kind_name(kind));
}

int vd_events_watch(const struct vd_store *st)
{
	char path[64];

	for (int k = 0; k < VD_KINDS; k++) {
		dir_of(path, sizeof(path), st->own, (enum vd_kind)k);
		if (!xs_watch(st->xs, path, token_dev))
			return errno ? -errno : -EIO;
	}
	/* A driver domain may not be allowed to: it sees the nodes go. */
	if (!xs_watch(st->xs, "@releaseDomain", token_release) && errno != EACCES)
		return errno ? -errno : -EIO;
	return 0;
}

void vd_events_note(struct vd_events *ev, uint32_t own, const char *path, const char *token)
{
	char dir[64];

	if (!strcmp(token, token_release)) {
		ev->release = true;
		return;
	}
	if (strcmp(token, token_dev))
		return;
	for (int k = 0; k < VD_KINDS; k++) {
		const char *rest;
		uint32_t domid;
		int ret;

		dir_of(dir, sizeof(dir), own, (enum vd_kind)k);
		ret = watches_domid(path, dir, &domid, &rest);
		if (!ret)
			ev->scan = true;
		else if (ret > 0)
			domid_set_add(&ev->marked, domid);
	}
}

struct round {
	struct vd_events *ev;
	uint32_t own;
};

static void note(void *arg, const char *path, const char *token)
{
	const struct round *r = arg;

	vd_events_note(r->ev, r->own, path, token);
}

int vd_events_take(const struct vd_store *st, struct vd_events *ev)
{
	struct round r = { ev, st->own };

	return watches_take(st->xs, note, &r);
}
