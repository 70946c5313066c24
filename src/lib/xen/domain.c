// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain.h"

#include <stdlib.h>

#include "base/log.h"
#include "xs_util.h"

void domain_name(struct xs_handle *xs, uint32_t domid, char *buf, size_t size)
{
	size_t len;
	char *v;

	buf[0] = '\0';
	if (xsu_read(xs, XBT_NULL, &v, &len, "/local/domain/%u/name", domid))
		return;
	log_clean(buf, size, v, len);
	free(v);
}
