/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Removing what a stubdomain and its guest left when they are gone.
 *
 * libxl removes all of it when everything goes well.  It does not when
 *  - its destruction of the guest overtakes that of the stubdomain: it then
 *    finds no dm-version and leaves the QMP proxy and its socket (dm_destroy_cb);
 *  - the dom0 QEMU, slow to end, writes a state below nodes that libxl has
 *    already removed, and so makes them again;
 *  - the stubdomain was destroyed by hand, or xl was killed meanwhile.
 *
 * Everything here asks the hypervisor first: a number that is in use again is
 * left alone.  libxl gives no number out again within 60 s
 * (LIBXL_DOMID_REUSE_TIMEOUT); this runs some seconds after the end.
 */
#ifndef XE_CLEAN_H
#define XE_CLEAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <xenstore.h>

#include "hv.h"
#include "xen/stubdomain.h"

/* The stubdomain is gone. */
void clean_stub(struct xs_handle *xs, struct hv *hv, const struct stub_id *id);

/* The stubdomain and its guest are gone. */
void clean_guest(struct xs_handle *xs, struct hv *hv, const struct stub_id *id);

/*
 * Destroy a stubdomain that libxl could not build, and its nodes, if it is
 * still @dom.  -EEXIST when libxl has stored a configuration for it: then it
 * is a guest of its own.
 */
int clean_unbuilt(struct xs_handle *xs, struct hv *hv, const struct stub_id *id,
		  const struct hv_dom *dom);

/*
 * Pure: is this command line (/proc/PID/cmdline) the dom0 QEMU or the QMP
 * proxy that libxl started for stubdomain @stub?
 */
bool clean_is_helper(const char *cmdline, size_t len, uint32_t stub);

#endif
