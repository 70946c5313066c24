// SPDX-License-Identifier: GPL-2.0-or-later
/* What is kept, as a newc archive that depends on the content alone. */
#include "repack_entries.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli/interrupt.h"

#define WRITE_CHUNK (256u << 10)

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

int repack_write(struct repack *r, int fd, int level, struct error **err)
{
	struct archive *a = archive_write_new();
	int ret = 0, why;

	if (!a)
		return error_add(err, -ENOMEM, NULL, "out of memory");
	if (!r->sorted)
		repack_sort(r);
	if (archive_write_set_format_cpio_newc(a) != ARCHIVE_OK ||
	    set_filter(a, level) != ARCHIVE_OK ||
	    archive_write_set_bytes_in_last_block(a, 1) != ARCHIVE_OK ||
	    archive_write_open_fd(a, fd) != ARCHIVE_OK)
		ret = -EINVAL;
	if (!ret)
		ret = write_entries(r, a);
	if (archive_write_close(a) != ARCHIVE_OK && !ret)
		ret = -EIO;
	why = archive_errno(a);
	if (ret == -EIO && why > 0)
		ret = -why;
	if (ret && ret != -EINTR)
		error_add(err, ret, NULL, "ramdisk cannot be written: %s",
			  archive_error_string(a) ? archive_error_string(a) : strerror(-ret));
	archive_write_free(a);
	return ret;
}
