/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is true of every domain. */
#ifndef XE_DOMAIN_H
#define XE_DOMAIN_H

/*
 * Domain ids are below this.  It is DOMID_FIRST_RESERVED of <xen/xen.h>, a header that
 * breaks <xenctrl.h> when it is included before it.
 */
#define DOMID_LIMIT 0x7ff0u

#endif
