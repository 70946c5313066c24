// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdom register: an image and the two names for each installed Xen. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "args.h"
#include "cli.h"
#include "image.h"
#include "interrupt.h"
#include "links.h"
#include "store.h"
#include "xendirs.h"

static const char usage[] =
"Usage: xen-stubdom register [--xen V | --all] [--force]\n"
"Build the image if an input changed, and give it the two names that xl looks\n"
"up in the firmware directory of each installed Xen.\n"
"\n"
"  --xen V    this Xen version only; fail when it is not installed\n"
"  --all      every installed Xen (default)\n"
"  --force    build the image even if nothing changed\n";

static bool first_of(const struct xen_dir *d, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (!strcmp(d[k].version, d[i].version))
			return false;
	return true;
}

static bool have_image(const char *xen)
{
	struct manifest m;
	bool have = !store_manifest(xen, &m);

	manifest_free(&m);
	return have;
}

/* The image of one version: built, found, or there is nothing to build it of. */
static int provide(const char *xen, const char *qemu_xen, const struct args_xen *a)
{
	struct image_opts o = { .xen = xen, .if_needed = true, .force = a->flag };

	if (qemu_xen && !strcmp(qemu_xen, xen))
		return image_build(&o);
	if (have_image(xen)) {
		/* Left by an upgrade: good until the host runs the new Xen. */
		log_notice(NULL, "image for Xen %s stays as it is: no device model "
			   "for that version is installed any more", xen);
		return 0;
	}
	if (!qemu_xen)
		return -ENOENT;		/* said already */
	log_msg(a->xen ? LOG_ERR : LOG_WARNING, NULL, "no image for Xen %s: the "
		"device model that is installed is for Xen %s: install the "
		"qemu-xen-extras of that version", xen, qemu_xen);
	return a->xen ? -ENOENT : 0;
}

static int make_links(const struct xen_dir *d, size_t n, const char *xen)
{
	const char **paths = xcalloc(n + 1, sizeof(*paths));
	struct store s;
	struct links l;
	int ret = store_open(&s, NULL), err;

	if (ret) {
		free(paths);
		return ret;
	}
	ret = links_load(&l);
	for (size_t i = 0; !ret && i < n; i++)
		paths[i] = d[i].path;
	if (!ret)
		ret = links_prune(&l, paths, n);
	for (size_t i = 0; i < n; i++) {
		if ((xen && strcmp(d[i].version, xen)) ||
		    !have_image(d[i].version))
			continue;
		err = links_make(&l, d[i].path, d[i].version);
		ret = ret ? ret : err;
	}
	err = links_save(&l);
	links_free(&l);
	store_close(&s);
	free(paths);
	return ret ? ret : err;
}

static int provide_all(const struct xen_dir *d, size_t n, const struct args_xen *a)
{
	char *qemu_xen = NULL, *version = NULL;
	bool any = false;
	int ret, err;

	ret = image_qemu_info(NULL, &qemu_xen, &version);
	for (size_t i = 0; i < n; i++) {
		if (!first_of(d, i) || (a->xen && strcmp(d[i].version, a->xen)))
			continue;
		any = true;
		err = provide(d[i].version, qemu_xen, a);
		ret = ret ? ret : err;
	}
	free(qemu_xen);
	free(version);
	if (any)
		return ret;
	if (!a->xen) {
		log_notice(NULL, "no Xen is installed here: nothing to register "
			   "(it is done when one is)");
		return 0;
	}
	log_err(NULL, "Xen %s is not installed (no hvmloader in /usr/lib/xen-%s/boot "
		"or another directory of Xen's): install its xen-utils", a->xen,
		a->xen);
	return -ENOENT;
}

int cmd_register(int argc, char **argv)
{
	struct args_xen a;
	struct xen_dir *d;
	size_t n;
	int ret = args_xen(argc, argv, usage, "force", "register: takes --all or "
			   "--xen with a version such as 4.20, and --force, "
			   "nothing else", &a), err;

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	interrupt_catch();
	xendirs_find(&d, &n);
	ret = provide_all(d, n, &a);
	/* Also after a failure: an older image may be there. */
	err = ret == -EINTR ? 0 : make_links(d, n, a.xen);
	xendirs_free(d, n);
	return ret || err ? EXIT_FAILURE : EXIT_SUCCESS;
}
