// SPDX-License-Identifier: GPL-2.0-or-later
#include "domain.h"

#include "xs_util.h"

void domain_name(struct xs_handle *xs, uint32_t domid, char *buf, size_t size)
{
	xsu_text(xs, buf, size, "/local/domain/%u/name", domid);
}
