/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtio devices of a guest's xl.cfg, held against what xl and we do with them. */
#ifndef XE_VIRTIO_XLCFG_H
#define XE_VIRTIO_XLCFG_H

#include <stddef.h>

#include "cli/findings.h"

/* @xen_minor: of Xen 4.N; 0: not known.  -EINVAL when xl would refuse the file. */
int xlcfg_virtio(struct findings *fs, const char *name, const char *text, size_t len,
		 unsigned int xen_minor);

#endif
