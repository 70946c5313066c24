// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/image/manifest.c src/lib/cli/host.c src/stubdom/cli/bzimage.c src/lib/base/file.c src/lib/base/log.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "stubdom/cli/cli.h"
#include "stubdom/cli/image.h"
#include "image/manifest.h"

#define SHA_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_B "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

#define GOOD "xen-stubdom-manifest 1\n" \
	"xen 4.20\n" \
	"key " SHA_A "\n" \
	"qemu 10.0.13\n" \
	"kernel-version 6.12.107\n" \
	"memory-min 112\n" \
	"generator 0.1.0 program:x module:y zstd:1.5.4\n" \
	"debug 0\n" \
	"input " SHA_B " /usr/lib/a file with spaces\n" \
	"input " SHA_A " /usr/lib/b\n" \
	"output kernel " SHA_A " 2118656\n" \
	"output rootfs " SHA_B " 4223552\n"

static int parse(const char *text, unsigned int *line)
{
	struct manifest m;
	int ret = manifest_parse(&m, text, line);

	manifest_free(&m);
	return ret;
}

static void round_trip(void **state)
{
	struct manifest m;
	char *text;

	(void)state;
	assert_int_equal(manifest_parse(&m, GOOD, NULL), 0);
	assert_string_equal(m.xen, "4.20");
	assert_string_equal(m.key, SHA_A);
	assert_int_equal(m.memory_min, 112);
	assert_int_equal(m.n_input, 2);
	assert_string_equal(m.input[0].path, "/usr/lib/a file with spaces");
	assert_int_equal(m.rootfs.size, 4223552);
	text = manifest_format(&m);
	assert_string_equal(text, GOOD);
	free(text);
	manifest_free(&m);
}

/* A manifest with @from replaced by @to: the error and the line it names. */
static void expect(const char *from, const char *to, int err, unsigned int at)
{
	const char *p = strstr(GOOD, from);
	unsigned int line;
	char *text;

	assert_non_null(p);
	text = xasprintf("%.*s%s%s", (int)(p - GOOD), GOOD, to, p + strlen(from));
	assert_int_equal(parse(text, &line), err);
	assert_int_equal(line, at);
	free(text);
}

static void bad_lines(void **state)
{
	(void)state;
	expect("manifest 1", "manifest 2", -EPROTO, 1);
	expect("xen 4.20", "xen ../../etc", -EINVAL, 2);
	expect("xen 4.20", "xen 4.20\nxen 4.17", -EINVAL, 3);
	expect("key " SHA_A, "key " SHA_A "a", -EINVAL, 3);
	expect("key " SHA_A, "key " SHA_A "/..", -EINVAL, 3);
	expect("key aa", "key Aa", -EINVAL, 3);
	expect("key " SHA_A, "key ", -EINVAL, 3);
	expect("10.0.13", "10.0\x1b[2J", -EINVAL, 4);
	expect("memory-min 112", "memory-min -1", -EINVAL, 6);
	expect("memory-min 112", "memory-min 99999999999999999999", -EINVAL, 6);
	expect("debug 0", "debug 2", -EINVAL, 8);
	expect("debug 0", "debug", -EINVAL, 8);
	expect("/usr/lib/b", "relative", -EINVAL, 10);
	expect(" 2118656", "", -EINVAL, 11);
	expect(" 2118656", " 2118656x", -EINVAL, 11);
	expect("output rootfs", "output kernel", -EINVAL, 12);
	/* not complete: no line to blame */
	expect("output rootfs " SHA_B " 4223552\n", "", -EINVAL, 0);
	expect("qemu 10.0.13\n", "", -EINVAL, 0);
}

static void later_words_are_skipped(void **state)
{
	(void)state;
	expect("debug 0", "colour blue\ndebug 0", 0, 0);
	expect("output kernel", "output initrd x\noutput kernel", 0, 0);
}

static void empty_and_endless(void **state)
{
	char *text = xcalloc(1, 10000);
	unsigned int line;

	(void)state;
	assert_int_equal(parse("", &line), -EPROTO);
	memset(text, 'x', 9999);
	assert_int_equal(parse(text, &line), -EINVAL);
	assert_int_equal(line, 1);
	free(text);
}

static void versions(void **state)
{
	(void)state;
	assert_true(xen_version_valid("4.20"));
	assert_true(xen_version_valid("4.9"));
	assert_false(xen_version_valid(""));
	assert_false(xen_version_valid("4"));
	assert_false(xen_version_valid("4."));
	assert_false(xen_version_valid(".20"));
	assert_false(xen_version_valid("4.20.1"));
	assert_false(xen_version_valid("4.20/.."));
	assert_false(xen_version_valid("4.2000"));
	assert_false(xen_version_valid("-4.20"));
}

static void kernel_version(void **state)
{
	unsigned char img[0x400] = { 0 };
	char out[32];

	(void)state;
	memcpy(img + 0x202, "HdrS", 4);
	img[0x20e] = 0x80;
	img[0x20f] = 0x01;		/* 0x180 + 0x200 */
	memcpy(img + 0x380, "6.12.107 (us@here) #1", 21);
	assert_int_equal(bzimage_version(img, sizeof(img), out, sizeof(out)), 0);
	assert_string_equal(out, "6.12.107");
	/* it points behind the end */
	img[0x20f] = 0xff;
	assert_int_equal(bzimage_version(img, sizeof(img), out, sizeof(out)), -EINVAL);
	assert_int_equal(bzimage_version(img, 0x20f, out, sizeof(out)), -EINVAL);
	img[0x202] = 'x';
	assert_int_equal(bzimage_version(img, sizeof(img), out, sizeof(out)), -EINVAL);
	assert_int_equal(bzimage_version("", 0, out, sizeof(out)), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(bad_lines),
		cmocka_unit_test(later_words_are_skipped),
		cmocka_unit_test(empty_and_endless),
		cmocka_unit_test(versions),
		cmocka_unit_test(kernel_version),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
