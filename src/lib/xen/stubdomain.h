/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling a Linux stubdomain from every other domain, by nodes that only the
 * toolstack can write.
 */
#ifndef XE_IDENT_H
#define XE_IDENT_H

#include <stddef.h>
#include <stdint.h>
#include <xenstore.h>

#include "domain.h"

struct stub_id {
	uint32_t stub;			/* the stubdomain */
	uint32_t guest;			/* whose device model runs in it */
	char name[DOMAIN_NAME_MAX];	/* the guest's, printable; "" unknown */
};

/*
 * Is @domid the stubdomain of a guest, and does it run Linux?
 *   0        yes, @id is filled in
 *   -ENOENT  it is no stubdomain (or is gone)
 *   -ENODEV  it is MiniOS with the old qemu: not ours to touch
 *   other    xenstore failed
 */
int stub_ident(struct xs_handle *xs, xs_transaction_t t, uint32_t domid,
	       struct stub_id *id);

#endif
