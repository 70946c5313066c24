// SPDX-License-Identifier: GPL-2.0-or-later
#include "limits.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/host.h"
#include "cli/process.h"
#include "msg.h"
#include "xen/xs_util.h"

/* struct grant_mapping of Xen has 16 bytes; gnttab_max_maptrack_frames' default. */
#define ENTRIES_PER_FRAME 256
#define FRAMES_DEFAULT 1024
/* What a disk with aio=native takes, of the kernel's default of 65536. */
#define AIO_EACH 1024

static uint32_t node(const struct vd_store *st, uint32_t domid, struct vd_id id, const char *name)
{
	uint64_t v;

	if (xsu_read_uint(st->xs, XBT_NULL, &v, VX_POOL_MAX_PAGES, "/local/domain/%u/backend/%s/%u/%u/%s",
			  st->own, vd_kind_name(id.kind), domid, id.devid, name))
		return 0;
	return (uint32_t)v;
}

void pools_add(struct pools *p, const struct vd_store *st, uint32_t domid, const struct vd_node *list, unsigned int n)
{
	unsigned int before = p->devices;

	for (unsigned int i = 0; i < n; i++) {
		uint32_t pages = node(st, domid, list[i].id, VX_NODE_POOL_PAGES);

		p->most += vx_pool_base(node(st, domid, list[i].id, VX_NODE_POOL_HINT_PAGES));
		if (list[i].state != XenbusStateConnected || !pages)
			continue;
		p->devices++;
		p->pages += pages;
	}
	if (n)
		p->most += VX_POOL_EXTRA;
	p->guests += p->devices > before;
}

uint64_t maptrack_frames(const char *text)
{
	static const char key[] = "gnttab_max_maptrack_frames=";
	uint64_t frames = FRAMES_DEFAULT;

	/* The last one counts. */
	for (const char *at = text; (at = strstr(at, key)); at++)
		if (at == text || at[-1] == ' ')
			frames = strtoull(at + strlen(key), NULL, 0);
	return frames ? frames : FRAMES_DEFAULT;
}

void check_maptrack(struct findings *fs, const struct pools *p, uint32_t own, uint64_t frames, unsigned int each)
{
	uint64_t used = p->pages * each, most = p->most * each, all = frames * ENTRIES_PER_FRAME;
	uint64_t more = 2 * frames;
	char fix[128];

	while (more * ENTRIES_PER_FRAME < 2 * used)
		more *= 2;
	if (own)
		snprintf(fix, sizeof(fix), "give this domain max_maptrack_frames=%" PRIu64 " in its configuration", more);
	else
		snprintf(fix, sizeof(fix), "boot Xen with gnttab_max_maptrack_frames=%" PRIu64, more);
	if (used > all / 4 * 3)
		found(fs, BROKEN, "maptrack", fix, "pools of %u devices use %" PRIu64 " of %" PRIu64 " maptrack entries, which other backends need too",
		      p->devices, used, all);
	else if (most > all)
		found(fs, ADVICE, "maptrack", fix, "pools of %u devices use %" PRIu64 " of %" PRIu64 " maptrack entries; if all guests take what they may have, it is %" PRIu64,
		      p->devices, used, all, most);
	else
		found(fs, FINE, "maptrack", NULL, "pools of %u device%s of %u guest%s use %" PRIu64 " of %" PRIu64 " maptrack entries",
		      p->devices, p->devices == 1 ? "" : "s", p->guests, p->guests == 1 ? "" : "s", used, all);
}

void check_aio(struct findings *fs, uint64_t used, uint64_t max)
{
	if (max - used < 8 * AIO_EACH || used > max)
		found(fs, BROKEN, "aio", "run 'sysctl -w fs.aio-max-nr=1048576', which xen-virtio-utils sets at boot",
		      "%" PRIu64 " of %" PRIu64 " AIO requests are taken: a disk with aio=native takes %u", used, max, AIO_EACH);
	else
		found(fs, FINE, "aio", NULL, "%" PRIu64 " of %" PRIu64 " AIO requests are taken", used, max);
}

/* ---- this host ---- */

static bool read_number(const char *path, uint64_t *n)
{
	char *text;
	size_t len;
	bool is;

	if (host_slurp(path, 64, &text, &len))
		return false;
	text[strcspn(text, "\n")] = '\0';
	is = !xsu_parse_uint(text, INT64_MAX, n);
	free(text);
	return is;
}

/* Linux maps a grant twice when it is a PV domain: for the process, and for itself. */
static unsigned int entries_per_page(void)
{
	unsigned int each = 2;
	char *text;
	size_t len;

	if (host_slurp("/sys/hypervisor/guest_type", 64, &text, &len))
		return each;
	if (strncmp(text, "PV\n", 3))
		each = 1;
	free(text);
	return each;
}

void check_limits(struct findings *fs, const struct vd_store *st, const struct pools *p)
{
	static const char *const ask[] = { "xl", "info", "xen_commandline", NULL };
	uint64_t used, max;
	char *text = NULL;

	/* A driver domain has no xl: its table is as large as by default, unless its configuration says so. */
	if (st->own || command_run(ask, 65536, &text))
		text = NULL;
	check_maptrack(fs, p, st->own, maptrack_frames(text ? text : ""), entries_per_page());
	free(text);
	if (read_number("/proc/sys/fs/aio-nr", &used) && read_number("/proc/sys/fs/aio-max-nr", &max))
		check_aio(fs, used, max);
}
