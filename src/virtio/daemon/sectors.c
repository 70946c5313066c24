// SPDX-License-Identifier: GPL-2.0-or-later
#include "sectors.h"

#include <stdio.h>

#include "virtio/probe.h"

bool sectors_keep(const struct vd_store *st, uint32_t domid, const struct vd_node *n,
		  struct vd_found *found, char *text)
{
	unsigned int now;

	if (n->spec.type != VD_BLOCK)
		return true;
	now = vd_found_keep(found, n->sector_size);
	if (now)
		snprintf(text, VD_ERROR_MAX, "%.120s: its sectors have %u bytes now, the guest goes on with %u: detach and attach it",
			 n->spec.path, now, n->sector_size);
	else if (!n->sector_size)
		vd_nodes_keep_sectors(st, domid, n->id, found->sectors.logical ? found->sectors.logical : VD_SECTOR_MIN);
	return !now;
}
