// SPDX-License-Identifier: GPL-2.0-or-later
/* The entries of the archive. */
#include "repack_entries.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"

char *repack_path(const char *path)
{
	char *out = xcalloc(1, strlen(path) + 1), *o = out;

	while (*path) {
		size_t len = strcspn(path, "/");

		if (len == 2 && !strncmp(path, "..", 2)) {
			free(out);
			return NULL;
		}
		if (len && !(len == 1 && *path == '.')) {
			if (o != out)
				*o++ = '/';
			memcpy(o, path, len);
			o += len;
		}
		path += len;
		path += strspn(path, "/");
	}
	*o = '\0';
	return out;
}

struct repack_entry *repack_add(struct repack *r, char *path, mode_t mode)
{
	struct repack_entry *e;

	r->entry = xgrow(r->entry, r->n, sizeof(*e));
	e = &r->entry[r->n++];
	memset(e, 0, sizeof(*e));
	e->path = path;
	e->mode = mode;
	e->hard = -1;
	r->sorted = false;
	return e;
}

/* Indices of hard links move with their entries. */
struct slot {
	struct repack_entry e;
	size_t was;
};

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct slot *)a)->e.path,
		      ((const struct slot *)b)->e.path);
}

void repack_sort(struct repack *r)
{
	struct slot *s = xcalloc(r->n + 1, sizeof(*s));
	size_t *now = xcalloc(r->n + 1, sizeof(*now));

	for (size_t i = 0; i < r->n; i++) {
		s[i].e = r->entry[i];
		s[i].was = i;
	}
	qsort(s, r->n, sizeof(*s), by_path);
	for (size_t i = 0; i < r->n; i++)
		now[s[i].was] = i;
	for (size_t i = 0; i < r->n; i++) {
		r->entry[i] = s[i].e;
		if (r->entry[i].hard >= 0)
			r->entry[i].hard = (long)now[r->entry[i].hard];
	}
	free(s);
	free(now);
	r->sorted = true;
}

struct repack_entry *repack_find(struct repack *r, const char *path)
{
	size_t lo = 0, hi = r->n;

	if (!r->sorted)
		repack_sort(r);
	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;
		int c = strcmp(path, r->entry[mid].path);

		if (!c)
			return &r->entry[mid];
		if (c < 0)
			hi = mid;
		else
			lo = mid + 1;
	}
	return NULL;
}

void repack_free(struct repack *r)
{
	for (size_t i = 0; i < r->n; i++) {
		free(r->entry[i].path);
		free(r->entry[i].link);
		free(r->entry[i].data);
	}
	free(r->entry);
	memset(r, 0, sizeof(*r));
}
