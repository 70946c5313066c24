/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hypervisor in memory: linked instead of src/stubdom/daemon/hv.c. */
#ifndef FAKE_HV_H
#define FAKE_HV_H

#include "stubdom/daemon/hv.h"

void fake_hv_reset(void);
/* A new domain; its uuid is made of @domid and @life.  The caller may change it. */
struct hv_dom *fake_hv_add(uint32_t domid, bool hvm, int life);
struct hv_dom *fake_hv_dom(uint32_t domid);	/* NULL: there is none */
void fake_hv_remove(uint32_t domid);
/* Every call fails with this from now on; 0 ends that. */
void fake_hv_fail(int err);
/* Calls of hv_dom_crash(). */
extern unsigned int fake_hv_crashes;

#endif
