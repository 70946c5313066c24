// SPDX-License-Identifier: GPL-2.0-or-later
/* What an image is to be made of, and its key. */
#include "image.h"

#include <archive.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "base/text.h"
#include "cli.h"
#include "cli/packages.h"
#include "dracut.h"

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

	return text_value(text, key, value, sizeof(value)) ? NULL : xstrdup(value);
}

int image_qemu_info(const char *qemu, char **xen, char **version, struct error **err)
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
		char *fix = package_reinstall("qemu-xen-extras");

		error_add(err, ret, fix, ret == -ENOENT
			  ? "%s of package qemu-xen-extras is missing"
			  : "%s does not name a Xen and a QEMU version", rel);
		free(fix);
	}
	free(text);
	free(path);
	free(rel);
	return ret;
}

static int check_xen(struct image *img, const char *wanted, struct error **err)
{
	const char *abi = img->plan.qemu_xen;

	if (abi && strcmp(abi, img->m.xen)) {
		char *fix = package_reinstall("qemu-xen-extras");

		error_add(err, -EINVAL, fix, "%s links the libraries of Xen %s, but is said to be for Xen %s",
			  img->plan.qemu, abi, img->m.xen);
		free(fix);
		return -EINVAL;
	}
	if (wanted && strcmp(wanted, img->m.xen))
		return error_add(err, -EINVAL, "install the qemu-xen-extras of that version",
				 "the device model here (%s) is for Xen %s, not for Xen %s",
				 img->plan.qemu, img->m.xen, wanted);
	return 0;
}

/* kernel */

static int kernel_version(struct image *img, struct error **err)
{
	char *host = host_path("%s", img->plan.kernel);
	char *buf = NULL, version[128];
	size_t len;
	int ret = host_slurp(host, 64 << 20, &buf, &len);

	if (!ret)
		ret = bzimage_version(buf, len, version, sizeof(version));
	if (ret)
		error_add(err, ret, NULL, "%s: %s", img->plan.kernel, ret == -EINVAL
			  ? "not a Linux kernel (bzImage)" : strerror(-ret));
	else
		img->m.kernel_version = xstrdup(version);
	free(buf);
	free(host);
	return ret;
}

/* key */

static int hash_file(const char *path, char *sha, struct error **err)
{
	char *host = host_path("%s", path);
	int ret = sha256_file(host, FILE_MAX_BYTES, sha, NULL);

	if (ret)
		error_add(err, ret, NULL, "%s: cannot be read: %s", host, strerror(-ret));
	free(host);
	return ret;
}

/*
 * What assembles it counts as an input: this program, the dracut module and
 * the library that compresses.
 */
static int name_generator(struct image *img, const char *module, struct error **err)
{
	char self[SHA256_HEX_LEN + 1], setup[SHA256_HEX_LEN + 1];
	char *path = xasprintf("%s/module-setup.sh", module ? module : DRACUT_MODULE_DIR);
	const char *zstd = archive_libzstd_version();
	int ret = sha256_file("/proc/self/exe", FILE_MAX_BYTES, self, NULL);

	if (ret)
		error_add(err, ret, NULL, "/proc/self/exe: cannot be read: %s", strerror(-ret));
	else
		ret = hash_file(path, setup, err);
	if (!ret)
		img->m.generator = xasprintf("%s program:%.16s module:%.16s zstd:%s",
					     XE_VERSION, self, setup,
					     zstd ? zstd : "none");
	free(path);
	return ret;
}

static int compute_key(struct image *img, const char *kernel_sha, struct error **err)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	int ret;

	if (!f)
		return error_add(err, -ENOMEM, NULL, "out of memory");
	fprintf(f, "xen %s\nqemu %s\ngenerator %s\ndebug %d\nkernel %s\n",
		img->m.xen, img->m.qemu, img->m.generator, img->m.debug,
		kernel_sha);
	for (size_t i = 0; i < img->plan.n; i++)
		fprintf(f, "%s %o %s\n", img->plan.part[i].sha,
			img->plan.part[i].mode, img->plan.part[i].dst);
	ret = fclose(f) ? -ENOMEM : sha256_buf(text, len, img->m.key);
	if (ret)
		error_add(err, ret, NULL, "the image's key cannot be computed: %s", strerror(-ret));
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

static int add_info(struct image *img, struct error **err)
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
	return plan_hash(&img->plan, err);
}

int image_plan(struct image *img, const struct image_opts *o, struct error **err)
{
	char sha[SHA256_HEX_LEN + 1];
	int ret;

	memset(img, 0, sizeof(*img));
	ret = image_qemu_info(o->qemu, &img->m.xen, &img->m.qemu, err);
	if (ret)
		return ret;
	img->m.debug = o->debug;
	ret = plan_make(&img->plan, o->kernel, o->qemu, o->init, o->debug, err);
	if (!ret)
		ret = check_xen(img, o->xen, err);
	if (!ret)
		ret = kernel_version(img, err);
	if (!ret)
		ret = hash_file(img->plan.kernel, sha, err);
	if (!ret)
		ret = name_generator(img, o->module, err);
	if (ret)
		return ret;
	add_accounts(&img->plan);
	plan_sort(&img->plan);
	ret = plan_hash(&img->plan, err);
	if (!ret)
		ret = compute_key(img, sha, err);
	if (ret)
		return ret;
	list_inputs(img, sha);
	return add_info(img, err);
}

void image_free(struct image *img)
{
	plan_free(&img->plan);
	manifest_free(&img->m);
}
