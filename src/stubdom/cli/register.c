// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdom register: an image and the two names for each installed Xen. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "args.h"
#include "cli.h"
#include "cli/interrupt.h"
#include "image.h"
#include "image/store.h"
#include "links.h"
#include "xendirs.h"

static const char usage[] =
"usage: xen-stubdom register [--xen V | --all] [--force]\n"
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
	bool have = !store_manifest(xen, &m, NULL);

	manifest_free(&m);
	return have;
}

/* The image of one version: built, found, or there is nothing to build it of. */
static int provide(const char *xen, const char *qemu_xen, const struct args_xen *a,
		   struct error **err)
{
	struct image_opts o = { .xen = xen, .if_needed = true, .force = a->flag };
	struct error *warning = NULL;

	if (store_is_prebuilt(xen)) {
		log_notice(NULL, "image for Xen %s is that of the package xen-stubdom-linux-prebuilt-%s: nothing is built here",
			   xen, xen);
		return 0;
	}
	if (qemu_xen && !strcmp(qemu_xen, xen))
		return image_build(&o, err);
	if (have_image(xen)) {
		/* Left by an upgrade: good until the host runs the new Xen. */
		log_notice(NULL, "image for Xen %s stays as it is: no device model for that version is installed any more", xen);
		return 0;
	}
	if (!qemu_xen)
		return -ENOENT;		/* provide_all() has the error */
	error_add(a->xen ? err : &warning, -ENOENT, "install the qemu-xen-extras of that version",
		  "no image for Xen %s: the device model that is installed is for Xen %s",
		  xen, qemu_xen);
	error_log(LOG_WARNING, warning);
	error_free(&warning);
	return a->xen ? -ENOENT : 0;
}

static int make_links(const struct xen_dir *d, size_t n, const char *xen, struct error **error)
{
	const char **paths = xcalloc(n + 1, sizeof(*paths));
	struct store s;
	struct links l;
	int ret = store_open(&s, NULL, error), err;

	if (ret) {
		free(paths);
		return ret;
	}
	ret = links_load(&l, error);
	for (size_t i = 0; !ret && i < n; i++)
		paths[i] = d[i].path;
	if (!ret)
		ret = links_prune(&l, paths, n, error);
	for (size_t i = 0; i < n; i++) {
		if ((xen && strcmp(d[i].version, xen)) ||
		    !have_image(d[i].version))
			continue;
		err = links_make(&l, d[i].path, d[i].version, error);
		ret = ret ? ret : err;
	}
	err = links_save(&l, error);
	links_free(&l);
	store_close(&s);
	free(paths);
	return ret ? ret : err;
}

static int provide_all(const struct xen_dir *d, size_t n, const struct args_xen *a,
		       struct error **error)
{
	char *qemu_xen = NULL, *version = NULL;
	bool any = false, asked = false;
	int ret = 0, err;

	for (size_t i = 0; i < n; i++) {
		if (!first_of(d, i) || (a->xen && strcmp(d[i].version, a->xen)))
			continue;
		any = true;
		/* Not where all images are prebuilt: there need not be one. */
		if (!asked && !store_is_prebuilt(d[i].version)) {
			asked = true;
			ret = image_qemu_info(NULL, &qemu_xen, &version, error);
		}
		err = provide(d[i].version, qemu_xen, a, error);
		ret = ret ? ret : err;
	}
	free(qemu_xen);
	free(version);
	if (any)
		return ret;
	if (!a->xen) {
		log_notice(NULL, "no Xen is installed here: nothing to register (it is done when one is)");
		return 0;
	}
	return error_add(error, -ENOENT, "install its xen-utils", "Xen %s is not installed (no hvmloader in /usr/lib/xen-%s/boot or another directory of Xen's)",
			 a->xen, a->xen);
}

/* Somebody's names lead to it, of a package for example. */
static bool has_names(const char *xen)
{
	char *path = host_path("/usr/lib/xen-%s/boot/" STUBDOM_LINK_ROOTFS, xen);
	struct stat st;
	bool has = !lstat(path, &st);

	free(path);
	return has;
}

static bool built_here(const char *xen)
{
	char *path = host_path(STUBDOM_STATE_DIR "/%s", xen);
	bool is = !access(path, F_OK);

	free(path);
	return is;
}

/* Is the image of @xen, built here, of a Xen that runs or is installed? */
static bool wanted(const char *xen, const struct xen_dir *d, size_t n, const char *running,
		   const char *qemu_xen)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(xen, d[i].version))
			return true;
	return has_names(xen) || (running && !strcmp(xen, running)) ||
	       (qemu_xen && !strcmp(xen, qemu_xen));
}

/*
 * An upgrade of the release leaves the image of the Xen that still runs.  It
 * goes when that Xen is neither installed nor running any more; so does one in
 * whose place a package has brought another.
 */
static int drop_old_images(const struct xen_dir *d, size_t n, struct error **error)
{
	char *running, *qemu_xen, *version, **v;
	struct store s;
	size_t n_v;
	int ret = n ? store_open(&s, NULL, error) : 0, err;

	if (ret || !n)
		return ret;
	running = xen_running();
	image_qemu_info(NULL, &qemu_xen, &version, NULL);
	ret = store_versions(&v, &n_v);
	for (size_t i = 0; i < n_v; i++) {
		bool prebuilt = store_is_prebuilt(v[i]);
		bool drop = built_here(v[i]) &&
			    (prebuilt || !wanted(v[i], d, n, running, qemu_xen));

		err = drop ? store_remove(&s, v[i], error) : 0;
		ret = ret ? ret : err;
		if (drop && !err)
			log_notice(NULL, "image for Xen %s removed: %s", v[i], prebuilt
				   ? "a package has brought one"
				   : "that Xen neither runs nor is installed any more");
		free(v[i]);
	}
	free(v);
	free(qemu_xen);
	free(version);
	free(running);
	store_close(&s);
	return ret;
}

static void say(struct error **error)
{
	error_log(LOG_ERR, *error);
	error_free(error);
}

int cmd_register(int argc, char **argv)
{
	struct error *error = NULL;
	struct args_xen a;
	struct xen_dir *d;
	size_t n;
	int ret = args_xen(argc, argv, usage, "force", &a), err;

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	interrupt_catch();
	xendirs_find(&d, &n);
	ret = provide_all(d, n, &a, &error);
	say(&error);
	/* Also after a failure: an older image may be there. */
	err = ret == -EINTR ? 0 : make_links(d, n, a.xen, &error);
	if (!a.xen && ret != -EINTR && !err)
		err = drop_old_images(d, n, &error);
	say(&error);
	xendirs_free(d, n);
	return ret || err ? EXIT_FAILURE : EXIT_SUCCESS;
}
