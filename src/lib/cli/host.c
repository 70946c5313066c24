// SPDX-License-Identifier: GPL-2.0-or-later
/* Paths below --root, and the few file operations everything here needs. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/array.h"
#include "base/file.h"
#include "base/log.h"
#include "host.h"

static char *root_prefix;

int host_set_root(const char *dir)
{
	size_t len = strlen(dir);

	if (dir[0] != '/')
		return -EINVAL;
	free(root_prefix);
	root_prefix = xstrdup(dir);
	while (len && root_prefix[len - 1] == '/')
		root_prefix[--len] = '\0';
	return 0;
}

const char *host_root(void)
{
	return root_prefix ? root_prefix : "";
}

static void out_of_memory(void)
{
	log_err(NULL, "out of memory");
	exit(EXIT_FAILURE);
}

static char *vfmt(const char *fmt, va_list ap)
{
	char *s;

	if (vasprintf(&s, fmt, ap) < 0)
		out_of_memory();
	return s;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s;

	va_start(ap, fmt);
	s = vfmt(fmt, ap);
	va_end(ap);
	return s;
}

char *host_path(const char *fmt, ...)
{
	va_list ap;
	char *rel, *abs;

	va_start(ap, fmt);
	rel = vfmt(fmt, ap);
	va_end(ap);
	abs = xasprintf("%s%s", host_root(), rel);
	free(rel);
	return abs;
}

void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		out_of_memory();
	return p;
}

void *xgrow(void *array, size_t n, size_t size)
{
	array = array_grow(array, n, size);
	if (!array)
		out_of_memory();
	return array;
}

char *xstrdup(const char *s)
{
	char *d = strdup(s);

	if (!d)
		out_of_memory();
	return d;
}

int host_slurp(const char *path, size_t max, char **out, size_t *len)
{
	int ret = file_read(path, max, out, len);

	if (ret == -ENOMEM)
		out_of_memory();
	return ret;
}

static int rm_one(const char *path, const struct stat *st, int type,
		  struct FTW *ftw)
{
	(void)st;
	(void)ftw;
	return (type == FTW_DP ? rmdir(path) : unlink(path)) ? -errno : 0;
}

int host_rmtree(const char *path)
{
	int ret = nftw(path, rm_one, 16, FTW_DEPTH | FTW_PHYS);

	if (ret == -1)
		ret = -errno;
	return ret == -ENOENT ? 0 : ret;
}

int host_mkdirs(const char *path)
{
	char *p = xstrdup(path), *s = p;
	struct stat st;
	int ret = 0;

	do {
		s = strchr(s + 1, '/');
		if (s)
			*s = '\0';
		if (mkdir(p, 0755) && errno != EEXIST)
			ret = -errno;
		if (s)
			*s = '/';
	} while (s && !ret);
	if (!ret && (stat(path, &st) || !S_ISDIR(st.st_mode)))
		ret = -ENOTDIR;
	free(p);
	return ret;
}

int host_sync_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (fsync(fd))
		ret = -errno;
	close(fd);
	return ret;
}

const char *clean(char *dst, size_t max, const char *src)
{
	return log_clean(dst, max, src, strlen(src));
}
