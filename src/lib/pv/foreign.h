/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hypervisor does for backends of one stubdomain: pages that it has granted, and
 * event channels.  Tests link tests/unit/fake_foreign.c instead.
 */
#ifndef XE_PV_FOREIGN_H
#define XE_PV_FOREIGN_H

#include <stdint.h>

struct foreign;

struct foreign_ring {
	void *page;		/* NULL: none */
	int port;
};

/* Open the devices, which takes root's rights; all else does not.  NULL with errno. */
struct foreign *foreign_open(uint32_t stub);
void foreign_close(struct foreign *f);

int foreign_map(struct foreign *f, uint32_t ref, uint32_t port, struct foreign_ring *out);
void foreign_unmap(struct foreign *f, struct foreign_ring *r);

/* An event channel alone: its port here, or negative errno. */
int foreign_bind(struct foreign *f, uint32_t port);
void foreign_unbind(struct foreign *f, int port);

/* Readable when an event came.  It comes no more for that port until foreign_unmask(). */
int foreign_fd(const struct foreign *f);
/* The port, or negative errno. */
int foreign_event(struct foreign *f);
void foreign_unmask(struct foreign *f, int port);
void foreign_notify(struct foreign *f, int port);

#endif
