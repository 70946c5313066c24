/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The states of a device's two ends: enum xenbus_state, Xen's own. */
#ifndef XE_XENBUS_H
#define XE_XENBUS_H

#include <xen/io/xenbus.h>

/* For people: "connected"; "-" for a state that is unknown. */
const char *xenbus_state_name(enum xenbus_state state);

#endif
