// SPDX-License-Identifier: GPL-2.0-or-later
/* Which entries are kept, and entries of our own. */
#include "repack_entries.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

/* The path a symlink at @path leads to, with @rest behind it; NULL: outside. */
static char *follow(const char *path, const char *target, const char *rest)
{
	const char *slash = strrchr(path, '/');
	int dir = target[0] == '/' || !slash ? 0 : (int)(slash - path);
	char *joined = xasprintf("%.*s/%s/%s", dir, path, target, rest);
	char *out = xcalloc(1, strlen(joined) + 1);

	/* Here ".." is fine as long as it stays inside. */
	for (char *p = joined, *save = NULL, *c; (c = strtok_r(p, "/", &save));
	     p = NULL) {
		char *last = strrchr(out, '/');

		if (!strcmp(c, "."))
			continue;
		if (!strcmp(c, "..")) {
			if (!*out) {
				free(out);
				out = NULL;
				break;
			}
			*(last ? last : out) = '\0';
			continue;
		}
		if (*out)
			strcat(out, "/");
		strcat(out, c);
	}
	free(joined);
	return out;
}

/*
 * Walk @path: *@at is left at the first component that is a symlink or is not
 * there, or at the end.  Directories passed are kept.
 */
static int walk(struct repack *r, char *path, struct repack_entry **e,
		char **rest)
{
	for (char *s = path;; *s++ = '/') {
		s = strchr(s, '/');
		if (s)
			*s = '\0';
		*e = repack_find(r, path);
		if (!*e)
			return -ENOENT;
		*rest = s ? s + 1 : NULL;
		if (S_ISLNK((*e)->mode) || !s)
			return 0;
		if (!S_ISDIR((*e)->mode))
			return -ENOTDIR;
		(*e)->keep = true;
		(*e)->mode = S_IFDIR | 0755;
	}
}

static int resolve(struct repack *r, const char *name, struct repack_entry **out)
{
	char *path = repack_path(name), *rest;
	int ret = path && *path ? 0 : -EINVAL;

	for (int links = 0; !ret; links++) {
		struct repack_entry *e;
		char *next;

		ret = walk(r, path, &e, &rest);
		if (ret || !S_ISLNK(e->mode)) {
			*out = e;
			break;
		}
		if (links == REPACK_LINKS_MAX) {
			ret = -ELOOP;
			break;
		}
		e->keep = true;
		e->mode = S_IFLNK | 0777;
		next = follow(e->path, e->link, rest ? rest : "");
		free(path);
		path = next;
		if (!path || !*path)
			ret = -EINVAL;
	}
	free(path);
	return ret;
}

int repack_keep_file(struct repack *r, const char *path, mode_t perm,
		     const struct repack_entry **out)
{
	struct repack_entry *e;
	int ret = resolve(r, path, &e);

	if (ret)
		return ret;
	if (!S_ISREG(e->mode))
		return S_ISDIR(e->mode) ? -EISDIR : -EINVAL;
	e->keep = true;
	e->mode = S_IFREG | perm;
	if (out)
		*out = e->hard >= 0 ? &r->entry[e->hard] : e;
	return 0;
}

int repack_keep_dir(struct repack *r, const char *path, mode_t perm)
{
	struct repack_entry *e;
	int ret = resolve(r, path, &e);

	if (ret == -ENOENT) {
		e = repack_add(r, repack_path(path), S_IFDIR);
		ret = 0;
	}
	if (ret)
		return ret;
	if (!S_ISDIR(e->mode))
		return -ENOTDIR;
	e->keep = true;
	e->mode = S_IFDIR | perm;
	return 0;
}

static int add_own(struct repack *r, const char *path, mode_t mode,
		   struct repack_entry **out)
{
	char *name = repack_path(path);
	struct repack_entry *e = name ? repack_find(r, name) : NULL;

	if (!name || !*name || (e && S_ISDIR(e->mode))) {
		free(name);
		return -EINVAL;
	}
	if (e) {
		free(name);
		if (e->hard < 0 && S_ISREG(e->mode))
			return -EEXIST;
		free(e->link);
		e->link = NULL;
		e->hard = -1;
		e->mode = mode;
	} else {
		e = repack_add(r, name, mode);
	}
	e->keep = true;
	*out = e;
	return 0;
}

int repack_add_symlink(struct repack *r, const char *path, const char *target)
{
	struct repack_entry *e;
	int ret = add_own(r, path, S_IFLNK | 0777, &e);

	if (!ret)
		e->link = xstrdup(target);
	return ret;
}

int repack_add_node(struct repack *r, const char *path, mode_t mode, dev_t rdev)
{
	struct repack_entry *e;
	int ret = add_own(r, path, mode, &e);

	if (!ret)
		e->rdev = rdev;
	return ret;
}
