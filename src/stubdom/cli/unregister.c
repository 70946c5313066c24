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

static int purge(struct store *s, const char *xen, struct error **error)
{
	char **v;
	size_t n;
	int ret = store_versions(&v, &n), err;

	for (size_t i = 0; i < n; i++) {
		/* A prebuilt one is its package's. */
		err = (xen && strcmp(v[i], xen)) || store_is_prebuilt(v[i])
		      ? 0 : store_remove(s, v[i], error);
		ret = ret ? ret : err;
		free(v[i]);
	}
	free(v);
	return ret;
}

static int unregister(const struct args_xen *a, struct error **error)
{
	struct store s;
	struct links l;
	int ret = store_open(&s, NULL, error), err;

	if (ret)
		return ret;
	ret = links_load(&l, error);
	if (!ret)
		ret = links_remove(&l, a->xen, error);
	err = links_save(&l, error);
	ret = ret ? ret : err;
	links_free(&l);
	if (a->flag) {
		err = purge(&s, a->xen, error);
		ret = ret ? ret : err;
	}
	/* Removes the state directory when nothing is left in it. */
	store_close(&s);
	return ret;
}

int cmd_unregister(int argc, char **argv)
{
	struct error *error = NULL;
	struct args_xen a;
	int ret = args_xen(argc, argv, usage, "purge", &a);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	ret = unregister(&a, &error);
	error_log(LOG_ERR, error);
	error_free(&error);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
