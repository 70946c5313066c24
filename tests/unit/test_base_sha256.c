// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/base/sha256.c */
/* test-pkgs: libcrypto */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"

static char dir[64], path[96];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/sha256-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/f", dir);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(dir);
}

static void put(const char *text, size_t times)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	while (times--)
		assert_true(fputs(text, f) >= 0);
	assert_int_equal(fclose(f), 0);
}

/* The examples of FIPS 180-4 (NIST, "SHA256.pdf" and the long message). */
static void known_answers(void **state)
{
	char hex[SHA256_HEX_LEN + 1];
	uint64_t size;

	(void)state;
	put("", 0);
	assert_int_equal(sha256_file(path, 0, hex, &size), 0);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	assert_int_equal(size, 0);
	put("abc", 1);
	assert_int_equal(sha256_file(path, 3, hex, &size), 0);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(size, 3);
	put("aaaaaaaaaa", 100000);
	assert_int_equal(sha256_file(path, 1000000, hex, NULL), 0);
	assert_string_equal(hex, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

static void bounded(void **state)
{
	char hex[SHA256_HEX_LEN + 1];

	(void)state;
	put("abc", 1);
	assert_int_equal(sha256_file(path, 2, hex, NULL), -EFBIG);
	put("aaaaaaaaaa", 100000);
	assert_int_equal(sha256_file(path, 999999, hex, NULL), -EFBIG);
}

static void only_files(void **state)
{
	char hex[SHA256_HEX_LEN + 1], target[96];

	(void)state;
	assert_int_equal(sha256_file(path, 10, hex, NULL), -ENOENT);
	assert_int_equal(sha256_file(dir, 10, hex, NULL), -EINVAL);
	assert_int_equal(sha256_file("/dev/zero", 10, hex, NULL), -EINVAL);
	/* must not wait for a writer */
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(sha256_file(path, 10, hex, NULL), -EINVAL);
	unlink(path);
	/* links are followed */
	snprintf(target, sizeof(target), "%s/g", dir);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(sha256_file(path, 10, hex, NULL), -ENOENT);
	unlink(path);
	put("abc", 1);
	assert_int_equal(symlink(path, target), 0);
	assert_int_equal(sha256_file(target, 10, hex, NULL), 0);
	unlink(target);
}

static void from_where_it_stands(void **state)
{
	char hex[SHA256_HEX_LEN + 1];
	uint64_t size;
	int fd;

	(void)state;
	put("xxabc", 1);
	fd = open(path, O_RDONLY);
	assert_int_equal(lseek(fd, 2, SEEK_SET), 2);
	assert_int_equal(sha256_fd(fd, 10, hex, &size), 0);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(size, 3);
	close(fd);
	assert_int_equal(sha256_fd(fd, 10, hex, &size), -EBADF);
}

static void of_memory(void **state)
{
	char hex[SHA256_HEX_LEN + 1];

	(void)state;
	assert_int_equal(sha256_buf("abc", 3, hex), 0);
	assert_string_equal(hex, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(sha256_buf(NULL, 0, hex), 0);
	assert_string_equal(hex, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

int main(void)
{
#define T(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(known_answers), T(bounded), T(only_files), T(from_where_it_stands),
		T(of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
