/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What xen-virtio-backend@<domid>.service runs before and after QEMU.  Both are
 * in the unit, not in the daemon, so that they happen in the right order and
 * whether or not the daemon runs.
 */
#ifndef XE_VD_BACKEND_H
#define XE_VD_BACKEND_H

#include <stdint.h>

/* An exit status that systemd must not answer by another start: EX_CONFIG. */
#define VD_EXIT_CONFIG 78

/*
 * Become the QEMU of guest @domid.  Returns an exit status when that fails.
 *
 * Each device starts again, with state 1: no process of an earlier backend is
 * left when systemd runs this (docs/protocol.md, section 9).  A device that is
 * not usable is closed with the reason.
 *
 * One bad device must not keep the others from being served: when the start
 * before this one never came to where QEMU talks (VD_RUN_START is
 * still there; xen-virtiod removes it), QEMU is started without devices, and
 * xen-virtiod adds them one by one.
 */
int backend_run(uint32_t domid, const char *qemu);

/* The process has ended, whatever the reason: state 1, or 6 for what was to close. */
int backend_ended(uint32_t domid);

#endif
