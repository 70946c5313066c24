// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture.h"

#include <stdio.h>
#include <string.h>

#include "cli.h"

static char kept[CAPTURE_MAX];
static int level = LOG_INFO;

void capture_set_level(int normal)
{
	level = normal;
	log_set_level(normal);
}

static void keep(int lvl, const struct log_about *about, const char *line)
{
	(void)about;
	if (lvl <= LOG_WARNING && !*kept)
		snprintf(kept, sizeof(kept), "%s", line);
}

void capture_begin(void)
{
	kept[0] = '\0';
	log_open(log_program(), keep, LOG_WARNING);
}

const char *capture_end(void)
{
	log_open(log_program(), log_sink_stderr, level);
	return kept;
}

int image_is_current(const struct manifest *m, char *why)
{
	struct image_opts o = { .xen = m->xen, .debug = m->debug };
	struct image img;
	int ret;

	capture_begin();
	ret = image_plan(&img, &o);
	snprintf(why, CAPTURE_MAX, "%s", capture_end());
	if (!ret)
		ret = !strcmp(img.m.key, m->key);
	image_free(&img);
	return ret;
}
