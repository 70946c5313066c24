/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which interfaces are taps of ours.  A name says nothing: "vx3.0" may be a VLAN on somebody's VXLAN. */
#ifndef XE_VD_MARK_H
#define XE_VD_MARK_H

#include <stdbool.h>

/* The alias that each has from its beginning. */
#define VD_TAP_MARK "xen-virtiod"

#ifndef VD_SYS_NET
#define VD_SYS_NET "/sys/class/net"	/* a test has its own */
#endif

bool vd_tap_ours(const char *name);

#endif
