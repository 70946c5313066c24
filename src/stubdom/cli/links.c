// SPDX-License-Identifier: GPL-2.0-or-later
#include "links.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "image/store.h"

#define RECORD STUBDOM_STATE_DIR "/links"
#define RECORD_MAX (256u << 10)

static const struct {
	const char *name, *file;
} names[] = {
	{ STUBDOM_LINK_KERNEL, "kernel" }, { STUBDOM_LINK_ROOTFS, "rootfs" },
};

static long find(const struct links *l, const char *path)
{
	for (size_t i = 0; i < l->n; i++)
		if (!strcmp(l->path[i], path))
			return (long)i;
	return -1;
}

static void add(struct links *l, const char *path)
{
	if (find(l, path) >= 0)
		return;
	l->path = xgrow(l->path, l->n, sizeof(*l->path));
	l->path[l->n++] = xstrdup(path);
	l->changed = true;
}

static void forget(struct links *l, size_t i)
{
	free(l->path[i]);
	l->path[i] = l->path[--l->n];
	l->changed = true;
}

/* Only what we could have written: an absolute path of one of the two names. */
static bool plausible(const char *path)
{
	const char *base = strrchr(path, '/');

	if (path[0] != '/' || strstr(path, "/../"))
		return false;
	return !strcmp(base + 1, names[0].name) ||
	       !strcmp(base + 1, names[1].name);
}

int links_load(struct links *l, struct error **err)
{
	char *file = host_path(RECORD), *text = NULL;
	int ret = host_slurp(file, RECORD_MAX, &text, NULL);

	memset(l, 0, sizeof(*l));
	if (!ret)
		for (char *p = strtok(text, "\n"); p; p = strtok(NULL, "\n"))
			if (plausible(p))
				add(l, p);
	l->changed = false;
	if (ret == -ENOENT)
		ret = 0;
	if (ret)
		error_add(err, ret, NULL, "%s: cannot be read: %s", file, strerror(-ret));
	free(text);
	free(file);
	return ret;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int write_record(const struct links *l, const char *tmp)
{
	FILE *f = fopen(tmp, "we");

	if (!f)
		return -errno;
	for (size_t i = 0; i < l->n; i++)
		fprintf(f, "%s\n", l->path[i]);
	if (fflush(f) || fsync(fileno(f))) {
		int ret = -errno;

		fclose(f);
		return ret;
	}
	return fclose(f) ? -errno : 0;
}

int links_save(struct links *l, struct error **err)
{
	char *file = host_path(RECORD), *tmp = xasprintf("%s.new", file);
	int ret = 0;

	if (l->changed && l->n) {
		qsort(l->path, l->n, sizeof(*l->path), by_name);
		ret = write_record(l, tmp);
		if (!ret && rename(tmp, file))
			ret = -errno;
		if (ret)
			unlink(tmp);
	} else if (l->changed && unlink(file) && errno != ENOENT) {
		ret = -errno;
	}
	if (ret)
		error_add(err, ret, NULL, "%s: cannot be written: %s", file, strerror(-ret));
	else
		l->changed = false;
	free(file);
	free(tmp);
	return ret;
}

void links_free(struct links *l)
{
	for (size_t i = 0; i < l->n; i++)
		free(l->path[i]);
	free(l->path);
	memset(l, 0, sizeof(*l));
}

/* Put a link there by rename: there is never a moment without one. */
static int place(const char *host, const char *target)
{
	char *tmp = xasprintf("%s.new", host);
	int ret = 0;

	unlink(tmp);
	if (symlink(target, tmp) || rename(tmp, host)) {
		ret = -errno;
		unlink(tmp);
	}
	free(tmp);
	return ret;
}

/* Do both lead to the same file?  A package's link within /usr is relative. */
static bool leads_to(const char *host, const char *target)
{
	char *want = host_path("%s", target);
	struct stat a, b;
	bool same = !stat(host, &a) && !stat(want, &b) && a.st_dev == b.st_dev &&
		    a.st_ino == b.st_ino;

	free(want);
	return same;
}

/* What is there keeps its place. */
static int not_ours(const char *path, const char *target, struct error **err)
{
	char *fix = xasprintf("to change that, run 'rm %s' and 'xen-stubdom register'", path);

	error_add(err, -EEXIST, fix, "%s is not ours and stays (%s%s): guests use it instead of our image",
		  path, *target ? "a link to " : "a file", target);
	free(fix);
	return -EEXIST;
}

static int put_link(struct links *l, const char *path, const char *host, const char *target,
		    struct error **err)
{
	int ret;

	/* Written down first: after a crash we still know it is ours. */
	add(l, path);
	ret = links_save(l, err);
	if (ret)
		return ret;
	ret = place(host, target);
	if (ret)
		return error_add(err, ret, NULL, "%s: cannot be made: %s", path, strerror(-ret));
	log_notice(NULL, "%s -> %s", path, target);
	return 0;
}

static int make_one(struct links *l, const char *path, const char *target, struct error **err)
{
	char *host = host_path("%s", path), old[4096] = "";
	bool ours = find(l, path) >= 0;
	struct stat st;
	ssize_t n;
	int ret;

	if (lstat(host, &st)) {
		ret = errno == ENOENT ? put_link(l, path, host, target, err)
			: error_add(err, -errno, NULL, "%s: %s", path, strerror(errno));
	} else if (!S_ISLNK(st.st_mode)) {
		ret = not_ours(path, old, err);
	} else {
		n = readlink(host, old, sizeof(old) - 1);
		old[n > 0 ? n : 0] = '\0';
		if (!strcmp(old, target) || leads_to(host, target))
			ret = 0;
		else if (ours)
			ret = put_link(l, path, host, target, err);
		else
			ret = not_ours(path, old, err);
	}
	free(host);
	return ret;
}

int links_make(struct links *l, const char *dir, const char *xen, struct error **err)
{
	char *place = store_place(xen);
	int ret = 0;

	for (int i = 0; i < 2; i++) {
		char *path = xasprintf("%s/%s", dir, names[i].name);
		char *target = xasprintf("%s/%s", place, names[i].file);
		int also = make_one(l, path, target, err);

		ret = ret ? ret : also;
		free(path);
		free(target);
	}
	free(place);
	return ret;
}

static bool below(const char *target, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(target, dir, len) && target[len] == '/';
}

/* A link of ours that somebody has replaced since is no longer ours. */
static int remove_one(struct links *l, size_t i, struct error **err)
{
	char *host = host_path("%s", l->path[i]), target[4096];
	ssize_t n = readlink(host, target, sizeof(target) - 1);
	int ret = 0;

	target[n > 0 ? n : 0] = '\0';
	if ((below(target, STUBDOM_STATE_DIR) || below(target, STUBDOM_PREBUILT_DIR)) &&
	    unlink(host)) {
		ret = -errno;
		error_add(err, ret, NULL, "%s: cannot be removed: %s", l->path[i], strerror(-ret));
	} else {
		/* dpkg leaves the directory behind when our link was in it. */
		char *slash = strrchr(host, '/');

		if (n > 0)
			log_info(NULL, "%s removed", l->path[i]);
		*slash = '\0';
		if (!rmdir(host) && (slash = strrchr(host, '/'))) {
			*slash = '\0';
			rmdir(host);
		}
		forget(l, i);
	}
	free(host);
	return ret;
}

static bool in_dir(const char *path, const char *dir)
{
	size_t len = strlen(dir);

	return !strncmp(path, dir, len) && path[len] == '/' &&
	       !strchr(path + len + 1, '/');
}

/* The version a link of ours points to: compare with ".../<xen>/". */
static bool points_to(const char *path, const char *xen)
{
	char *host = host_path("%s", path), target[4096];
	char *built = xasprintf(STUBDOM_STATE_DIR "/%s", xen);
	char *prebuilt = xasprintf(STUBDOM_PREBUILT_DIR "/%s", xen);
	ssize_t n = readlink(host, target, sizeof(target) - 1);
	bool is;

	target[n > 0 ? n : 0] = '\0';
	is = below(target, built) || below(target, prebuilt);
	free(host);
	free(built);
	free(prebuilt);
	return is;
}

int links_remove(struct links *l, const char *xen, struct error **err)
{
	int ret = 0;

	for (size_t i = l->n; i-- > 0;)
		if (!xen || points_to(l->path[i], xen)) {
			int also = remove_one(l, i, err);

			ret = ret ? ret : also;
		}
	return ret;
}

int links_prune(struct links *l, const char *const *dirs, size_t n, struct error **err)
{
	int ret = 0;

	for (size_t i = l->n; i-- > 0;) {
		bool there = false;
		int also = 0;

		for (size_t k = 0; k < n; k++)
			there |= in_dir(l->path[i], dirs[k]);
		if (!there)
			also = remove_one(l, i, err);
		ret = ret ? ret : also;
	}
	return ret;
}
