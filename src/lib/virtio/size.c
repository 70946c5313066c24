// SPDX-License-Identifier: GPL-2.0-or-later
#include "size.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "xen/xs_util.h"

/* What QEMU counts in, and what an image must be a multiple of wherever it may lie. */
#define UNIT UINT64_C(512)
#define ALIGNED UINT64_C(4096)

static struct json_object *member(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? v : NULL;
}

uint64_t vd_size_of(struct json_object *list, struct vd_id id)
{
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;
	char name[VD_ID_MAX];

	vd_id_name(name, id);
	for (size_t i = 0; i < n; i++) {
		struct json_object *in = member(json_object_array_get_idx(list, i), "inserted");
		struct json_object *node = member(in, "node-name");
		int64_t bytes;

		if (!json_object_is_type(node, json_type_string) || strcmp(json_object_get_string(node), name))
			continue;
		bytes = json_object_get_int64(member(member(in, "image"), "virtual-size"));
		return bytes > 0 ? (uint64_t)bytes : 0;
	}
	return 0;
}

int vd_size_parse(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	char digits[24];
	size_t n = strspn(text, "0123456789");
	unsigned int shift = 0;
	const char *unit;

	if (!n || n >= sizeof(digits) || strlen(text + n) > 1)
		return -EINVAL;
	if (text[n]) {
		unit = strchr(units, text[n]);
		if (!unit)
			return -EINVAL;
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	memcpy(digits, text, n);
	digits[n] = '\0';
	if (xsu_parse_uint(digits, (uint64_t)INT64_MAX >> shift, bytes) || !*bytes)
		return -EINVAL;
	*bytes <<= shift;
	return 0;
}

static int bad(char *error, const char *why)
{
	snprintf(error, VD_ERROR_MAX, "%s", why);
	return -EINVAL;
}

int vd_size_plan(const struct vd_resize *r, uint64_t *to, char *error)
{
	bool qcow2 = r->spec->format == VD_QCOW2;
	uint64_t now = (r->now + UNIT - 1) / UNIT * UNIT;

	if (r->spec->readonly)
		return bad(error, "a read-only disk keeps its size while it is attached: detach and attach it");
	if (r->asked % ALIGNED)
		return bad(error, "a size must be a multiple of 4096 bytes");
	if (qcow2 && !r->asked)
		return bad(error, "only its QEMU can make a qcow2 image bigger that is in use: give the new size");
	if (!qcow2 && r->asked && r->blockdev)
		return bad(error, "a block device has the size it has: grow it, then leave the size out");
	/* QEMU would cut it off. */
	if (!qcow2 && r->asked && r->asked < now) {
		snprintf(error, VD_ERROR_MAX, "the image has %" PRIu64 " bytes, more than that: leave the size out", now);
		return -EINVAL;
	}
	*to = r->asked ? r->asked : now;
	if (*to >= r->have)
		return 0;
	snprintf(error, VD_ERROR_MAX, "the guest's disk has %" PRIu64 " bytes, and is not made smaller: %s", r->have,
		 r->asked ? "give a greater size" : "make its device or image as big as it was");
	return -EINVAL;
}
