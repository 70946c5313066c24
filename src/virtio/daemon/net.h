/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tap of a virtio network card.  xen-virtiod makes it and puts it into the
 * bridge, so that the backend needs no power over the network: QEMU only opens
 * a tap that is there.
 */
#ifndef XE_VD_NET_H
#define XE_VD_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "virtio/spec.h"

/*
 * Create the tap, or fix one that is there.  Negative errno with @error
 * (VD_ERROR_MAX bytes).
 */
int vd_net_up(uint32_t domid, uint32_t devid, const struct vd_spec *s, char *error);

/* No error when it does not exist, or is not ours: then it is left alone. */
int vd_net_down(uint32_t domid, uint32_t devid);

/* Remove our taps of all guests for which @keep says no. */
void vd_net_sweep(bool (*keep)(void *arg, uint32_t domid, uint32_t devid), void *arg);

/* Pure: "vx3.0", as vd_tap_name() writes it, to 3 and 0; -EINVAL. */
int vd_net_parse(const char *name, uint32_t *domid, uint32_t *devid);

#endif
