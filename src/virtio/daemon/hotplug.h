/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A device is added to a QEMU that runs, taken from it, or has grown. */
#ifndef XE_VD_HOTPLUG_H
#define XE_VD_HOTPLUG_H

#include "decide.h"
#include "guest.h"

/*
 * Begin with it; the session is IDLE.  @action: VD_DO_PLUG, _UNPLUG or _RESIZE.
 * False: nothing to wait for, the device has failed.
 */
bool hotplug_begin(struct guest *g, struct dev *d, enum vd_action action);

#endif
