// SPDX-License-Identifier: GPL-2.0-or-later
#include "events.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen/domain.h"
#include "xen/xs_util.h"

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

static void note_below(struct vd_events *ev, const char *rest)
{
	char digits[8];
	uint64_t domid;
	size_t n;

	/* The directory itself: xenstored says so once for a new watch. */
	if (!*rest) {
		ev->scan = true;
		return;
	}
	n = strcspn(rest + 1, "/");
	if (*rest != '/' || n >= sizeof(digits))
		return;
	memcpy(digits, rest + 1, n);
	digits[n] = '\0';
	if (!xsh_parse_uint(digits, DOMID_LIMIT - 1, &domid))
		ev->mark[domid / 64] |= UINT64_C(1) << (domid % 64);
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
		size_t n;

		dir_of(dir, sizeof(dir), own, (enum vd_kind)k);
		n = strlen(dir);
		if (!strncmp(path, dir, n) && (!path[n] || path[n] == '/'))
			note_below(ev, path + n);
	}
}

int vd_events_take(const struct vd_store *st, struct vd_events *ev)
{
	for (int i = 0; i < VD_EVENTS_ROUND; i++) {
		char **v = xs_check_watch(st->xs);

		if (!v)
			return errno == EAGAIN ? 0 : errno ? -errno : -EIO;
		vd_events_note(ev, st->own, v[XS_WATCH_PATH], v[XS_WATCH_TOKEN]);
		free(v);
	}
	return 0;
}

int vd_events_next(struct vd_events *ev, uint32_t from)
{
	for (uint32_t d = from; d < DOMID_LIMIT; d++) {
		uint64_t word = ev->mark[d / 64] >> (d % 64);

		if (!word) {
			d |= 63;
			continue;
		}
		d += (uint32_t)__builtin_ctzll(word);
		ev->mark[d / 64] &= ~(UINT64_C(1) << (d % 64));
		return (int)d;
	}
	return -1;
}
