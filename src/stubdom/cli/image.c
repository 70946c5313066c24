// SPDX-License-Identifier: GPL-2.0-or-later
/* From what is installed to kernel, rootfs and manifest. */
#include "image.h"

#include <archive.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/sha256file.h"
#include "base/text.h"
#include "cli.h"
#include "cli/interrupt.h"
#include "cli/packages.h"
#include "dracut.h"
#include "image/store.h"
#include "origin.h"
#include "repack.h"

#define MODULE_DIR DRACUT_BASE "/modules.d/" DRACUT_MODULE
#define ZSTD_LEVEL 19

/*
 * MiB besides the ramdisk's own content: kernel, QEMU's heap and ring pages.
 * While it is unpacked the compressed ramdisk is in memory too: about half as
 * much again.  Measured by bench/stubdom-start.sh: with four disks, two network
 * cards and std VGA a domain of 64 MiB has 6.7 MiB left, one of 72 has 15.
 */
#define MEMORY_BASE 36

/* qemu */

/* The value of @key, to free(), or NULL. */
static char *info_value(const char *text, const char *key)
{
	char value[64];

	return info_get(text, key, value, sizeof(value)) ? NULL : xstrdup(value);
}

int image_qemu_info(const char *qemu, char **xen, char **version)
{
	char *rel = qemu ? xasprintf("%s.info", qemu) : xstrdup(STUBDOM_QEMU_INFO);
	char *path = host_path("%s", rel);
	char *text = NULL;
	int ret = host_slurp(path, 4096, &text, NULL);

	*xen = text ? info_value(text, "xen") : NULL;
	*version = text ? info_value(text, "qemu") : NULL;
	if (!ret && (!*xen || !*version || !xen_version_valid(*xen)))
		ret = -EINVAL;
	if (ret) {
		char *cure = package_reinstall("qemu-xen-extras");

		log_err(NULL, "%s %s: %s", rel, ret == -ENOENT
			? "of package qemu-xen-extras is missing"
			: "does not name a Xen and a QEMU version", cure);
		free(cure);
	}
	free(text);
	free(path);
	free(rel);
	return ret;
}

static int check_xen(struct image *img, const char *wanted)
{
	const char *abi = img->plan.qemu_xen;

	if (abi && strcmp(abi, img->m.xen)) {
		char *cure = package_reinstall("qemu-xen-extras");

		log_err(NULL, "%s links the libraries of Xen %s, but is said to be "
			"for Xen %s: %s", img->plan.qemu, abi, img->m.xen, cure);
		free(cure);
		return -EINVAL;
	}
	if (wanted && strcmp(wanted, img->m.xen)) {
		log_err(NULL, "the device model here (%s) is for Xen %s, not for "
			"Xen %s: install the qemu-xen-extras of that version",
			img->plan.qemu, img->m.xen, wanted);
		return -EINVAL;
	}
	return 0;
}

/* kernel */

static int kernel_version(struct image *img)
{
	char *host = host_path("%s", img->plan.kernel);
	char *buf = NULL, version[128];
	size_t len;
	int ret = host_slurp(host, 64 << 20, &buf, &len);

	if (!ret)
		ret = bzimage_version(buf, len, version, sizeof(version));
	if (ret)
		log_err(NULL, "%s: %s", img->plan.kernel, ret == -EINVAL
			? "not a Linux kernel (bzImage)" : strerror(-ret));
	else
		img->m.kernel_version = xstrdup(version);
	free(buf);
	free(host);
	return ret;
}

/* key */

static int hash_file(const char *path, char *sha, uint64_t *size)
{
	char *host = host_path("%s", path);
	int ret = sha256_file(host, FILE_MAX_BYTES, sha, size);

	if (ret)
		log_err(NULL, "%s: cannot be read: %s", host, strerror(-ret));
	free(host);
	return ret;
}

/*
 * What assembles it counts as an input: this program, the dracut module and
 * the library that compresses.
 */
static int name_generator(struct image *img, const char *module)
{
	char self[HEX_LEN + 1], setup[HEX_LEN + 1];
	char *path = xasprintf("%s/module-setup.sh", module ? module : MODULE_DIR);
	const char *zstd = archive_libzstd_version();
	int ret = sha256_file("/proc/self/exe", FILE_MAX_BYTES, self, NULL);

	if (!ret)
		ret = hash_file(path, setup, NULL);
	if (!ret)
		img->m.generator = xasprintf("%s program:%.16s module:%.16s zstd:%s",
					     XE_VERSION, self, setup,
					     zstd ? zstd : "none");
	free(path);
	return ret;
}

static int compute_key(struct image *img, const char *kernel_sha)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	struct plan one = { 0 };
	int ret;

	if (!f)
		return -ENOMEM;
	fprintf(f, "xen %s\nqemu %s\ngenerator %s\ndebug %d\nkernel %s\n",
		img->m.xen, img->m.qemu, img->m.generator, img->m.debug,
		kernel_sha);
	for (size_t i = 0; i < img->plan.n; i++)
		fprintf(f, "%s %o %s\n", img->plan.part[i].sha,
			img->plan.part[i].mode, img->plan.part[i].dst);
	fclose(f);
	plan_add_text(&one, "key", text);
	ret = plan_hash(&one);
	if (!ret)
		memcpy(img->m.key, one.part[0].sha, sizeof(img->m.key));
	plan_free(&one);
	free(text);
	return ret;
}

static void add_input(struct manifest *m, const char *sha, const char *path)
{
	struct manifest_input *in;

	m->input = xgrow(m->input, m->n_input, sizeof(*in));
	in = &m->input[m->n_input++];
	memset(in, 0, sizeof(*in));
	memcpy(in->sha, sha, sizeof(in->sha));
	in->path = xstrdup(path);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct manifest_input *)a)->path,
		      ((const struct manifest_input *)b)->path);
}

static void list_inputs(struct image *img, const char *kernel_sha)
{
	add_input(&img->m, kernel_sha, img->plan.kernel);
	for (size_t i = 0; i < img->plan.n; i++)
		if (img->plan.part[i].src)
			add_input(&img->m, img->plan.part[i].sha,
				  img->plan.part[i].src);
	qsort(img->m.input, img->m.n_input, sizeof(*img->m.input), by_path);
}

/* plan */

/* Names for the numbers that stubdom-init uses: glib asks for them. */
static void add_accounts(struct plan *p)
{
	char *text = xasprintf("root:x:0:0:::\nqemu:x:%d:%d:::\nbroker:x:%d:%d:::\n",
			       STUBDOM_UID_QEMU, STUBDOM_UID_QEMU, STUBDOM_UID_BROKER,
			       STUBDOM_UID_BROKER);

	plan_add_text(p, "etc/passwd", text);
	free(text);
}

static int add_info(struct image *img)
{
	struct manifest *m = &img->m;
	uint64_t bytes = 0;
	char *text;

	for (size_t i = 0; i < img->plan.n; i++)
		bytes += img->plan.part[i].size;
	m->memory_min = MEMORY_BASE + (unsigned int)((bytes * 3 / 2) >> 20);
	m->memory_min = (m->memory_min + 3) & ~3u;
	text = xasprintf("xen %s\nqemu %s\nkey %s\nmemory-min %u\n", m->xen,
			 m->qemu, m->key, m->memory_min);
	plan_add_text(&img->plan, STUBDOM_IMAGE_INFO, text);
	free(text);
	return plan_hash(&img->plan);
}

int image_plan(struct image *img, const struct image_opts *o)
{
	char sha[HEX_LEN + 1];
	int ret;

	memset(img, 0, sizeof(*img));
	ret = image_qemu_info(o->qemu, &img->m.xen, &img->m.qemu);
	if (ret)
		return ret;
	img->m.debug = o->debug;
	ret = plan_make(&img->plan, o->kernel, o->qemu, o->init, o->debug);
	if (!ret)
		ret = check_xen(img, o->xen);
	if (!ret)
		ret = kernel_version(img);
	if (!ret)
		ret = hash_file(img->plan.kernel, sha, NULL);
	if (!ret)
		ret = name_generator(img, o->module);
	if (ret)
		return ret;
	add_accounts(&img->plan);
	plan_sort(&img->plan);
	ret = plan_hash(&img->plan);
	if (!ret)
		ret = compute_key(img, sha);
	if (ret)
		return ret;
	list_inputs(img, sha);
	return add_info(img);
}

void image_free(struct image *img)
{
	plan_free(&img->plan);
	manifest_free(&img->m);
}

/* build */

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

/* Fill @dir with kernel, rootfs, manifest; @work is scratch inside it. */
static int fill(struct image *img, const struct image_opts *o, const char *dir,
		const char *work)
{
	char *cpio = xasprintf("%s/dracut.cpio", work);
	char *rootfs = xasprintf("%s/rootfs", dir);
	char *kernel = xasprintf("%s/kernel", dir);
	int ret;

	log_info(NULL, "assembling the ramdisk with dracut (%zu files)", img->plan.n);
	ret = dracut_run(work, o->module ? o->module : MODULE_DIR,
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

static int fill_in(struct image *img, const struct image_opts *o, const char *dir)
{
	char *work = xasprintf("%s/work", dir);
	int ret = mkdir(work, 0700) ? -errno : fill(img, o, dir, work);

	free(work);
	return ret;
}

static void say_done(const struct image *img, const char *where)
{
	log_notice(NULL, "image for Xen %s is ready: QEMU %s, Linux %s, ramdisk "
		   "%.1f MiB, in %s", img->m.xen, img->m.qemu,
		   img->m.kernel_version,
		   (double)img->m.rootfs.size / (1 << 20), where);
}

/* --output: for developers, and the basis of a prebuilt image. */
static int build_to(struct image *img, const struct image_opts *o)
{
	static const char *const files[] = { "kernel", "rootfs", "manifest" };
	char *tmp = xasprintf("%s/.new-XXXXXX", o->output);
	int ret = host_mkdirs(o->output);

	if (!ret && !mkdtemp(tmp))
		ret = -errno;
	if (ret) {
		log_err(NULL, "%s: cannot be written: %s", o->output, strerror(-ret));
		free(tmp);
		return ret;
	}
	ret = fill_in(img, o, tmp);
	for (size_t i = 0; !ret && i < 3; i++) {
		char *from = xasprintf("%s/%s", tmp, files[i]);
		char *to = xasprintf("%s/%s", o->output, files[i]);

		if (rename(from, to))
			ret = -errno;
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
	bool same = !store_manifest(img->m.xen, &old) &&
		    !strcmp(old.key, img->m.key) &&
		    !store_verify(img->m.xen, &old);

	if (same) {
		origin_find(&img->m);
		img->m.kernel = old.kernel;
		img->m.rootfs = old.rootfs;
		if (!origin_same(&img->m, &old) &&
		    !store_replace_manifest(s, &img->m))
			log_info(NULL, "image for Xen %s: packages changed, the "
				 "bytes in it did not", img->m.xen);
	}
	manifest_free(&old);
	return same;
}

static int build_generation(struct image *img, const struct image_opts *o)
{
	struct store s;
	char *tmp;
	int ret = store_open(&s, img->m.xen);

	if (ret)
		return ret;
	/* Under the lock: another build may just have done it. */
	if (o->if_needed && !o->force && up_to_date(&s, img)) {
		log_notice(NULL, "image for Xen %s is up to date", img->m.xen);
		store_close(&s);
		return 0;
	}
	ret = store_new(&s, &tmp);
	if (!ret) {
		ret = fill_in(img, o, tmp);
		if (!ret)
			ret = store_commit(&s, tmp, img->m.key);
		if (ret)
			host_rmtree(tmp);
		else
			say_done(img, s.dir);
		free(tmp);
	}
	store_close(&s);
	return ret;
}

int image_build(const struct image_opts *o)
{
	struct image img;
	int ret = image_plan(&img, o);

	if (!ret)
		ret = o->output ? build_to(&img, o) : build_generation(&img, o);
	if (ret == -EINTR)
		log_err(NULL, "interrupted: %s", o->output ? "nothing was written"
							   : "the old image stays");
	else if (ret && !o->output)
		log_err(NULL, "no new image was made; one that is there stays");
	image_free(&img);
	return ret;
}
