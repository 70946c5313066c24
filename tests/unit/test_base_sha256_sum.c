// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/base/sha256_sum.c src/lib/base/sha256.c */
/* test-pkgs: libcrypto */
/* SHA-256 without libcrypto: the standard's examples, and libcrypto's word on everything else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "base/sha256_sum.h"

static const char *hex(const uint8_t sum[SHA256_LEN])
{
	static char text[SHA256_HEX_LEN + 1];

	for (int i = 0; i < SHA256_LEN; i++)
		snprintf(text + 2 * i, 3, "%02x", sum[i]);
	return text;
}

static void examples_of_the_standard(void **state)
{
	uint8_t sum[SHA256_LEN];

	(void)state;
	sha256_sum_of("", 0, sum);
	assert_string_equal(hex(sum), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	sha256_sum_of("abc", 3, sum);
	assert_string_equal(hex(sum), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	sha256_sum_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56, sum);
	assert_string_equal(hex(sum), "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

static void every_length_and_every_cut(void **state)
{
	uint8_t data[300], sum[SHA256_LEN];
	char want[SHA256_HEX_LEN + 1];
	struct sha256_sum s;

	(void)state;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = i * 7 + 1;
	for (size_t len = 0; len <= sizeof(data); len++) {
		assert_int_equal(sha256_buf(data, len, want), 0);
		for (size_t cut = 0; cut <= len; cut += 13) {
			sha256_sum_init(&s);
			sha256_sum_add(&s, data, cut);
			sha256_sum_add(&s, data + cut, len - cut);
			sha256_sum_end(&s, sum);
			assert_string_equal(hex(sum), want);
		}
	}
}

static void byte_by_byte(void **state)
{
	uint8_t sum[SHA256_LEN];
	struct sha256_sum s;

	(void)state;
	sha256_sum_init(&s);
	for (int i = 0; i < 1000000; i++)
		sha256_sum_add(&s, "a", 1);
	sha256_sum_end(&s, sum);
	assert_string_equal(hex(sum), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(examples_of_the_standard), cmocka_unit_test(every_length_and_every_cut),
		cmocka_unit_test(byte_by_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
