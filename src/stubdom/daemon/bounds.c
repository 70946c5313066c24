// SPDX-License-Identifier: GPL-2.0-or-later
#include "bounds.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "root.h"
#include "savefile.h"
#include "xen/xs_util.h"

#define XEN_LOGS "/var/log/xen/"

/* A line about each in an hour. */
#define LINE_MS 3600000
enum { LOG, QEMU_LOG, SAVE, RESUME };

bool bounds_cut_log(uint64_t max, uint64_t size, uint64_t used, uint64_t *from, uint64_t *to)
{
	*from = max / 8;
	*to = size > max / 2 ? size - max / 2 : 0;
	return used > max && *from < *to;
}

const char *bounds_log_name(const char *output)
{
	static const char logs[] = "file:" XEN_LOGS;

	if (strncmp(output, logs, sizeof(logs) - 1))
		return NULL;
	output += sizeof(logs) - 1;
	return *output && *output != '.' && !strchr(output, '/') && strlen(output) <= NAME_MAX ? output : NULL;
}

static void report(const struct host *h, struct stub *s, int which, const char *path, int err)
{
	if (err == -ENOENT || !limit_take(&s->cuts[which], h->now, LINE_MS, 1))
		return;
	if (err)
		stub_say(h, s, LOG_ERR, "stubdomain %u makes %s longer than it may be, and it cannot be cut: %s",
			 s->id.stub, path, strerror(-err));
	else
		stub_say(h, s, LOG_WARNING, "stubdomain %u makes %s longer than it may be: what is too much was dropped",
			 s->id.stub, path);
}

static void bound_log(const struct host *h, struct stub *s, int which, const char *path)
{
	uint64_t from, to;
	struct stat st;

	if (lstat(path, &st) || !S_ISREG(st.st_mode) ||
	    !bounds_cut_log(h->log_limit, (uint64_t)st.st_size, (uint64_t)st.st_blocks * 512, &from, &to))
		return;
	report(h, s, which, path, savefile_hole(path, from, to));
}

/* libxl wrote it before the stubdomain ran, who may not change it. */
static void find_log(const struct host *h, struct stub *s)
{
	const char *name;
	char *output;

	if (xsu_read(h->xs, XBT_NULL, &output, NULL, "/local/domain/%u/console/output", s->id.stub))
		return;
	name = bounds_log_name(output);
	s->log = name ? strdup(name) : NULL;
	free(output);
}

static void bound_logs(const struct host *h, struct stub *s)
{
	char path[512];
	size_t n;

	if (!s->log)
		find_log(h, s);
	if (!s->log)
		return;
	snprintf(path, sizeof(path), "%s" XEN_LOGS "%s", host_root, s->log);
	bound_log(h, s, LOG, path);
	/* QEMU's own words: named by libxl after GUEST-dm. */
	n = strlen(s->log);
	if (n < 4 || strcmp(s->log + n - 4, ".log"))
		return;
	snprintf(path, sizeof(path), "%s" XEN_LOGS "%.*s-dm.log", host_root, (int)n - 4, s->log);
	bound_log(h, s, QEMU_LOG, path);
}

void bounds_look(const struct host *h, struct stub *s)
{
	char path[512];
	int ret;

	bound_logs(h, s);
	ret = savefile_bound(s->id.guest, path, sizeof(path));
	if (ret)
		report(h, s, SAVE, path, ret < 0 ? ret : 0);
	ret = savefile_bound_incoming(s->id.guest, h->state_limit, path, sizeof(path));
	if (ret)
		report(h, s, RESUME, path, ret < 0 ? ret : 0);
}
