// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/cli/repack.c src/stubdom/cli/repack_read.c src/stubdom/cli/repack_keep.c src/stubdom/cli/repack_write.c src/lib/cli/host.c src/lib/cli/interrupt.c src/lib/base/file.c src/lib/base/error.c src/lib/base/log.c */
/* test-pkgs: libarchive */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "stubdom/cli/cli.h"
#include "stubdom/cli/repack.h"

/* A newc archive made by hand, so that it can be wrong in any way. */
struct cpio {
	char buf[65536];
	size_t len;
};

static void pad(struct cpio *c)
{
	while (c->len % 4)
		c->buf[c->len++] = '\0';
}

static void put(struct cpio *c, const char *name, unsigned int mode,
		unsigned int ino, unsigned int nlink, const void *data, size_t size)
{
	static unsigned int clock = 1700000000;

	/* owners, times, devices: all different, none may be seen again */
	c->len += (size_t)sprintf(c->buf + c->len,
		"070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X",
		ino, mode, 1000 + ino, 1000 + ino, nlink, clock++,
		(unsigned int)size, 8, 17, 4, 64, (unsigned int)strlen(name) + 1, 0);
	memcpy(c->buf + c->len, name, strlen(name) + 1);
	c->len += strlen(name) + 1;
	pad(c);
	memcpy(c->buf + c->len, data, size);
	c->len += size;
	pad(c);
}

static void file(struct cpio *c, const char *name, unsigned int ino,
		 const char *text)
{
	put(c, name, 0100600, ino, 1, text, strlen(text));
}

static void dir(struct cpio *c, const char *name, unsigned int ino)
{
	put(c, name, 040700, ino, 2, "", 0);
}

static void link_to(struct cpio *c, const char *name, unsigned int ino,
		    const char *target)
{
	put(c, name, 0120777, ino, 1, target, strlen(target));
}

static void end(struct cpio *c)
{
	put(c, "TRAILER!!!", 0, 0, 1, "", 0);
}

/* Write what is kept, plain, and give it back as bytes. */
static size_t written(struct repack *r, int level, char **out)
{
	int fd = memfd_create("out", 0);
	off_t len;

	assert_int_equal(repack_write(r, fd, level, NULL), 0);
	len = lseek(fd, 0, SEEK_END);
	*out = xcalloc(1, (size_t)len + 1);
	assert_int_equal(pread(fd, *out, (size_t)len, 0), len);
	close(fd);
	return (size_t)len;
}

struct header {
	unsigned int ino, mode, uid, gid, nlink, mtime, size, maj, min, rmaj, rmin;
	const char *name, *data;
};

/* Our own reading of newc: libarchive shall not be its own judge. */
static size_t next(const char *buf, size_t at, struct header *h)
{
	unsigned int f[13];
	char hex[9] = "";

	assert_memory_equal(buf + at, "070701", 6);
	for (int i = 0; i < 13; i++) {
		memcpy(hex, buf + at + 6 + i * 8, 8);
		f[i] = (unsigned int)strtoul(hex, NULL, 16);
	}
	*h = (struct header){ f[0], f[1], f[2], f[3], f[4], f[5], f[6], f[7], f[8],
			      f[9], f[10], buf + at + 110, NULL };
	at = (at + 110 + f[11] + 3) & ~(size_t)3;
	h->data = buf + at;
	return (at + f[6] + 3) & ~(size_t)3;
}

static void sample(struct cpio *c)
{
	memset(c, 0, sizeof(*c));
	dir(c, "usr", 5);
	dir(c, "usr/lib", 77);
	link_to(c, "lib", 6, "usr/lib");
	file(c, "usr/lib/b", 9, "bee");
	file(c, "usr/lib/a", 8, "ay");
	file(c, "usr/lib/dracut/build-parameter.txt", 11, "/home/me");
	dir(c, "var", 12);
	end(c);
}

static void keeps_what_is_asked_for(void **state)
{
	static const char *const names[] = {
		"dev", "dev/null", "lib", "usr", "usr/lib", "usr/lib/b", "TRAILER!!!"
	};
	struct cpio c;
	struct repack r;
	struct header h;
	char *out;
	size_t at = 0;

	(void)state;
	sample(&c);
	assert_int_equal(repack_read(&r, c.buf, c.len), 0);
	/* by way of the symlink */
	assert_int_equal(repack_keep_file(&r, "/lib/b", 0755, NULL), 0);
	assert_int_equal(repack_keep_dir(&r, "dev", 0755), 0);
	assert_int_equal(repack_add_node(&r, "dev/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	written(&r, 0, &out);
	for (unsigned int i = 0; i < 7; i++) {
		at = next(out, at, &h);
		assert_string_equal(h.name, names[i]);
		assert_int_equal(h.uid, 0);
		assert_int_equal(h.gid, 0);
		assert_int_equal(h.mtime, 0);
		assert_int_equal(h.maj, 0);
		assert_int_equal(h.min, 0);
		if (i < 6)
			assert_int_equal(h.ino, i + 1);
		if (!strcmp(h.name, "dev/null")) {
			assert_int_equal(h.mode, 020666);
			assert_int_equal(h.rmaj, 1);
			assert_int_equal(h.rmin, 3);
		}
		if (!strcmp(h.name, "lib"))
			assert_memory_equal(h.data, "usr/lib", 7);
		if (!strcmp(h.name, "usr/lib/b")) {
			assert_int_equal(h.mode, 0100755);
			assert_int_equal(h.size, 3);
			assert_memory_equal(h.data, "bee", 3);
		}
	}
	free(out);
	repack_free(&r);
}

static void same_bytes_from_any_order(void **state)
{
	struct cpio a = { .len = 0 }, b = { .len = 0 };
	char *out[2];
	size_t len[2];

	(void)state;
	dir(&a, "d", 1);
	file(&a, "d/x", 2, "one");
	file(&a, "d/y", 3, "two");
	end(&a);
	file(&b, "./d/y", 300, "two");
	file(&b, "d//x", 200, "one");
	dir(&b, "/d", 100);
	file(&b, "other", 50, "junk");
	end(&b);
	for (int i = 0; i < 2; i++) {
		struct cpio *c = i ? &b : &a;
		struct repack r;

		assert_int_equal(repack_read(&r, c->buf, c->len), 0);
		assert_int_equal(repack_keep_file(&r, "d/y", 0644, NULL), 0);
		assert_int_equal(repack_keep_file(&r, "d/x", 0644, NULL), 0);
		len[i] = written(&r, 3, &out[i]);
		repack_free(&r);
	}
	assert_int_equal(len[0], len[1]);
	assert_memory_equal(out[0], out[1], len[0]);
	/* zstd, and a window that Linux accepts (RFC 8878, 3.1.1.1.2) */
	assert_memory_equal(out[0], "\x28\xb5\x2f\xfd", 4);
	if (!(out[0][4] & 0x20))	/* not a single segment */
		assert_true(((unsigned char)out[0][5] >> 3) + 10 <= 23);
	free(out[0]);
	free(out[1]);
}

static void hard_links(void **state)
{
	struct cpio c = { .len = 0 };
	struct repack r;
	struct header h;
	char *out;
	size_t at = 0;
	int n = 0;

	(void)state;
	/* cpio puts the content with the last name */
	put(&c, "z", 0100644, 7, 3, "", 0);
	put(&c, "m", 0100644, 7, 3, "", 0);
	put(&c, "a", 0100644, 7, 3, "content", 7);
	end(&c);
	assert_int_equal(repack_read(&r, c.buf, c.len), 0);
	assert_int_equal(repack_keep_file(&r, "z", 0755, NULL), 0);
	assert_int_equal(repack_keep_file(&r, "a", 0755, NULL), 0);
	written(&r, 0, &out);
	for (;;) {
		at = next(out, at, &h);
		if (!strcmp(h.name, "TRAILER!!!"))
			break;
		assert_int_equal(h.ino, 1);
		assert_int_equal(h.nlink, 2);		/* "m" is not kept */
		assert_string_equal(h.name, n ? "z" : "a");
		/* Linux makes the file of the first name */
		assert_int_equal(h.size, n ? 0 : 7);
		if (!n)
			assert_memory_equal(h.data, "content", 7);
		n++;
	}
	assert_int_equal(n, 2);
	free(out);
	repack_free(&r);
}

static int read_bad(struct cpio *c)
{
	struct repack r;
	int ret;

	end(c);
	ret = repack_read(&r, c->buf, c->len);
	repack_free(&r);
	return ret;
}

static void damaged(void **state)
{
	struct cpio c = { .len = 0 };
	struct repack r;

	(void)state;
	file(&c, "../outside", 1, "x");
	assert_int_equal(read_bad(&c), -EINVAL);
	c.len = 0;
	file(&c, "a/../../b", 1, "x");
	assert_int_equal(read_bad(&c), -EINVAL);
	c.len = 0;
	file(&c, "twice", 1, "x");
	file(&c, "./twice", 2, "y");
	assert_int_equal(read_bad(&c), -EINVAL);
	c.len = 0;
	file(&c, "cut", 1, "a longer text");
	assert_int_equal(repack_read(&r, c.buf, c.len - 8), -EINVAL);
	repack_free(&r);
	assert_int_equal(repack_read(&r, "not an archive at all", 21), -EINVAL);
	repack_free(&r);
}

static void symlinks(void **state)
{
	struct cpio c = { .len = 0 };
	const struct repack_entry *e;
	struct repack r;

	(void)state;
	dir(&c, "a", 1);
	dir(&c, "a/b", 2);
	file(&c, "a/f", 3, "eff");
	link_to(&c, "a/b/up", 4, "../f");
	link_to(&c, "abs", 5, "/a/b");
	link_to(&c, "loop1", 6, "loop2");
	link_to(&c, "loop2", 7, "loop1");
	link_to(&c, "out", 8, "../../etc/passwd");
	link_to(&c, "gone", 9, "nowhere");
	end(&c);
	assert_int_equal(repack_read(&r, c.buf, c.len), 0);
	assert_int_equal(repack_keep_file(&r, "abs/up", 0644, &e), 0);
	assert_string_equal(e->path, "a/f");
	assert_int_equal(repack_keep_file(&r, "loop1", 0644, NULL), -ELOOP);
	assert_int_equal(repack_keep_file(&r, "out", 0644, NULL), -EINVAL);
	assert_int_equal(repack_keep_file(&r, "gone", 0644, NULL), -ENOENT);
	assert_int_equal(repack_keep_file(&r, "a/f/x", 0644, NULL), -ENOTDIR);
	assert_int_equal(repack_keep_file(&r, "a", 0644, NULL), -EISDIR);
	assert_int_equal(repack_keep_file(&r, "", 0644, NULL), -EINVAL);
	assert_int_equal(repack_add_symlink(&r, "a", "x"), -EINVAL);
	assert_int_equal(repack_add_symlink(&r, "a/f", "x"), -EEXIST);
	assert_int_equal(repack_add_symlink(&r, "a/new", "f"), 0);
	assert_int_equal(repack_keep_file(&r, "a/new", 0644, NULL), 0);
	repack_free(&r);
}

/* What we write is what libarchive, and so bsdtar, reads. */
static void others_read_it(void **state)
{
	struct archive_entry *ae;
	struct archive *a;
	struct cpio c;
	struct repack r;
	size_t len;
	char *out;

	(void)state;
	sample(&c);
	assert_int_equal(repack_read(&r, c.buf, c.len), 0);
	assert_int_equal(repack_keep_file(&r, "usr/lib/b", 0644, NULL), 0);
	len = written(&r, 19, &out);
	a = archive_read_new();
	archive_read_support_filter_zstd(a);
	archive_read_support_format_cpio(a);
	assert_int_equal(archive_read_open_memory(a, out, len), ARCHIVE_OK);
	for (int i = 0; i < 3; i++)
		assert_int_equal(archive_read_next_header(a, &ae), ARCHIVE_OK);
	assert_string_equal(archive_entry_pathname(ae), "usr/lib/b");
	assert_int_equal(archive_entry_size(ae), 3);
	assert_int_equal(archive_read_next_header(a, &ae), ARCHIVE_EOF);
	archive_read_free(a);
	free(out);
	repack_free(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_what_is_asked_for),
		cmocka_unit_test(same_bytes_from_any_order),
		cmocka_unit_test(hard_links),
		cmocka_unit_test(damaged),
		cmocka_unit_test(symlinks),
		cmocka_unit_test(others_read_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
