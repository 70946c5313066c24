/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turn the archive that dracut wrote into the ramdisk: keep what was asked
 * for, in an order, with owners, times and inode numbers that depend on
 * nothing but the content.
 *
 * dracut adds what a general initramfs wants (its command line with paths of
 * this machine, ld.so.conf of the host, state directories), and its --reproducible
 * leaves times and inode numbers of the build in place on dracut 059 and 106.
 */
#ifndef XE_REPACK_H
#define XE_REPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"

#define REPACK_ENTRIES_MAX 65536
#define REPACK_BYTES_MAX (512u << 20)
/* Follow at most this many symlinks in one path, as the kernel does. */
#define REPACK_LINKS_MAX 40

struct repack_entry {
	char *path;		/* no leading slash, no "." or ".." inside */
	mode_t mode;		/* type and permissions */
	char *link;		/* target of a symlink */
	long hard;		/* index of the entry whose content it shares, or -1 */
	dev_t rdev;
	void *data;
	size_t size;
	bool keep;
};

struct repack {
	struct repack_entry *entry;
	size_t n;
	bool sorted;
	size_t bytes;		/* content of all kept files */
};

/*
 * Read a newc archive.  -EINVAL for an archive that is damaged, names paths
 * outside of it or the same path twice; -EFBIG above the limits.
 * repack_free() in any case.
 */
int repack_read(struct repack *r, const void *buf, size_t len);

/*
 * Keep the file @path with permissions @perm and every directory and symlink
 * on the way; symlinks in @path are followed.  The entry of the file goes to
 * @out (may be NULL).  -ENOENT, -ELOOP, -EISDIR.
 */
int repack_keep_file(struct repack *r, const char *path, mode_t perm,
		     const struct repack_entry **out);
/* Keep a directory as it is, made when it is not there. */
int repack_keep_dir(struct repack *r, const char *path, mode_t perm);
/* Keep a symlink made by us. */
int repack_add_symlink(struct repack *r, const char *path, const char *target);
/* Keep a device node made by us. */
int repack_add_node(struct repack *r, const char *path, mode_t mode, dev_t rdev);

/*
 * Write what is kept: newc, sorted, owned by 0:0, times 0, inodes from 1;
 * @level 1-19: zstd, window at most 8 MiB (what Linux unpacks); 0: plain.
 * -EINTR, without an error, when we were told to stop.
 */
int repack_write(struct repack *r, int fd, int level, struct error **err);

void repack_free(struct repack *r);

#endif
