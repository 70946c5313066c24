/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The QMP session with a guest's QEMU: what it has is asked, and devices are given to
 * it and taken away, one job at a time.  Whenever something comes of it the guest is
 * looked at again.
 */
#ifndef XE_VD_SESSION_H
#define XE_VD_SESSION_H

#include "guest.h"

/* Sessions that may end in the middle of plugging a device. */
#define SESSION_TRIES 3

/* Connect, when it is time for it. */
void session_begin(struct guest *g);
/* Others may talk to this QEMU now. */
void session_end(struct guest *g);

/* The session is IDLE for these.  Which devices has it? */
void session_list(struct guest *g);
/* How big are its disks? */
void session_measure(struct guest *g);
/* Takes @steps; as vd_job_init(). */
void session_work(struct guest *g, enum vd_job_kind kind, struct vd_id id, struct vd_steps *steps);

#endif
