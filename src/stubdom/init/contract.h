/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What libxl left in xenstore for this stubdomain. */
#ifndef CONTRACT_H
#define CONTRACT_H

#include <stdbool.h>
#include <xenstore.h>

#include "xen/domain.h"

struct contract {
	unsigned int self;	/* own domid */
	unsigned int guest;	/* the domid this is the device model of */
	char guest_name[DOMAIN_NAME_MAX];	/* printable; "" when it is not known */
	char **argv;		/* dm-argv, byte for byte, in order */
	unsigned int argc;
	bool has_pci;		/* device/pci: pass-through is asked for */
};

/* Negative errno after init_fail(). */
int contract_read(struct xs_handle *xs, struct contract *c);
void contract_free(struct contract *c);

/* The numbers of "device/<kind>/<n>" of this domain; *@ids is malloc'd. */
int contract_devices(struct xs_handle *xs, const char *kind,
		     unsigned int **ids, unsigned int *count);

/*
 * One line about a backend of ours for an error message: where it is, its
 * state, and the error that a hotplug script may have left there.
 */
void contract_backend(struct xs_handle *xs, const char *kind, unsigned int id,
		      char *out, unsigned int size);

/* STUBDOM_DATA/<key>; a failure is logged and harmless. */
void publish(struct xs_handle *xs, const char *key, const char *value);

#endif
