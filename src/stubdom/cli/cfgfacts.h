/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys of xl.cfg(5) and arguments for QEMU that have another effect, or none, when
 * the device model runs in a Linux stubdomain: the facts, in two tables.
 */
#ifndef XE_CFGFACTS_H
#define XE_CFGFACTS_H

#include <libxlutil.h>
#include <stdbool.h>

#include "cli/findings.h"

/* The host that the guest is for. */
struct xlcfg_host {
	unsigned int xen_minor;		/* of Xen 4.N; 0: not known */
	unsigned int memory_min;	/* MiB the image needs; 0: not known */
	bool usbback;			/* dom0's kernel has a backend for PV USB */
};

/* A finding for each key, and each argument of device_model_args, that needs one. */
void cfgfacts_check(struct findings *fs, XLU_Config *xlu,
		    const struct xlcfg_host *host);

/* For the tests: what the tables say of QEMU's devices; lists end with NULL. */
extern const char *const cfgfacts_devices_there[];
extern const char *const cfgfacts_devices_missing[];

#endif
