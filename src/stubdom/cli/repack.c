// SPDX-License-Identifier: GPL-2.0-or-later
#include "repack.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#include "cli.h"
#include "cli/interrupt.h"

#define WRITE_CHUNK (256u << 10)

/* "a/b" out of "./a//b/"; NULL when it would leave the archive. */
static char *normal_path(const char *path)
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

static struct repack_entry *add_entry(struct repack *r, char *path, mode_t mode)
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
	char *path = normal_path(name);
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
	path = name ? normal_path(name) : NULL;
	if (!path)
		return -EINVAL;
	if (!*path) {		/* "." itself */
		free(path);
		return 0;
	}
	e = add_entry(r, path, mode);
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

static void sort_entries(struct repack *r)
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

static int check_unique(struct repack *r)
{
	sort_entries(r);
	for (size_t i = 1; i < r->n; i++)
		if (!strcmp(r->entry[i - 1].path, r->entry[i].path))
			return -EINVAL;
	return 0;
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

static struct repack_entry *find(struct repack *r, const char *path)
{
	size_t lo = 0, hi = r->n;

	if (!r->sorted)
		sort_entries(r);
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
		*e = find(r, path);
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
	char *path = normal_path(name), *rest;
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
		e = add_entry(r, normal_path(path), S_IFDIR);
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
	char *name = normal_path(path);
	struct repack_entry *e = name ? find(r, name) : NULL;

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
		e = add_entry(r, name, mode);
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

/* Names of one inode that are kept; the first of them carries the content. */
struct inode {
	unsigned int names;
	unsigned int number;
};

static struct inode *number_inodes(struct repack *r)
{
	struct inode *ino = xcalloc(r->n + 1, sizeof(*ino));
	unsigned int next = 0;

	r->bytes = 0;
	for (size_t i = 0; i < r->n; i++) {
		struct repack_entry *e = &r->entry[i];
		size_t at = e->hard >= 0 ? (size_t)e->hard : i;

		if (!e->keep)
			continue;
		if (!ino[at].names++) {
			ino[at].number = ++next;
			r->bytes += r->entry[at].size;
		}
	}
	return ino;
}

/* In pieces: compressing QEMU takes seconds, Ctrl-C should not. */
static int write_content(struct archive *a, const struct repack_entry *e)
{
	for (size_t done = 0; done < e->size;) {
		size_t len = e->size - done < WRITE_CHUNK ? e->size - done
							  : WRITE_CHUNK;

		if (interrupted())
			return -EINTR;
		if (archive_write_data(a, (char *)e->data + done, len) !=
		    (la_ssize_t)len)
			return -EIO;
		done += len;
	}
	return 0;
}

static int write_one(struct archive *a, struct archive_entry *ae,
		     const struct repack_entry *e,
		     const struct repack_entry *content, const struct inode *ino,
		     bool first)
{
	archive_entry_clear(ae);
	archive_entry_copy_pathname(ae, e->path);
	archive_entry_set_mode(ae, e->mode);
	archive_entry_set_uid(ae, 0);
	archive_entry_set_gid(ae, 0);
	archive_entry_set_mtime(ae, 0, 0);
	archive_entry_set_ino64(ae, ino->number);
	archive_entry_set_nlink(ae, ino->names);
	archive_entry_set_dev(ae, 0);
	archive_entry_set_rdev(ae, e->rdev);
	archive_entry_set_size(ae, 0);
	if (S_ISLNK(e->mode))
		archive_entry_copy_symlink(ae, e->link);
	/* Linux writes the content it finds first and links later names to it. */
	if (S_ISREG(e->mode) && first)
		archive_entry_set_size(ae, (la_int64_t)content->size);
	if (archive_write_header(a, ae) != ARCHIVE_OK)
		return -EIO;
	return S_ISREG(e->mode) && first ? write_content(a, content) : 0;
}

static int write_entries(struct repack *r, struct archive *a)
{
	struct archive_entry *ae = archive_entry_new();
	struct inode *ino = number_inodes(r);
	bool *done = xcalloc(r->n + 1, sizeof(*done));
	int ret = ae ? 0 : -ENOMEM;

	for (size_t i = 0; !ret && i < r->n; i++) {
		const struct repack_entry *e = &r->entry[i];
		size_t at = e->hard >= 0 ? (size_t)e->hard : i;

		if (!e->keep)
			continue;
		ret = write_one(a, ae, e, &r->entry[at], &ino[at], !done[at]);
		done[at] = true;
	}
	archive_entry_free(ae);
	free(ino);
	free(done);
	return ret;
}

static int set_filter(struct archive *a, int level)
{
	char text[12];

	if (!level)
		return archive_write_add_filter_none(a);
	snprintf(text, sizeof(text), "%d", level);
	if (archive_write_add_filter_zstd(a) != ARCHIVE_OK)
		return ARCHIVE_FATAL;
	return archive_write_set_filter_option(a, "zstd", "compression-level",
					       text);
}

int repack_write(struct repack *r, int fd, int level)
{
	struct archive *a = archive_write_new();
	int ret = 0, err;

	if (!a)
		return -ENOMEM;
	if (!r->sorted)
		sort_entries(r);
	if (archive_write_set_format_cpio_newc(a) != ARCHIVE_OK ||
	    set_filter(a, level) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
	    archive_write_open_fd(a, fd) != ARCHIVE_OK)
		ret = -EINVAL;
	if (!ret)
		ret = write_entries(r, a);
	if (archive_write_close(a) != ARCHIVE_OK && !ret)
		ret = -EIO;
	err = archive_errno(a);
	if (ret == -EIO && err > 0)
		ret = -err;
	if (ret && ret != -EINTR)
		log_err(NULL, "ramdisk cannot be written: %s",
			archive_error_string(a) ? archive_error_string(a)
						: strerror(-ret));
	archive_write_free(a);
	return ret;
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
