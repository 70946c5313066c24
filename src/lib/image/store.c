// SPDX-License-Identifier: GPL-2.0-or-later
#include "store.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "cli/host.h"
#include "cli/interrupt.h"
#include "stubdom.h"
#include "verify.h"

#define GEN "gen-"
#define TMP ".new-"
#define CURRENT "current"

static int lock_fd(int fd)
{
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return 0;
	if (errno != EWOULDBLOCK)
		return -errno;
	log_info(NULL, "waiting for another xen-stubdom to finish");
	while (flock(fd, LOCK_EX))
		if (errno != EINTR || interrupted())
			return -errno;
	return 0;
}

/* The directory may have been removed as empty while we waited for it. */
static int lock_state(const char *path, int *out)
{
	for (int tries = 0; tries < 10; tries++) {
		int ret = host_mkdirs(path), fd;
		struct stat a, b;

		if (ret)
			return ret;
		fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (fd < 0 && errno == ENOENT)
			continue;
		if (fd < 0)
			return -errno;
		ret = lock_fd(fd);
		if (!ret && !fstat(fd, &a) && !stat(path, &b) &&
		    a.st_ino == b.st_ino && a.st_dev == b.st_dev) {
			*out = fd;
			return 0;
		}
		close(fd);
		if (ret)
			return ret;
	}
	return -EBUSY;
}

/* What a build left that was killed or lost its power. */
static void remove_leftovers(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *de;

	if (!d)
		return;
	while ((de = readdir(d))) {
		char *path;

		if (strncmp(de->d_name, TMP, strlen(TMP)))
			continue;
		path = xasprintf("%s/%s", dir, de->d_name);
		host_rmtree(path);
		free(path);
	}
	closedir(d);
}

int store_open(struct store *s, const char *xen, struct error **err)
{
	int ret;

	memset(s, 0, sizeof(*s));
	s->lock = -1;
	s->state = host_path(STUBDOM_STATE_DIR);
	ret = lock_state(s->state, &s->lock);
	if (!ret && xen) {
		s->dir = xasprintf("%s/%s", s->state, xen);
		ret = host_mkdirs(s->dir);
		if (!ret)
			remove_leftovers(s->dir);
	}
	if (ret) {
		error_add(err, ret, NULL, "%s: cannot be used: %s", s->dir ? s->dir : s->state,
			  strerror(-ret));
		store_close(s);
	}
	return ret;
}

void store_close(struct store *s)
{
	if (s->lock >= 0) {
		if (s->dir)
			rmdir(s->dir);
		rmdir(s->state);
		close(s->lock);
	}
	free(s->dir);
	free(s->state);
	memset(s, 0, sizeof(*s));
	s->lock = -1;
}

int store_new(struct store *s, char **tmp, struct error **err)
{
	int ret;

	*tmp = xasprintf("%s/" TMP "XXXXXX", s->dir);
	if (mkdtemp(*tmp))
		return 0;
	ret = error_add(err, -errno, NULL, "%s: cannot be written: %s", s->dir, strerror(errno));
	free(*tmp);
	*tmp = NULL;
	return ret;
}

/* Give @tmp its final name, also when a generation has it already. */
static int take_name(const char *tmp, const char *final)
{
	if (!rename(tmp, final))
		return 0;
	if (errno != EEXIST && errno != ENOTEMPTY)
		return -errno;
	/* The same key built again, perhaps because the old one is damaged. */
	if (!renameat2(AT_FDCWD, tmp, AT_FDCWD, final, RENAME_EXCHANGE))
		return host_rmtree(tmp);
	return -errno;
}

static int swap_current(struct store *s, const char *key)
{
	char *tmp = xasprintf("%s/" TMP CURRENT, s->dir);
	char *cur = xasprintf("%s/" CURRENT, s->dir);
	char *gen = xasprintf(GEN "%s", key);
	int ret = 0;

	unlink(tmp);
	if (symlink(gen, tmp) || rename(tmp, cur))
		ret = -errno;
	if (ret)
		unlink(tmp);
	free(tmp);
	free(cur);
	free(gen);
	return ret;
}

static void remove_generations(struct store *s, const char *keep1,
			       const char *keep2)
{
	DIR *d = opendir(s->dir);
	struct dirent *de;

	if (!d)
		return;
	while ((de = readdir(d))) {
		char *path;

		if (strncmp(de->d_name, GEN, strlen(GEN)) ||
		    !strcmp(de->d_name, keep1) || !strcmp(de->d_name, keep2))
			continue;
		path = xasprintf("%s/%s", s->dir, de->d_name);
		host_rmtree(path);
		free(path);
	}
	closedir(d);
}

int store_commit(struct store *s, const char *tmp, const char *key, struct error **err)
{
	char *final = xasprintf("%s/" GEN "%s", s->dir, key);
	char *cur = xasprintf("%s/" CURRENT, s->dir);
	char old[300] = "";
	ssize_t n = readlink(cur, old, sizeof(old) - 1);
	int ret;

	old[n > 0 ? n : 0] = '\0';
	ret = chmod(tmp, 0755) ? -errno : host_sync_dir(tmp);
	if (!ret)
		ret = take_name(tmp, final);
	if (!ret)
		ret = host_sync_dir(s->dir);
	if (!ret)
		ret = swap_current(s, key);
	if (!ret)
		ret = host_sync_dir(s->dir);
	/* The same key again says nothing about what came before it. */
	if (!ret && strcmp(old, strrchr(final, '/') + 1))
		remove_generations(s, strrchr(final, '/') + 1, old);
	if (ret)
		error_add(err, ret, NULL, "%s: cannot be put in place: %s", final, strerror(-ret));
	free(final);
	free(cur);
	return ret;
}

int store_write_manifest(const char *dir, const struct manifest *m, struct error **err)
{
	char *path = xasprintf("%s/manifest", dir);
	char *text = manifest_format(m);
	FILE *f = text ? fopen(path, "wxe") : NULL;
	int ret = f ? 0 : -errno;

	if (f) {
		if (fputs(text, f) < 0 || fflush(f) || fchmod(fileno(f), 0644) ||
		    fsync(fileno(f)))
			ret = -errno;
		if (fclose(f) && !ret)
			ret = -errno;
	}
	if (ret)
		error_add(err, ret, NULL, "%s: cannot be written: %s", path, strerror(-ret));
	free(text);
	free(path);
	return ret;
}

int store_replace_manifest(struct store *s, const struct manifest *m, struct error **err)
{
	char *cur = xasprintf("%s/" CURRENT, s->dir), *tmp = NULL;
	char *from = NULL, *to = xasprintf("%s/manifest", cur);
	int ret = store_new(s, &tmp, err);

	if (!ret)
		ret = store_write_manifest(tmp, m, err);
	if (!ret) {
		from = xasprintf("%s/manifest", tmp);
		ret = rename(from, to) ? -errno : host_sync_dir(cur);
		if (ret)
			error_add(err, ret, NULL, "%s: cannot be put in place: %s", to, strerror(-ret));
	}
	if (tmp)
		host_rmtree(tmp);
	free(from);
	free(to);
	free(tmp);
	free(cur);
	return ret;
}

bool store_is_prebuilt(const char *xen)
{
	char *path = host_path(STUBDOM_PREBUILT_DIR "/%s/manifest", xen);
	bool is = !access(path, F_OK);

	free(path);
	return is;
}

char *store_place(const char *xen)
{
	return store_is_prebuilt(xen) ? xasprintf(STUBDOM_PREBUILT_DIR "/%s", xen)
				      : xasprintf(STUBDOM_STATE_DIR "/%s/" CURRENT, xen);
}

int store_manifest(const char *xen, struct manifest *m, struct error **err)
{
	char *place = store_place(xen), *path = host_path("%s/manifest", place);
	unsigned int line;
	int ret = manifest_read(path, m, &line);

	if (!ret && strcmp(m->xen, xen))
		ret = -EINVAL;
	if (ret == -EINVAL || ret == -EPROTO)
		error_add(err, ret, "run 'xen-stubdom build'", "%s: line %u is malformed", path, line);
	else if (ret)
		error_add(err, ret, "run 'xen-stubdom register'", "%s: %s", path, strerror(-ret));
	free(path);
	free(place);
	return ret;
}

int store_verify(const char *xen, const struct manifest *m)
{
	char *place = store_place(xen);
	char *kernel = host_path("%s/kernel", place), *rootfs = host_path("%s/rootfs", place);
	int ret = manifest_verify(&m->kernel, kernel);

	if (!ret)
		ret = manifest_verify(&m->rootfs, rootfs);
	free(kernel);
	free(rootfs);
	free(place);
	return ret;
}

static int by_name(const void *a, const void *b)
{
	return strverscmp(*(char *const *)a, *(char *const *)b);
}

static int add_versions(const char *where, char ***v, size_t *n)
{
	char *path = host_path("%s", where);
	DIR *d = opendir(path);
	struct dirent *de;

	free(path);
	if (!d)
		return errno == ENOENT ? 0 : -errno;
	while ((de = readdir(d))) {
		bool twice = !xen_version_valid(de->d_name);

		for (size_t i = 0; !twice && i < *n; i++)
			twice = !strcmp((*v)[i], de->d_name);
		if (twice)
			continue;
		*v = xgrow(*v, *n, sizeof(**v));
		(*v)[(*n)++] = xstrdup(de->d_name);
	}
	closedir(d);
	return 0;
}

int store_versions(char ***v, size_t *n)
{
	int ret, err;

	*v = NULL;
	*n = 0;
	ret = add_versions(STUBDOM_STATE_DIR, v, n);
	err = add_versions(STUBDOM_PREBUILT_DIR, v, n);
	if (*n)
		qsort(*v, *n, sizeof(**v), by_name);
	return ret ? ret : err;
}

int store_remove(struct store *s, const char *xen, struct error **err)
{
	char *dir = xasprintf("%s/%s", s->state, xen);
	char *cur = xasprintf("%s/" CURRENT, dir);
	int ret;

	/* First the name by which it is found, then the rest. */
	unlink(cur);
	ret = host_rmtree(dir);
	if (ret)
		error_add(err, ret, NULL, "%s: cannot be removed: %s", dir, strerror(-ret));
	free(cur);
	free(dir);
	return ret;
}
