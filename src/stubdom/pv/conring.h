/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend's end of a console's ring.  The page is the stubdomain's too: what is ours in
 * it, out_cons and in_prod, is kept here and only written there; what is the stubdomain's is
 * read once and checked.
 */
#ifndef PV_CONRING_H
#define PV_CONRING_H

#include <stddef.h>
#include <stdint.h>
#include <xen/io/console.h>

struct conring {
	struct xencons_interface *page;
	uint32_t out_cons, in_prod;
};

void conring_init(struct conring *r, void *page);

/* Output of the stubdomain that waits, at most @max bytes: how many; -EPROTO. */
int conring_peek(const struct conring *r, void *buf, size_t max);
/* So many of them are done. */
void conring_taken(struct conring *r, size_t n);

/* Room for input: bytes, or -EPROTO. */
int conring_room(const struct conring *r);
/* At most that many. */
void conring_put(struct conring *r, const void *data, size_t n);

#endif
