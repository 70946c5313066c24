// SPDX-License-Identifier: GPL-2.0-or-later
#include "imagecheck.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli.h"
#include "cli/packages.h"
#include "fit.h"
#include "image/store.h"
#include "outdated.h"
#include "xendirs.h"

static void check_names(struct findings *fs, const struct xen_dir *d)
{
	static const char *const names[] = { STUBDOM_LINK_KERNEL, STUBDOM_LINK_ROOTFS };
	static const char *const files[] = { "kernel", "rootfs" };
	char *place = store_place(d->version);
	bool all = true;

	for (int i = 0; i < 2; i++) {
		char *path = xasprintf("%s/%s", d->path, names[i]);
		char *want = xasprintf("%s/%s", place, files[i]);
		char *host = host_path("%s", path), *file = host_path("%s", want);
		char to[4096];
		ssize_t n = readlink(host, to, sizeof(to) - 1);
		struct stat st, st_file;

		to[n > 0 ? n : 0] = '\0';
		if (n > 0 && !stat(host, &st) && !stat(file, &st_file) &&
		    st.st_dev == st_file.st_dev && st.st_ino == st_file.st_ino) {
			/* as it should be */
		} else if (lstat(host, &st)) {
			all = false;
			found(fs, BROKEN, "registered", "run 'xen-stubdom register'",
			      "xl of Xen %s looks for %s, which is missing",
			      d->version, path);
		} else if (n > 0 && !strcmp(to, want)) {
			all = false;
			found(fs, BROKEN, "registered", "run 'xen-stubdom register'",
			      "%s points to an image that is missing", path);
		} else {
			all = false;
			found(fs, ADVICE, "registered", "'rm' it, then run 'xen-stubdom register'",
			      "%s is not ours: guests start another image", path);
		}
		free(path);
		free(want);
		free(host);
		free(file);
	}
	free(place);
	if (all)
		found(fs, FINE, "registered", NULL, "an image is registered in %s",
		      d->path);
}

/* A build needs room for the files themselves, twice, and for the result. */
static bool no_room(const struct manifest *m)
{
	char *dir = host_path(STUBDOM_STATE_DIR);
	uint64_t need = m->kernel.size + m->rootfs.size * 12;
	struct statvfs st;
	bool no = !statvfs(dir, &st) &&
		  (uint64_t)st.f_bavail * st.f_frsize < need;

	free(dir);
	return no;
}

static void check_unknown(struct findings *fs, const struct manifest *m, const struct error *err)
{
	char *fix = err && err->fix ? xasprintf("%s, then 'xen-stubdom register'", err->fix) : NULL;

	found(fs, BROKEN, "inputs", fix ? fix : "correct that, then run 'xen-stubdom register'",
	      "a new image for Xen %s cannot be built: %s", m->xen, err ? err->text : "");
	free(fix);
}

static void check_fit(struct findings *fs, const struct manifest *m)
{
	struct error *err = NULL;
	char *detail, fix[128];

	switch (image_fits(m, &detail, &err)) {
	case FIT_CURRENT:
		found(fs, FINE, "current", NULL, "it is made of what is installed now");
		break;
	case FIT_OUTDATED:
		found(fs, BROKEN, "current", no_room(m)
		      ? "make room in " STUBDOM_STATE_DIR ", which is almost full, and run 'xen-stubdom register'"
		      : "run 'xen-stubdom register'",
		      "the image for Xen %s is older than what is installed", m->xen);
		break;
	case FIT_KEPT:
		snprintf(fix, sizeof(fix), "boot Xen %.16s", detail);
		found(fs, ADVICE, "kept", fix, "the image for Xen %s was left by an upgrade: guests start with it, and it gets no updates any more", m->xen);
		break;
	case FIT_PREBUILT:
		found(fs, FINE, "current", NULL, "it is prebuilt, by the package xen-stubdom-linux-prebuilt-%s",
		      m->xen);
		break;
	case FIT_PREBUILT_OLD:
		snprintf(fix, sizeof(fix), "install a newer xen-stubdom-linux-prebuilt-%s", m->xen);
		found(fs, ADVICE, "current", fix, "the prebuilt image for Xen %s has these packages in other versions than this host: %s", m->xen, detail);
		break;
	case FIT_UNKNOWN:
		check_unknown(fs, m, err);
		break;
	}
	free(detail);
	error_free(&err);
}

static void check_content(struct findings *fs, const struct manifest *m)
{
	int ret = store_verify(m->xen, m);
	char *fix = NULL, *package = NULL;

	if (ret && store_is_prebuilt(m->xen)) {
		package = xasprintf("xen-stubdom-linux-prebuilt-%s", m->xen);
		fix = package_reinstall(package);
	}
	if (ret)
		found(fs, BROKEN, "intact", fix ? fix : "run 'xen-stubdom build'",
		      "the image for Xen %s is damaged: %s", m->xen,
		      ret == -EBADMSG ? "its content is not what was built"
				      : strerror(-ret));
	else
		found(fs, FINE, "intact", NULL, "the image for Xen %s is intact (QEMU %s, Linux %s)", m->xen, m->qemu, m->kernel_version);
	if (m->debug)
		found(fs, ADVICE, "debug", "run 'xen-stubdom build'",
		      "the image for Xen %s is a debug build with a shell", m->xen);
	check_fit(fs, m);
	outdated_check(fs, m);
	free(fix);
	free(package);
}

static void check_image(struct findings *fs, const struct xen_dir *d,
			struct xlcfg_host *host)
{
	struct manifest m;
	int ret;

	check_names(fs, d);
	ret = store_manifest(d->version, &m, NULL);
	if (ret) {
		found(fs, BROKEN, "image", "run 'xen-stubdom register'",
		      ret == -ENOENT ? "no image for Xen %s"
		      : "the manifest of the image for Xen %s is damaged",
		      d->version);
	} else {
		host->memory_min = m.memory_min;
		check_content(fs, &m);
	}
	manifest_free(&m);
}

static void check_kept(struct findings *fs, const char *xen, struct xlcfg_host *host)
{
	struct manifest m;

	if (!store_manifest(xen, &m, NULL)) {
		host->memory_min = m.memory_min;
		check_content(fs, &m);
	}
	manifest_free(&m);
}

/* Without an image it is what one could be made of. */
static void check_qemu(struct findings *fs, const char *xen)
{
	char *qemu_xen, *version, fix[128];
	struct error *err = NULL;
	struct manifest m;

	if (store_is_prebuilt(xen))
		return;
	if (image_qemu_info(NULL, &qemu_xen, &version, &err)) {
		found(fs, BROKEN, "qemu", err->fix, "%s", err->text);
	} else if (!strcmp(qemu_xen, xen)) {
		found(fs, FINE, "qemu", NULL, "the device model (QEMU %s) is for Xen %s", version, xen);
	} else {
		snprintf(fix, sizeof(fix), "install the qemu-xen-extras of that Xen, or boot Xen %s", qemu_xen);
		/* With an image it was kept by an upgrade: check_fit() says so. */
		if (store_manifest(xen, &m, NULL))
			found(fs, BROKEN, "qemu", fix, "the device model (QEMU %s) is for Xen %s, not %s",
			      version, qemu_xen, xen);
		manifest_free(&m);
	}
	error_free(&err);
	free(qemu_xen);
	free(version);
}

void imagecheck(struct findings *fs, const char *running, struct xlcfg_host *host)
{
	struct xen_dir *d;
	bool any = false;
	size_t n;

	xendirs_find(&d, &n);
	for (size_t i = 0; i < n; i++) {
		if (running && strcmp(d[i].version, running))
			continue;
		if (!any || running) {
			if (!any)
				check_qemu(fs, d[i].version);
			check_image(fs, &d[i], host);
		}
		any = true;
	}
	if (!any && running) {
		found(fs, BROKEN, "xen-dir", "install the xen-utils of that version, or boot a Xen that is installed",
		      "no tools of the running Xen %s are installed", running);
		/* So it is between an upgrade of the release and the reboot. */
		check_kept(fs, running, host);
	} else if (!any) {
		char *fix = package_install("xen-system-amd64");

		found(fs, BROKEN, "xen-dir", fix, "no Xen is installed");
		free(fix);
	}
	xendirs_free(d, n);
}
