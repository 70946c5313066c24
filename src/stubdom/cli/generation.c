// SPDX-License-Identifier: GPL-2.0-or-later
/* An image that is built: into the state directory, or to --output. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "assemble.h"
#include "cli.h"
#include "image/store.h"
#include "origin.h"

static void say_done(const struct image *img, const char *where)
{
	log_notice(NULL, "image for Xen %s is ready: QEMU %s, Linux %s, ramdisk %.1f MiB, in %s", img->m.xen, img->m.qemu,
		   img->m.kernel_version,
		   (double)img->m.rootfs.size / (1 << 20), where);
}

/* --output: for developers, and the basis of a prebuilt image. */
static int build_to(struct image *img, const struct image_opts *o, struct error **err)
{
	static const char *const files[] = { "kernel", "rootfs", "manifest" };
	char *tmp = xasprintf("%s/.new-XXXXXX", o->output);
	int ret = host_mkdirs(o->output);

	if (!ret && !mkdtemp(tmp))
		ret = -errno;
	if (ret) {
		free(tmp);
		return error_add(err, ret, NULL, "%s: cannot be written: %s", o->output, strerror(-ret));
	}
	ret = assemble(img, o, tmp, err);
	for (size_t i = 0; !ret && i < 3; i++) {
		char *from = xasprintf("%s/%s", tmp, files[i]);
		char *to = xasprintf("%s/%s", o->output, files[i]);

		if (rename(from, to))
			ret = error_add(err, -errno, NULL, "%s: cannot be written: %s", to, strerror(errno));
		free(from);
		free(to);
	}
	host_rmtree(tmp);
	free(tmp);
	if (!ret)
		say_done(img, o->output);
	return ret;
}

/*
 * The image is as it would be built now.  A package may have got another
 * version with the same bytes, though: then only the manifest is new.
 */
static bool up_to_date(struct store *s, struct image *img)
{
	struct manifest old;
	bool same = !store_manifest(img->m.xen, &old, NULL) &&
		    !strcmp(old.key, img->m.key) &&
		    !store_verify(img->m.xen, &old);

	if (same) {
		origin_find(&img->m);
		img->m.kernel = old.kernel;
		img->m.rootfs = old.rootfs;
		if (!origin_same(&img->m, &old) &&
		    !store_replace_manifest(s, &img->m, NULL))
			log_info(NULL, "image for Xen %s: packages changed, the bytes in it did not", img->m.xen);
	}
	manifest_free(&old);
	return same;
}

static int build_generation(struct image *img, const struct image_opts *o, struct error **err)
{
	struct store s;
	char *tmp;
	int ret = store_open(&s, img->m.xen, err);

	if (ret)
		return ret;
	/* Under the lock: another build may just have done it. */
	if (o->if_needed && !o->force && up_to_date(&s, img)) {
		log_notice(NULL, "image for Xen %s is up to date", img->m.xen);
		store_close(&s);
		return 0;
	}
	ret = store_new(&s, &tmp, err);
	if (!ret) {
		ret = assemble(img, o, tmp, err);
		if (!ret)
			ret = store_commit(&s, tmp, img->m.key, err);
		if (ret)
			host_rmtree(tmp);
		else
			say_done(img, s.dir);
		free(tmp);
	}
	store_close(&s);
	return ret;
}

int image_build(const struct image_opts *o, struct error **err)
{
	struct image img;
	int ret = image_plan(&img, o, err);

	if (!ret)
		ret = o->output ? build_to(&img, o, err) : build_generation(&img, o, err);
	if (ret == -EINTR)
		error_add(err, ret, NULL, o->output ? "interrupted: nothing was written"
						    : "interrupted: the old image stays");
	else if (ret && !o->output)
		error_add(err, ret, NULL, "no new image was made; one that is there stays");
	image_free(&img);
	return ret;
}
