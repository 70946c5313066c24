/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is true of every domain. */
#ifndef XE_DOMAIN_H
#define XE_DOMAIN_H

#include <stddef.h>
#include <stdint.h>
#include <xenstore.h>

/*
 * Domain ids are below this.  It is DOMID_FIRST_RESERVED of <xen/xen.h>, a header that
 * breaks <xenctrl.h> when it is included before it.
 */
#define DOMID_LIMIT 0x7ff0u

/* A name as xl shows it has fewer bytes. */
#define DOMAIN_NAME_MAX 128

/* The domain's name as xl shows it, printable; "" when it has none. */
void domain_name(struct xs_handle *xs, uint32_t domid, char *buf, size_t size);

#endif
