// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/state/header.c src/lib/state/words.c src/lib/base/sha256_sum.c src/lib/base/log.c src/lib/xen/xs_util.c tests/unit/fake_xenstore.c */
/* A state disk's header and nodes: what is taken, and what is refused and with which words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256_sum.h"
#include "state/header.h"
#include "state/words.h"

#define LIMIT 4096
#define TAG "00112233445566778899aabbccddeeff"

static const uint8_t state_bytes[] = "QEVM and so on";
static char why[STATE_DISK_REASON_MAX + 1];

static struct state_info info_of(const void *data, size_t len)
{
	struct state_info i = { .length = len, .qemu = "10.0.13", .machine = "xenfv-4.2" };

	sha256_sum_of(data, len, i.sha256);
	return i;
}

static struct state_disk_header good(void)
{
	struct state_info i = info_of(state_bytes, sizeof(state_bytes));
	struct state_disk_header h;

	state_header_make(&i, &h);
	return h;
}

/* What was changed on purpose is not what "check" is about. */
static void sign(struct state_disk_header *h)
{
	sha256_sum_of(h, offsetof(struct state_disk_header, check), h->check);
}

static void what_is_made_is_taken(void **state)
{
	struct state_disk_header h = good();
	struct state_info i;

	(void)state;
	assert_int_equal(state_header_check(&h, LIMIT, &i, why), 0);
	assert_int_equal(i.length, sizeof(state_bytes));
	assert_string_equal(i.qemu, "10.0.13");
	assert_string_equal(i.machine, "xenfv-4.2");
	assert_int_equal(state_check(&i, state_bytes, why), 0);
	/* offsets of docs/state-disk.md */
	assert_memory_equal(&h, "XE-STATE-DISK\r\n\x1a", 16);
	assert_int_equal(((uint8_t *)&h)[24], sizeof(state_bytes));
	assert_memory_equal((uint8_t *)&h + 64, "10.0.13", 8);
	assert_memory_equal((uint8_t *)&h + 96, "xenfv-4.2", 10);
	assert_memory_equal((uint8_t *)&h + 240, "XE-STATE-DISK\r\n\x1a", 16);
}

static void names_are_made_fit(void **state)
{
	struct state_info i = info_of(state_bytes, sizeof(state_bytes));
	struct state_disk_header h;

	(void)state;
	memset(i.qemu, 'x', sizeof(i.qemu) - 1);
	strcpy(i.machine, "a b\n\xff");
	state_header_make(&i, &h);
	assert_int_equal(state_header_check(&h, LIMIT, &i, why), 0);
	assert_string_equal(i.machine, "a?b??");
}

#define REFUSED(h, ret, text) do {						\
	struct state_info i_;							\
	assert_int_equal(state_header_check(h, LIMIT, &i_, why), ret);		\
	assert_string_equal(why, text);						\
} while (0)

static void what_is_refused(void **state)
{
	struct state_disk_header h = { .version = 0 };

	(void)state;
	REFUSED(&h, -ENODATA, "there is no header: the state is not complete");
	h = good();
	h.magic[3] ^= 1;
	REFUSED(&h, -EINVAL, "the header is malformed: magic");
	h = good();
	h.version = htole32(2);
	REFUSED(&h, -EPROTO, "the header has version 2: this host knows 1");
	h = good();
	h.size = htole32(512);
	sign(&h);
	REFUSED(&h, -EINVAL, "the header is malformed: size");
	h = good();
	h.length = htole64(5);
	REFUSED(&h, -EINVAL, "the header is malformed: check");
	h = good();
	h.end[15] = 0;
	REFUSED(&h, -EINVAL, "the header is malformed: end");
	h = good();
	h.length = 0;
	sign(&h);
	REFUSED(&h, -EINVAL, "the header is malformed: length");
	h = good();
	memset(h.qemu, 'q', sizeof(h.qemu));
	sign(&h);
	REFUSED(&h, -EINVAL, "the header is malformed: qemu");
	h = good();
	h.machine[20] = 'x';
	sign(&h);
	REFUSED(&h, -EINVAL, "the header is malformed: machine");
	h = good();
	h.reserved[79] = 1;
	sign(&h);
	REFUSED(&h, -EINVAL, "the header is malformed: reserved");
	h = good();
	h.length = htole64(LIMIT + 1);
	sign(&h);
	REFUSED(&h, -EFBIG, "a state of 4097 bytes: at most 4096 are allowed (xen-stubdomd --state-limit)");
	h.length = htole64(1ull << 63);
	sign(&h);
	REFUSED(&h, -EFBIG, "a state of 9223372036854775808 bytes: at most 4096 are allowed (xen-stubdomd --state-limit)");
}

/* A single wrong bit anywhere. */
static void every_bit_counts(void **state)
{
	struct state_disk_header h;
	struct state_info i;

	(void)state;
	for (size_t bit = 0; bit < 8 * sizeof(h); bit++) {
		h = good();
		((uint8_t *)&h)[bit / 8] ^= 1 << bit % 8;
		assert_int_not_equal(state_header_check(&h, LIMIT, &i, why), 0);
	}
}

static void the_state_itself(void **state)
{
	struct state_info i = info_of(state_bytes, sizeof(state_bytes));

	(void)state;
	i.sha256[0] ^= 1;
	assert_int_equal(state_check(&i, state_bytes, why), -EBADMSG);
	assert_string_equal(why, "the state is damaged: its SHA-256 is not that of its header");
	i = info_of("QEVx", 4);
	assert_int_equal(state_check(&i, "QEVx", why), -EBADMSG);
	i = info_of("QEV", 3);
	assert_int_equal(state_check(&i, "QEV", why), -EBADMSG);
	assert_string_equal(why, "this is no device state of QEMU");
}

/* The file that libxl keeps. */
static void a_file_is_taken_or_refused(void **state)
{
	uint8_t file[sizeof(state_bytes) + sizeof(struct state_disk_header)];
	struct state_disk_header h = good();
	struct state_info i;
	bool bare;

	(void)state;
	memcpy(file, state_bytes, sizeof(state_bytes));
	memcpy(file + sizeof(state_bytes), &h, sizeof(h));
	assert_int_equal(state_file_check(file, sizeof(file), LIMIT, &i, &bare, why), 0);
	assert_false(bare);
	assert_int_equal(i.length, sizeof(state_bytes));
	for (size_t bit = 0; bit < 8 * sizeof(file); bit++) {
		file[bit / 8] ^= 1 << bit % 8;
		assert_int_not_equal(state_file_check(file, sizeof(file), LIMIT, &i, &bare, why), 0);
		file[bit / 8] ^= 1 << bit % 8;
	}
	/* its beginning was lost */
	assert_int_equal(state_file_check(file + 1, sizeof(file) - 1, LIMIT, &i, &bare, why), -EINVAL);
	assert_string_equal(why, "the file has 270 bytes, and its header asks for 271");
	/* by console, short ones and long ones */
	assert_int_equal(state_file_check(state_bytes, sizeof(state_bytes), LIMIT, &i, &bare, why), 0);
	assert_true(bare);
	assert_int_equal(i.length, sizeof(state_bytes));
	assert_string_equal(i.qemu, "");
	assert_int_equal(state_file_check((const uint8_t *)"", 0, LIMIT, &i, &bare, why), -EBADMSG);
	assert_int_equal(state_file_check(state_bytes, sizeof(state_bytes), 4, &i, &bare, why), -EFBIG);
}

static void words_of_the_stubdomain(void **state)
{
	static const char *const bad[] = {
		"", "save", "save ", "save " TAG " ", "save  " TAG, " save " TAG, "load " TAG, "save " TAG "0",
		"save 00112233445566778899aabbccddeef", "save 00112233445566778899AABBCCDDEEFF",
		"save \xff\xff", "save " TAG "\n",
	};
	char tag[STATE_DISK_TAG_LEN + 1];

	(void)state;
	assert_int_equal(state_want_parse("save " TAG, tag), 0);
	assert_string_equal(tag, TAG);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(state_want_parse(bad[i], tag), -EINVAL);
}

static void words_of_dom0(void **state)
{
	static const char *const bad[] = {
		"", TAG, TAG " 268442112", TAG " 268442112 ", TAG " 268442113 1", TAG " 51712 1", TAG " 268442112 0",
		TAG " 268442112 1 2", TAG " 268448768 1", TAG " 268442112 99999999999999999999", "x " TAG,
	};
	char tag[STATE_DISK_TAG_LEN + 1];
	struct state_restore r;
	struct state_disk d;
	const char *reason;

	(void)state;
	assert_int_equal(state_disk_parse(TAG " 268442368 67108864", &d), 0);
	assert_string_equal(d.tag, TAG);
	assert_int_equal(d.devid, 268442368);
	assert_int_equal(d.limit, 64 << 20);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(state_disk_parse(bad[i], &d), -EINVAL);
	assert_int_equal(state_result_parse(TAG " ok", tag, &reason), 0);
	assert_null(reason);
	assert_int_equal(state_result_parse(TAG " error no space", tag, &reason), 0);
	assert_string_equal(reason, "no space");
	assert_int_equal(state_result_parse(TAG " error ", tag, &reason), -EINVAL);
	assert_int_equal(state_result_parse(TAG " error a\nb", tag, &reason), -EINVAL);
	assert_int_equal(state_result_parse(TAG " OK", tag, &reason), -EINVAL);
	assert_int_equal(state_restore_parse("wait", &r) || r.kind != STATE_RESTORE_WAIT, 0);
	assert_int_equal(state_restore_parse("console", &r) || r.kind != STATE_RESTORE_CONSOLE, 0);
	assert_int_equal(state_restore_parse("268442112", &r) || r.kind != STATE_RESTORE_DISK, 0);
	assert_int_equal(r.devid, STATE_DISK_DEVID);
	assert_int_equal(state_restore_parse("refused it is old", &r) || r.kind != STATE_RESTORE_REFUSED, 0);
	assert_string_equal(r.reason, "it is old");
	assert_int_equal(state_restore_parse("", &r), -EINVAL);
	assert_int_equal(state_restore_parse("refused ", &r), -EINVAL);
	assert_int_equal(state_restore_parse("51712", &r), -EINVAL);
}

static void numbers_rotate(void **state)
{
	uint32_t devid = 0;

	(void)state;
	for (unsigned int i = 0; i < 2 * STATE_DISK_DEVIDS; i++) {
		devid = state_next_devid(devid);
		assert_true(state_is_devid(devid));
		assert_int_equal(devid, STATE_DISK_DEVID + i % STATE_DISK_DEVIDS * STATE_DISK_DEVID_STEP);
	}
	assert_false(state_is_devid(0));
	assert_false(state_is_devid(UINT32_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_is_taken), cmocka_unit_test(names_are_made_fit),
		cmocka_unit_test(what_is_refused), cmocka_unit_test(every_bit_counts),
		cmocka_unit_test(the_state_itself), cmocka_unit_test(a_file_is_taken_or_refused),
		cmocka_unit_test(words_of_the_stubdomain), cmocka_unit_test(words_of_dom0),
		cmocka_unit_test(numbers_rotate),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
