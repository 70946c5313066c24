// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdom unregister: take back what register made. */
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "cli.h"
#include "image/store.h"
#include "links.h"

static const char usage[] =
"usage: xen-stubdom unregister [--xen V | --all] [--purge]\n"
"Remove the names that 'register' made.  Running guests are not affected.\n"
"\n"
"  --xen V    of this Xen version only\n"
"  --all      of every Xen (default)\n"
"  --purge    remove the images too\n";

static int purge(struct store *s, const char *xen)
{
	char **v;
	size_t n;
	int ret = store_versions(&v, &n), err;

	for (size_t i = 0; i < n; i++) {
		/* A prebuilt one is its package's. */
		err = (xen && strcmp(v[i], xen)) || store_is_prebuilt(v[i])
		      ? 0 : store_remove(s, v[i]);
		if (err)
			log_err(NULL, "%s/%s: cannot be removed: %s", s->state,
				v[i], strerror(-err));
		ret = ret ? ret : err;
		free(v[i]);
	}
	free(v);
	return ret;
}

int cmd_unregister(int argc, char **argv)
{
	struct error *error = NULL;
	struct args_xen a;
	struct store s;
	struct links l;
	int ret = args_xen(argc, argv, usage, "purge", &a), err;

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	ret = store_open(&s, NULL, &error);
	if (ret) {
		error_log(LOG_ERR, error);
		error_free(&error);
		return EXIT_FAILURE;
	}
	ret = links_load(&l);
	if (!ret)
		ret = links_remove(&l, a.xen);
	err = links_save(&l);
	ret = ret ? ret : err;
	links_free(&l);
	if (a.flag) {
		err = purge(&s, a.xen);
		ret = ret ? ret : err;
	}
	/* Removes the state directory when nothing is left in it. */
	store_close(&s);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
