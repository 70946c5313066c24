// SPDX-License-Identifier: GPL-2.0-or-later
#include "assemble.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/sha256.h"
#include "cli.h"
#include "cli/interrupt.h"
#include "dracut.h"
#include "image/store.h"
#include "origin.h"
#include "repack.h"

#define ZSTD_LEVEL 19

/* The content of a part as it is now: it may have been replaced meanwhile. */
static int check_content(const struct part *part, const struct repack_entry *e,
			 struct error **err)
{
	char sha[SHA256_HEX_LEN + 1];
	int ret = sha256_buf(e->data, e->size, sha);

	if (ret)
		return error_add(err, ret, NULL, "%s: cannot be hashed: %s", part->dst, strerror(-ret));
	if (!strcmp(sha, part->sha))
		return 0;
	return error_add(err, -EAGAIN, "run it again", "%s changed while the image was built",
			 part->src ? part->src : part->dst);
}

static int keep_parts(struct repack *r, const struct plan *p, struct error **err)
{
	int ret = 0;

	for (const char *const *d = plan_dirs; !ret && *d; d++) {
		ret = repack_keep_dir(r, *d, strcmp(*d, "tmp") ? 0755 : 01777);
		if (ret)
			error_add(err, ret, NULL, "the ramdisk's /%s is not a directory", *d);
	}
	for (size_t i = 0; !ret && i < p->n; i++) {
		const struct repack_entry *e;

		ret = repack_keep_file(r, p->part[i].dst, p->part[i].mode, &e);
		if (ret)
			error_add(err, ret, NULL, "dracut did not put %s into the ramdisk: %s",
				  p->part[i].dst, strerror(-ret));
		else
			ret = check_content(&p->part[i], e, err);
	}
	return ret;
}

static int add_own(struct repack *r, bool debug, struct error **err)
{
	/* The kernel opens the console before init can mount anything. */
	int ret = repack_add_node(r, "dev/console", S_IFCHR | 0600, makedev(5, 1));

	if (!ret)
		ret = repack_add_node(r, "dev/null", S_IFCHR | 0666, makedev(1, 3));
	if (!ret && debug)
		ret = repack_add_symlink(r, "usr/bin/sh", "busybox");
	if (ret)
		error_add(err, ret, NULL, "a node cannot be added to the ramdisk: %s", strerror(-ret));
	return ret;
}

static int write_rootfs(struct repack *r, const char *path, struct error **err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int ret = fd < 0 ? -errno : 0;

	if (!ret && fchmod(fd, 0644))
		ret = -errno;
	if (ret)
		error_add(err, ret, NULL, "%s: cannot be written: %s", path, strerror(-ret));
	else
		ret = repack_write(r, fd, ZSTD_LEVEL, err);
	if (!ret && fsync(fd))
		ret = error_add(err, -errno, NULL, "%s: cannot be written: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
	return ret;
}

static int make_rootfs(const struct image *img, const char *cpio, const char *out,
		       struct error **err)
{
	struct repack r;
	char *buf = NULL;
	size_t len;
	int ret = host_slurp(cpio, REPACK_BYTES_MAX, &buf, &len);

	if (ret)
		return error_add(err, ret, NULL, "%s: cannot be read: %s", cpio, strerror(-ret));
	ret = repack_read(&r, buf, len);
	free(buf);
	if (ret)
		error_add(err, ret, NULL, "dracut's archive is malformed: %s", strerror(-ret));
	if (!ret)
		ret = keep_parts(&r, &img->plan, err);
	if (!ret)
		ret = add_own(&r, img->m.debug, err);
	if (!ret)
		ret = write_rootfs(&r, out, err);
	repack_free(&r);
	return ret;
}

static int copy_kernel(const char *src, const char *dst, struct error **err)
{
	char *host = host_path("%s", src), *buf = NULL;
	size_t len;
	int ret = host_slurp(host, FILE_MAX_BYTES, &buf, &len);
	FILE *f = ret ? NULL : fopen(dst, "wxe");

	if (!ret && !f)
		ret = -errno;
	if (f) {
		if (fwrite(buf, 1, len, f) != len || fflush(f) ||
		    fchmod(fileno(f), 0644) || fsync(fileno(f)))
			ret = -errno;
		if (fclose(f) && !ret)
			ret = -errno;
	}
	if (ret)
		error_add(err, ret, NULL, "%s: cannot be copied to %s: %s", src, dst, strerror(-ret));
	free(buf);
	free(host);
	return ret;
}

static int hash_output(const char *dir, const char *name,
		       struct manifest_output *out, struct error **err)
{
	char *path = xasprintf("%s/%s", dir, name);
	int ret = sha256_file(path, FILE_MAX_BYTES, out->sha, &out->size);

	if (ret)
		error_add(err, ret, NULL, "%s: cannot be read: %s", path, strerror(-ret));
	free(path);
	return ret;
}

/* @work is scratch inside @dir. */
static int fill(struct image *img, const struct image_opts *o, const char *dir,
		const char *work, struct error **err)
{
	char *cpio = xasprintf("%s/dracut.cpio", work);
	char *rootfs = xasprintf("%s/rootfs", dir);
	char *kernel = xasprintf("%s/kernel", dir);
	int ret;

	log_info(NULL, "assembling the ramdisk with dracut (%zu files)", img->plan.n);
	ret = dracut_run(work, o->module ? o->module : DRACUT_MODULE_DIR,
			 img->m.kernel_version, &img->plan, err);
	if (!ret) {
		log_info(NULL, "compressing it (some seconds)");
		ret = make_rootfs(img, cpio, rootfs, err);
	}
	if (!ret)
		ret = copy_kernel(img->plan.kernel, kernel, err);
	if (!ret)
		ret = hash_output(dir, "kernel", &img->m.kernel, err);
	if (!ret)
		ret = hash_output(dir, "rootfs", &img->m.rootfs, err);
	if (!ret && !img->m.n_package)
		origin_find(&img->m);
	if (!ret)
		ret = store_write_manifest(dir, &img->m, err);
	host_rmtree(work);
	free(cpio);
	free(rootfs);
	free(kernel);
	return ret ? ret : interrupted() ? -EINTR : 0;
}

int assemble(struct image *img, const struct image_opts *o, const char *dir, struct error **err)
{
	char *work = xasprintf("%s/work", dir);
	int ret = mkdir(work, 0700) ? -errno : 0;

	if (ret)
		error_add(err, ret, NULL, "%s: cannot be made: %s", work, strerror(-ret));
	else
		ret = fill(img, o, dir, work, err);
	free(work);
	return ret;
}
