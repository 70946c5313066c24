// SPDX-License-Identifier: GPL-2.0-or-later
#include "capture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256file.h"
#include "cli.h"
#include "image/store.h"

static char kept[CAPTURE_MAX];
static int level;

static void keep(int lvl, const struct log_about *about, const char *line)
{
	(void)about;
	if (lvl <= LOG_WARNING && !*kept)
		snprintf(kept, sizeof(kept), "%s", line);
}

void capture_begin(void)
{
	kept[0] = '\0';
	level = log_set_level(LOG_WARNING);
	log_open(log_program(), keep, LOG_WARNING);
}

const char *capture_end(void)
{
	log_open(log_program(), log_sink_stderr, level);
	return kept;
}

/*
 * What is in a prebuilt image is installed here as well, perhaps, and has had an
 * update: the image has not.
 */
static enum image_fit prebuilt_fits(const struct manifest *m, char *why)
{
	enum image_fit fit = FIT_PREBUILT;
	size_t used = 0;

	for (size_t i = 0; i < m->n_input; i++) {
		const struct manifest_input *in = &m->input[i];
		char *host = host_path("%s", in->path);
		const char *name = in->owner ? in->owner : in->path;
		char sha[HEX_LEN + 1];

		if (!sha256_file(host, FILE_MAX_BYTES, sha, NULL) &&
		    strcmp(sha, in->sha)) {
			fit = FIT_PREBUILT_OLD;
			if (used < CAPTURE_MAX - 1 && !strstr(why, name))
				used += (size_t)snprintf(why + used, CAPTURE_MAX - used,
							 "%s%s", used ? ", " : "", name);
		}
		free(host);
	}
	return fit;
}

enum image_fit image_fits(const struct manifest *m, char *why)
{
	struct image_opts o = { .xen = m->xen, .debug = m->debug };
	char *xen = NULL, *version = NULL;
	enum image_fit fit;
	struct image img;

	why[0] = '\0';
	if (store_is_prebuilt(m->xen))
		return prebuilt_fits(m, why);
	capture_begin();
	if (!image_qemu_info(NULL, &xen, &version) && strcmp(xen, m->xen)) {
		capture_end();
		snprintf(why, CAPTURE_MAX, "%s", xen);
		fit = FIT_KEPT;
	} else {
		int ret = image_plan(&img, &o);

		snprintf(why, CAPTURE_MAX, "%s", capture_end());
		fit = ret ? FIT_UNKNOWN : !strcmp(img.m.key, m->key) ? FIT_CURRENT
								     : FIT_OUTDATED;
		image_free(&img);
	}
	free(xen);
	free(version);
	return fit;
}
