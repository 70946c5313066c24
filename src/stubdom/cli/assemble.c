// SPDX-License-Identifier: GPL-2.0-or-later
#include "assemble.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/sha256file.h"
#include "cli.h"
#include "cli/interrupt.h"
#include "dracut.h"
#include "image/store.h"
#include "origin.h"
#include "repack.h"

#define ZSTD_LEVEL 19

/* The content of a part as it is now: it may have been replaced meanwhile. */
static int check_content(const struct part *part, const struct repack_entry *e)
{
	int fd = memfd_create("part", MFD_CLOEXEC);
	char sha[HEX_LEN + 1];
	int ret = fd < 0 ? -errno : 0;

	for (size_t done = 0; !ret && done < e->size;) {
		ssize_t n = write(fd, (char *)e->data + done, e->size - done);

		if (n <= 0)
			ret = -EIO;
		else
			done += (size_t)n;
	}
	if (!ret && lseek(fd, 0, SEEK_SET))
		ret = -EIO;
	if (!ret)
		ret = sha256_fd(fd, FILE_MAX_BYTES, sha, NULL);
	if (fd >= 0)
		close(fd);
	if (!ret && strcmp(sha, part->sha)) {
		log_err(NULL, "%s changed while the image was built: run it again",
			part->src ? part->src : part->dst);
		ret = -EAGAIN;
	}
	return ret;
}

static int keep_parts(struct repack *r, const struct plan *p)
{
	int ret = 0;

	for (const char *const *d = plan_dirs; !ret && *d; d++)
		ret = repack_keep_dir(r, *d, strcmp(*d, "tmp") ? 0755 : 01777);
	for (size_t i = 0; !ret && i < p->n; i++) {
		const struct repack_entry *e;

		ret = repack_keep_file(r, p->part[i].dst, p->part[i].mode, &e);
		if (ret)
			log_err(NULL, "dracut did not put %s into the ramdisk: %s",
				p->part[i].dst, strerror(-ret));
		else
			ret = check_content(&p->part[i], e);
	}
	return ret;
}

static int add_own(struct repack *r, bool debug)
{
	/* The kernel opens the console before init can mount anything. */
	int ret = repack_add_node(r, "dev/console", S_IFCHR | 0600, makedev(5, 1));

	if (!ret)
		ret = repack_add_node(r, "dev/null", S_IFCHR | 0666, makedev(1, 3));
	if (!ret && debug)
		ret = repack_add_symlink(r, "usr/bin/sh", "busybox");
	return ret;
}

static int write_rootfs(struct repack *r, const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int ret = fd < 0 ? -errno : 0;

	if (fd < 0) {
		log_err(NULL, "%s: cannot be written: %s", path, strerror(-ret));
		return ret;
	}
	ret = fchmod(fd, 0644) ? -errno : repack_write(r, fd, ZSTD_LEVEL);
	if (!ret && fsync(fd)) {
		ret = -errno;
		log_err(NULL, "%s: cannot be written: %s", path, strerror(-ret));
	}
	close(fd);
	return ret;
}

static int make_rootfs(const struct image *img, const char *cpio, const char *out)
{
	struct repack r;
	char *buf = NULL;
	size_t len;
	int ret = host_slurp(cpio, REPACK_BYTES_MAX, &buf, &len);

	if (ret) {
		log_err(NULL, "%s: cannot be read: %s", cpio, strerror(-ret));
		return ret;
	}
	ret = repack_read(&r, buf, len);
	free(buf);
	if (ret)
		log_err(NULL, "what dracut wrote is not understood: %s",
			strerror(-ret));
	if (!ret)
		ret = keep_parts(&r, &img->plan);
	if (!ret)
		ret = add_own(&r, img->m.debug);
	if (!ret)
		ret = write_rootfs(&r, out);
	repack_free(&r);
	return ret;
}

static int copy_kernel(const char *src, const char *dst)
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
		log_err(NULL, "%s: cannot be copied to %s: %s", src, dst,
			strerror(-ret));
	free(buf);
	free(host);
	return ret;
}

static int hash_output(const char *dir, const char *name,
		       struct manifest_output *out)
{
	char *path = xasprintf("%s/%s", dir, name);
	int ret = sha256_file(path, FILE_MAX_BYTES, out->sha, &out->size);

	if (ret)
		log_err(NULL, "%s: cannot be read: %s", path, strerror(-ret));
	free(path);
	return ret;
}

/* @work is scratch inside @dir. */
static int fill(struct image *img, const struct image_opts *o, const char *dir,
		const char *work)
{
	char *cpio = xasprintf("%s/dracut.cpio", work);
	char *rootfs = xasprintf("%s/rootfs", dir);
	char *kernel = xasprintf("%s/kernel", dir);
	int ret;

	log_info(NULL, "assembling the ramdisk with dracut (%zu files)", img->plan.n);
	ret = dracut_run(work, o->module ? o->module : DRACUT_MODULE_DIR,
			 img->m.kernel_version, &img->plan);
	if (!ret) {
		log_info(NULL, "compressing it (some seconds)");
		ret = make_rootfs(img, cpio, rootfs);
	}
	if (!ret)
		ret = copy_kernel(img->plan.kernel, kernel);
	if (!ret)
		ret = hash_output(dir, "kernel", &img->m.kernel);
	if (!ret)
		ret = hash_output(dir, "rootfs", &img->m.rootfs);
	if (!ret && !img->m.n_package)
		origin_find(&img->m);
	if (!ret)
		ret = store_write_manifest(dir, &img->m);
	host_rmtree(work);
	free(cpio);
	free(rootfs);
	free(kernel);
	return ret ? ret : interrupted() ? -EINTR : 0;
}

int assemble(struct image *img, const struct image_opts *o, const char *dir)
{
	char *work = xasprintf("%s/work", dir);
	int ret = mkdir(work, 0700) ? -errno : fill(img, o, dir, work);

	free(work);
	return ret;
}
