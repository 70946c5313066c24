/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the daemon asks the hypervisor.  Xenstore says what the toolstack
 * meant; only the hypervisor knows which domains are alive.  Unit tests link
 * tests/unit/fake_hv.c instead of hv.c.
 */
#ifndef XE_HV_H
#define XE_HV_H

#include <stdbool.h>
#include <stdint.h>

struct hv;

struct hv_dom {
	uint32_t domid;
	bool dying;		/* being destroyed */
	bool shutdown;		/* ended, still there; reason says why */
	bool paused;		/* by the toolstack */
	bool hvm;
	unsigned int reason;	/* SHUTDOWN_* of xen/sched.h */
	uint64_t cpu_ns;	/* 0: never ran */
	uint64_t max_kib;
	uint8_t uuid[16];
};

/* NULL and errno when this is not a control domain. */
struct hv *hv_open(void);
void hv_close(struct hv *hv);

/* -ENOENT when there is no such domain (any more). */
int hv_dom_get(struct hv *hv, uint32_t domid, struct hv_dom *out);

/* All domains, by number; *@list is the caller's to free(). */
int hv_dom_list(struct hv *hv, struct hv_dom **list, unsigned int *count);

/* End a domain as if it had crashed; its toolstack acts on that. */
int hv_dom_crash(struct hv *hv, uint32_t domid);

/* Destroy a domain that nothing serves (no devices, no processes). */
int hv_dom_destroy(struct hv *hv, uint32_t domid);

/* "4.20"; "" when it is unknown. */
void hv_version(struct hv *hv, char *buf, unsigned int size);

#endif
