/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process beside a guest's QEMU, in the same unit: root, with what that unit may
 * open, while QEMU is neither.  It does two things.
 *
 * At VD_XENSTORE QEMU finds xenstored: for each connection a process with a user of its
 * own passes on what xsfilter.h allows.
 *
 * At VD_RUN_OPEN xen-virtiod has it open a device's files.  A SOCK_SEQPACKET socket, one
 * question and one answer for each connection:
 *	"virtio_disk-51712" -> "ok", with the files (SCM_RIGHTS), or "!" and why not
 *
 * It reads nothing that QEMU says, and ends when QEMU does.
 */
#ifndef XE_VD_KEEPER_H
#define XE_VD_KEEPER_H

#include <stdint.h>

/* Leave one beside this process, which is to become the QEMU of @domid.  Negative errno. */
int keeper_start(uint32_t domid);

#endif
