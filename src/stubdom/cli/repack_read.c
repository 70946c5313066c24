// SPDX-License-Identifier: GPL-2.0-or-later
/* A newc archive into entries. */
#include "repack_entries.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

static int read_data(struct repack *r, struct archive *a, struct repack_entry *e,
		     int64_t size)
{
	size_t got = 0;

	if (size < 0 || (uint64_t)size > REPACK_BYTES_MAX - r->bytes)
		return -EFBIG;
	r->bytes += (size_t)size;
	e->data = malloc((size_t)size + 1);
	if (!e->data)
		return -ENOMEM;
	while (got < (size_t)size) {
		la_ssize_t n = archive_read_data(a, (char *)e->data + got,
						 (size_t)size - got);

		if (n <= 0)
			return -EINVAL;
		got += (size_t)n;
	}
	e->size = got;
	return 0;
}

/* The entry that @name, an earlier path, names; linear: few hard links. */
static long find_earlier(const struct repack *r, const char *name, size_t before)
{
	char *path = repack_path(name);
	long at = -1;

	for (size_t i = 0; path && i < before && at < 0; i++)
		if (!strcmp(r->entry[i].path, path))
			at = (long)i;
	free(path);
	return at;
}

static int read_hard_link(struct repack *r, struct archive *a,
			  struct archive_entry *ae, size_t self)
{
	struct repack_entry *e = &r->entry[self], *first;
	long at = find_earlier(r, archive_entry_hardlink(ae), self);
	int ret = 0;

	if (at < 0 || !S_ISREG(r->entry[at].mode))
		return -EINVAL;
	while (r->entry[at].hard >= 0)
		at = r->entry[at].hard;
	e->hard = at;
	e->mode = r->entry[at].mode;
	first = &r->entry[at];
	/* cpio keeps the content with the last name, libarchive may too. */
	if (archive_entry_size(ae) > 0 && !first->size) {
		free(first->data);
		first->data = NULL;
		ret = read_data(r, a, first, archive_entry_size(ae));
	}
	return ret;
}

static int read_entry(struct repack *r, struct archive *a,
		      struct archive_entry *ae)
{
	const char *name = archive_entry_pathname(ae);
	mode_t mode = archive_entry_mode(ae);
	struct repack_entry *e;
	char *path;

	if (r->n >= REPACK_ENTRIES_MAX)
		return -EFBIG;
	path = name ? repack_path(name) : NULL;
	if (!path)
		return -EINVAL;
	if (!*path) {		/* "." itself */
		free(path);
		return 0;
	}
	e = repack_add(r, path, mode);
	if (archive_entry_hardlink(ae))
		return read_hard_link(r, a, ae, r->n - 1);
	switch (mode & S_IFMT) {
	case S_IFREG:
		return read_data(r, a, e, archive_entry_size(ae));
	case S_IFLNK:
		if (!archive_entry_symlink(ae) || !*archive_entry_symlink(ae))
			return -EINVAL;
		e->link = xstrdup(archive_entry_symlink(ae));
		return 0;
	case S_IFCHR:
	case S_IFBLK:
		e->rdev = archive_entry_rdev(ae);
		return 0;
	case S_IFDIR:
	case S_IFIFO:
	case S_IFSOCK:
		return 0;
	}
	return -EINVAL;
}

/* cpio(5), "New ASCII format": magic, then fields of eight hex digits. */
#define NEWC_HEADER 110
#define NEWC_FIELDS 13
#define NEWC_FILESIZE 6
#define NEWC_NAMESIZE 11
#define NEWC_NAME_MAX 4096
#define END_NAME "TRAILER!!!"

static int newc_field(const char *header, int index, size_t *out)
{
	char hex[9] = "";

	memcpy(hex, header + 6 + index * 8, 8);
	if (strspn(hex, "0123456789abcdefABCDEF") != 8)
		return -EINVAL;
	*out = strtoul(hex, NULL, 16);
	return 0;
}

/*
 * Every header, its name and its content lie inside the archive, and it has an
 * end.  libarchive would allocate whatever a header claims before it looks.
 */
static int check_newc(const char *buf, size_t len)
{
	for (size_t at = 0, name = 0, size = 0;;) {
		const char *h = buf + at;

		if (len - at < NEWC_HEADER ||
		    (memcmp(h, "070701", 6) && memcmp(h, "070702", 6)))
			return -EINVAL;
		/* All of them: libarchive looks for another header otherwise. */
		for (int i = 0; i < NEWC_FIELDS; i++)
			if (newc_field(h, i, &size))
				return -EINVAL;
		newc_field(h, NEWC_FILESIZE, &size);
		newc_field(h, NEWC_NAMESIZE, &name);
		if (!name || name > NEWC_NAME_MAX ||
		    name > len - at - NEWC_HEADER || h[NEWC_HEADER + name - 1])
			return -EINVAL;
		if (name == sizeof(END_NAME) && !strcmp(h + NEWC_HEADER, END_NAME))
			return 0;
		at = (at + NEWC_HEADER + name + 3) & ~(size_t)3;
		if (at > len || size > len - at)
			return -EINVAL;
		at = (at + size + 3) & ~(size_t)3;
		if (at > len)
			return -EINVAL;
	}
}

static int check_unique(struct repack *r)
{
	repack_sort(r);
	for (size_t i = 1; i < r->n; i++)
		if (!strcmp(r->entry[i - 1].path, r->entry[i].path))
			return -EINVAL;
	return 0;
}

int repack_read(struct repack *r, const void *buf, size_t len)
{
	struct archive *a;
	struct archive_entry *ae;
	int ret, err;

	memset(r, 0, sizeof(*r));
	ret = check_newc(buf, len);
	if (ret)
		return ret;
	a = archive_read_new();
	if (!a)
		return -ENOMEM;
	archive_read_support_format_cpio(a);
	if (archive_read_open_memory(a, buf, len) != ARCHIVE_OK)
		ret = -EINVAL;
	while (!ret) {
		err = archive_read_next_header(a, &ae);
		if (err == ARCHIVE_EOF)
			break;
		/* A warning is about names in other charsets: harmless here. */
		ret = err == ARCHIVE_OK || err == ARCHIVE_WARN
			? read_entry(r, a, ae) : -EINVAL;
	}
	archive_read_free(a);
	return ret ? ret : check_unique(r);
}
