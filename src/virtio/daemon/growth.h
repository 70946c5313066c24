/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disks of a running guest whose block device has another size than QEMU knows. */
#ifndef XE_VD_GROWTH_H
#define XE_VD_GROWTH_H

#include <json-c/json.h>

#include "guest.h"

/* May a disk on the block device @dev (0: on any) have another size than QEMU has? */
bool growth_seen(const struct guest *g, dev_t dev);
/* The answer to query-block: which disks have grown (grow_to), and what cannot be passed on, said. */
void growth_learn(struct guest *g, struct json_object *list);
/* QEMU has answered block_resize; @error: its message, "" for success. */
void growth_told(struct guest *g, struct dev *d, const char *error);

#endif
