/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The arguments of a QEMU that is being started.  Pure. */
#ifndef XE_VD_ARGV_H
#define XE_VD_ARGV_H

#include <stdint.h>

#include "steps.h"

struct vd_argv {
	char **v;		/* ends with NULL */
	unsigned int n, room;
};

/* Everything but the devices; QEMU's monitors listen at the sockets @qmp and @events.  -ENOMEM */
int vd_argv_base(struct vd_argv *a, const char *qemu, uint32_t domid, const char *guest, int qmp, int events);
int vd_argv_steps(struct vd_argv *a, const struct vd_steps *st);
void vd_argv_free(struct vd_argv *a);

#endif
