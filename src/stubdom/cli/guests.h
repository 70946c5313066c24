/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Guests whose device model runs in a Linux stubdomain, as xenstore shows them. */
#ifndef XE_GUESTS_H
#define XE_GUESTS_H

#include <stddef.h>
#include <stdint.h>
#include <xenstore.h>

#include "xen/stubdomain.h"

#define GUEST_TEXT_MAX 256

struct guest {
	struct stub_id id;
	/* Written by the stubdomain, made printable; "" when it is not there. */
	char version[GUEST_TEXT_MAX];	/* of stubdom-init */
	char qemu[GUEST_TEXT_MAX];
	char stage[GUEST_TEXT_MAX];
	char error[GUEST_TEXT_MAX];
	char state[GUEST_TEXT_MAX];	/* QEMU's own: "running" */
	/* KiB; 0 when not known */
	uint64_t mem_xen;		/* what Xen counts for the stubdomain */
	uint64_t mem_total, mem_available;	/* what its kernel says */
};

/*
 * All of them by domid, or the one called @name (or with that domid): -ENOENT.
 * *@g to free().
 */
int guests_read(struct xs_handle *xs, const char *name, struct guest **g,
		size_t *n);

/* KiB of each stubdomain from the hypervisor; left 0 when it cannot be asked. */
void guests_memory(struct guest *g, size_t n);

#endif
