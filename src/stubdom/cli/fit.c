// SPDX-License-Identifier: GPL-2.0-or-later
#include "fit.h"

#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "cli.h"
#include "image/store.h"

static void add_name(char **list, const char *name)
{
	char *old = *list;

	if (old && strstr(old, name))
		return;
	*list = xasprintf("%s%s%s", old ? old : "", old ? ", " : "", name);
	free(old);
}

/*
 * What is in a prebuilt image is installed here as well, perhaps, and has had an
 * update: the image has not.
 */
static enum image_fit prebuilt_fits(const struct manifest *m, char **differ)
{
	for (size_t i = 0; i < m->n_input; i++) {
		const struct manifest_input *in = &m->input[i];
		char *host = host_path("%s", in->path);
		char sha[SHA256_HEX_LEN + 1];

		if (!sha256_file(host, FILE_MAX_BYTES, sha, NULL) &&
		    strcmp(sha, in->sha))
			add_name(differ, in->owner ? in->owner : in->path);
		free(host);
	}
	return *differ ? FIT_PREBUILT_OLD : FIT_PREBUILT;
}

enum image_fit image_fits(const struct manifest *m, char **detail, struct error **err)
{
	struct image_opts o = { .xen = m->xen, .debug = m->debug };
	char *xen = NULL, *version = NULL;
	enum image_fit fit = FIT_UNKNOWN;
	struct image img;

	*detail = NULL;
	if (store_is_prebuilt(m->xen))
		return prebuilt_fits(m, detail);
	if (!image_qemu_info(NULL, &xen, &version, err)) {
		if (strcmp(xen, m->xen)) {
			*detail = xstrdup(xen);
			fit = FIT_KEPT;
		} else {
			if (!image_plan(&img, &o, err))
				fit = strcmp(img.m.key, m->key) ? FIT_OUTDATED : FIT_CURRENT;
			image_free(&img);
		}
	}
	free(xen);
	free(version);
	return fit;
}
