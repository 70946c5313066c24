// SPDX-License-Identifier: GPL-2.0-or-later
#include "stubdomain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "domain.h"
#include "xs_util.h"

/* libxl writes dm-version before it writes "target" (libxl__spawn_stub_dm). */
static int is_linux(struct xs_handle *xs, xs_transaction_t t, uint32_t guest)
{
	char *v;
	int ret = xsu_read(xs, t, &v, NULL, "/libxl/%u/dm-version", guest);

	if (ret)
		return ret;
	ret = strcmp(v, "qemu_xen") ? -ENODEV : 0;
	free(v);
	return ret;
}

int stub_ident(struct xs_handle *xs, xs_transaction_t t, uint32_t domid,
	       struct stub_id *id)
{
	uint64_t guest, back;
	int ret;

	ret = xsu_read_uint(xs, t, &guest, DOMID_LIMIT - 1,
			    "/local/domain/%u/target", domid);
	if (!ret)
		ret = xsu_read_uint(xs, t, &back, DOMID_LIMIT - 1,
				    "/local/domain/%u/image/device-model-domid",
				    (uint32_t)guest);
	if (!ret && (back != domid || guest == domid || !guest))
		ret = -ENOENT;
	if (!ret)
		ret = is_linux(xs, t, guest);
	if (ret)
		return ret == -EINVAL ? -ENOENT : ret;

	id->stub = domid;
	id->guest = guest;
	id->name[0] = '\0';
	return 0;
}
