// SPDX-License-Identifier: GPL-2.0-or-later
#include "record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xen/domain.h"
#include "xen/xs_util.h"

static void uuid_format(char *buf, const uint8_t *uuid)
{
	for (int i = 0; i < 16; i++)
		sprintf(buf + 2 * i, "%02x", uuid[i]);
}

static int uuid_parse(uint8_t *uuid, const char *hex)
{
	for (int i = 0; i < 16; i++) {
		unsigned int byte;

		if (strspn(hex, "0123456789abcdef") < 2 ||
		    sscanf(hex, "%2x", &byte) != 1)
			return -EINVAL;
		uuid[i] = byte;
		hex += 2;
	}
	return 0;
}

int record_write(struct xs_handle *xs, const struct record *r)
{
	char value[80], a[33], b[33];

	uuid_format(a, r->uuid);
	uuid_format(b, r->guest_uuid);
	snprintf(value, sizeof(value), "%u %s %s", r->guest, a, b);
	return xsu_write(xs, XBT_NULL, value, RECORD_DIR "/%u", r->stub);
}

int record_is(struct xs_handle *xs, const struct record *r, bool *is)
{
	char a[33], *v;
	int ret = xsu_read(xs, XBT_NULL, &v, NULL, RECORD_DIR "/%u", r->stub);

	*is = false;
	if (ret)
		return ret == -ENOENT ? 0 : ret;
	uuid_format(a, r->uuid);
	*is = strstr(v, a);
	free(v);
	return 0;
}

int record_remove(struct xs_handle *xs, const struct record *r)
{
	bool is;
	int ret = record_is(xs, r, &is);

	return is ? xsu_rm(xs, XBT_NULL, RECORD_DIR "/%u", r->stub) : ret;
}

int record_read(struct xs_handle *xs, const char *name, struct record *out)
{
	unsigned int guest;
	uint64_t stub;
	int ret, at = 0;
	char *v;

	ret = xsu_parse_uint(name, DOMID_LIMIT - 1, &stub);
	if (!ret)
		ret = xsu_read(xs, XBT_NULL, &v, NULL, RECORD_DIR "/%s", name);
	if (ret)
		return ret;
	if (sscanf(v, "%5u %n", &guest, &at) != 1 || guest >= DOMID_LIMIT ||
	    strlen(v + at) != 65 || uuid_parse(out->uuid, v + at) ||
	    uuid_parse(out->guest_uuid, v + at + 33))
		ret = -EINVAL;
	free(v);
	out->stub = (uint32_t)stub;
	out->guest = guest;
	return ret;
}
