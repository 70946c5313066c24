// SPDX-License-Identifier: GPL-2.0-or-later
#include "header.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/sha256_sum.h"

#define CHECKED offsetof(struct state_disk_header, check)

static_assert(sizeof(STATE_DISK_MAGIC) == STATE_DISK_MAGIC_LEN + 1, "all of its bytes, and C's NUL");

static bool is_magic(const char field[STATE_DISK_MAGIC_LEN])
{
	return !memcmp(field, STATE_DISK_MAGIC, STATE_DISK_MAGIC_LEN);
}

static bool name_char(char c)
{
	return c > ' ' && c < 0x7f;
}

static void put_name(char out[STATE_DISK_NAME_LEN], const char *name)
{
	size_t i = 0;

	memset(out, 0, STATE_DISK_NAME_LEN);
	for (; i < STATE_DISK_NAME_LEN - 1 && name[i]; i++)
		out[i] = name_char(name[i]) ? name[i] : '?';
}

void state_header_make(const struct state_info *info, struct state_disk_header *out)
{
	*out = (struct state_disk_header){
		.version = htole32(STATE_DISK_VERSION),
		.size = htole32(sizeof(*out)),
		.length = htole64(info->length),
	};
	memcpy(out->magic, STATE_DISK_MAGIC, STATE_DISK_MAGIC_LEN);
	memcpy(out->end, STATE_DISK_MAGIC, STATE_DISK_MAGIC_LEN);
	memcpy(out->sha256, info->sha256, sizeof(out->sha256));
	put_name(out->qemu, info->qemu);
	put_name(out->machine, info->machine);
	sha256_sum_of(out, CHECKED, out->check);
}

static bool all_zero(const void *data, size_t len)
{
	const uint8_t *p = data;

	while (len && !*p)
		p++, len--;
	return !len;
}

/* Name characters, and NULs behind, at least one. */
static bool is_name(const char name[STATE_DISK_NAME_LEN])
{
	size_t i = 0;

	while (i < STATE_DISK_NAME_LEN && name_char(name[i]))
		i++;
	return i < STATE_DISK_NAME_LEN && all_zero(name + i, STATE_DISK_NAME_LEN - i);
}

/* Which field is wrong; NULL: none. */
static const char *malformed(const struct state_disk_header *h)
{
	uint8_t sum[SHA256_LEN];

	if (le32toh(h->size) != sizeof(*h))
		return "size";
	sha256_sum_of(h, CHECKED, sum);
	if (memcmp(sum, h->check, sizeof(sum)))
		return "check";
	if (!is_magic(h->end))
		return "end";
	if (!h->length)
		return "length";
	if (!is_name(h->qemu))
		return "qemu";
	if (!is_name(h->machine))
		return "machine";
	return all_zero(h->reserved, sizeof(h->reserved)) ? NULL : "reserved";
}

static int say_malformed(char *why, const char *field)
{
	snprintf(why, STATE_DISK_REASON_MAX + 1, "the header is malformed: %s", field);
	return -EINVAL;
}

static int say_too_long(char *why, uint64_t length, uint64_t limit)
{
	snprintf(why, STATE_DISK_REASON_MAX + 1,
		 "a state of %llu bytes: at most %llu are allowed (xen-stubdomd --state-limit)",
		 (unsigned long long)length, (unsigned long long)limit);
	return -EFBIG;
}

int state_header_check(const struct state_disk_header *h, uint64_t limit,
		       struct state_info *out, char why[STATE_DISK_REASON_MAX + 1])
{
	uint64_t length = le64toh(h->length);
	const char *field;

	if (all_zero(h, sizeof(*h))) {
		snprintf(why, STATE_DISK_REASON_MAX + 1, "there is no header: the state is not complete");
		return -ENODATA;
	}
	if (!is_magic(h->magic))
		return say_malformed(why, "magic");
	/* Before everything else: all other fields may mean something else there. */
	if (le32toh(h->version) != STATE_DISK_VERSION) {
		snprintf(why, STATE_DISK_REASON_MAX + 1, "the header has version %u: this host knows %d",
			 le32toh(h->version), STATE_DISK_VERSION);
		return -EPROTO;
	}
	field = malformed(h);
	if (field)
		return say_malformed(why, field);
	if (length > limit)
		return say_too_long(why, length, limit);
	out->length = length;
	memcpy(out->sha256, h->sha256, sizeof(out->sha256));
	memcpy(out->qemu, h->qemu, sizeof(out->qemu));
	memcpy(out->machine, h->machine, sizeof(out->machine));
	return 0;
}

int state_check(const struct state_info *info, const void *state,
		char why[STATE_DISK_REASON_MAX + 1])
{
	uint8_t sum[SHA256_LEN];

	if (info->length < strlen(STATE_DISK_QEVM) ||
	    memcmp(state, STATE_DISK_QEVM, strlen(STATE_DISK_QEVM))) {
		snprintf(why, STATE_DISK_REASON_MAX + 1, "this is no device state of QEMU");
		return -EBADMSG;
	}
	sha256_sum_of(state, info->length, sum);
	if (!memcmp(sum, info->sha256, sizeof(sum)))
		return 0;
	snprintf(why, STATE_DISK_REASON_MAX + 1, "the state is damaged: its SHA-256 is not that of its header");
	return -EBADMSG;
}

/* Saved by console, or without our daemon: nothing but the state. */
static int bare_check(const uint8_t *data, uint64_t size, uint64_t limit,
		      struct state_info *info, char *why)
{
	if (size > limit)
		return say_too_long(why, size, limit);
	*info = (struct state_info){ .length = size };
	sha256_sum_of(data, size, info->sha256);
	return state_check(info, data, why);
}

int state_file_check(const uint8_t *data, uint64_t size, uint64_t limit,
		     struct state_info *info, bool *bare, char why[STATE_DISK_REASON_MAX + 1])
{
	struct state_disk_header h;
	int ret;

	*bare = true;
	if (size < sizeof(h))
		return bare_check(data, size, limit, info, why);
	memcpy(&h, data + size - sizeof(h), sizeof(h));
	if (!is_magic(h.magic) && !is_magic(h.end))
		return bare_check(data, size, limit, info, why);
	*bare = false;
	ret = state_header_check(&h, limit, info, why);
	if (ret)
		return ret;
	if (info->length == size - sizeof(h))
		return state_check(info, data, why);
	snprintf(why, STATE_DISK_REASON_MAX + 1, "the file has %llu bytes, and its header asks for %llu",
		 (unsigned long long)size, (unsigned long long)(info->length + sizeof(h)));
	return -EINVAL;
}
