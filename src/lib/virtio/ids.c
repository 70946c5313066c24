// SPDX-License-Identifier: GPL-2.0-or-later
#include "ids.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "xen/xs_util.h"

static const char *const kinds[VD_KINDS] = {
	[VD_KIND_VIRTIO] = "virtio", [VD_KIND_DISK] = "virtio_disk",
};

const char *vd_kind_name(enum vd_kind kind)
{
	return kinds[kind];
}

char *vd_id_name(char buf[VD_ID_MAX], struct vd_id id)
{
	snprintf(buf, VD_ID_MAX, "%s-%u", kinds[id.kind], id.devid);
	return buf;
}

char *vd_id_show(char buf[VD_ID_MAX], struct vd_id id)
{
	snprintf(buf, VD_ID_MAX, "%s/%u", kinds[id.kind], id.devid);
	return buf;
}

int vd_id_parse(const char *text, struct vd_id *id)
{
	size_t n = strcspn(text, "-/");
	uint64_t devid;

	for (int k = 0; k < VD_KINDS; k++) {
		if (strlen(kinds[k]) != n || strncmp(text, kinds[k], n) || !text[n])
			continue;
		if (xsu_parse_uint(text + n + 1, UINT32_MAX, &devid))
			return -EINVAL;
		id->kind = (enum vd_kind)k;
		id->devid = (uint32_t)devid;
		return 0;
	}
	return -EINVAL;
}

int vd_id_fdset(struct vd_id id)
{
	return id.devid > INT32_MAX / VD_KINDS ? -EINVAL : (int)(id.devid * VD_KINDS + id.kind);
}

int vd_tap_name(char *buf, uint32_t domid, uint32_t devid)
{
	int n = snprintf(buf, IFNAMSIZ, "vx%u.%u", domid, devid);

	return n < IFNAMSIZ ? 0 : -EINVAL;
}
