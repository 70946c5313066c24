/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest's QEMU may ask xenstored for: docs/protocol.md, section 3, as a list.
 * It reads and watches the guest's virtio devices on both sides, and writes those nodes
 * of the backend's side that are the backend's.  Pure.
 */
#ifndef XE_VD_XSFILTER_H
#define XE_VD_XSFILTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Three for each device, with room. */
#define XSF_WATCHES_MAX 4096
/* It makes one at a time. */
#define XSF_TRANSACTIONS_MAX 8

struct xsf {
	uint32_t own, domid;		/* the backend's domain, the guest */
	/* What xenstored keeps for this connection. */
	unsigned int watches, transactions;
};

/* A request whose body is whole: @type as in <xen/io/xs_wire.h>. */
bool xsf_allows(const struct xsf *f, uint32_t type, const char *body, size_t len);
/* The answer to one that was passed on; @error: xenstored's word for it, NULL when it was done. */
void xsf_answered(struct xsf *f, uint32_t type, const char *error);

#endif
