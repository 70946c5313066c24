/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The network cards that the administrator detached.
 *
 * libxl makes two interfaces of each network card: the guest's own, for its PV
 * driver, and one of the stubdomain, which the emulated card is bridged to.
 * `xl network-detach` knows of the first only (libxl_nic.c): the guest stays on
 * the network with its emulated card.  The second has to go with the first, and
 * dom0 has to see to it: neither guest nor stubdomain can be trusted with that.
 *
 * It is closed the way libxl does it: "online" 0 and state 5 in the backend, and
 * when that has not led to state 6 in time, the frontend is removed, which closes
 * the backend without the stubdomain's doing.  What is left in xenstore is a
 * closed device; libxl removes it, and runs the hotplug script for it, when the
 * stubdomain is destroyed.
 */
#ifndef XE_VIFS_H
#define XE_VIFS_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#include "xen/stubdomain.h"

/* The time libxl gives a device for closing (LIBXL_DESTROY_TIMEOUT). */
#define VIF_CLOSE_MS 10000
/* The domains do not run yet: when to look again. */
#define VIF_LOOK_MS 2000

/* The device model has no more than 32 emulated cards (ARGS_NICS_MAX). */
#define VIFS_MAX 64

/*
 * One of the stubdomain's interfaces.  All but "online" and "state" of a backend
 * in a driver domain comes from nodes that only dom0 writes.
 */
struct vif {
	uint32_t devid;
	char back[96];		/* the backend's path; "" when malformed */
	bool wanted;		/* the guest has the same one */
	bool front;		/* its frontend's nodes are there */
	bool online;
	int state;		/* of the backend; -1: it is gone, 0: malformed */
};

struct vifs {
	unsigned int count;
	struct vif v[VIFS_MAX];
};

/* The domains, as the hypervisor sees them after the interfaces were read. */
struct vifs_dom {
	/*
	 * libxl makes the stubdomain's interfaces first, and the guest's before
	 * the guest may run; and it pauses both domains before it destroys a
	 * device of one of them.
	 */
	bool stub_runs, guest_ran;
	uint64_t now, since;	/* 0: no interface was being closed so far */
};

enum vif_do {
	VIF_KEEP,	/* as it should be */
	VIF_WAIT,	/* look again, soon */
	VIF_CLOSE,	/* ask for its end */
	VIF_CUT,	/* it does not end by itself: remove its frontend */
	VIF_REMOVE,	/* not even then: remove its backend */
};

/* -ENOENT when the stubdomain has no record in /libxl. */
int vifs_read(struct xs_handle *xs, const struct stub_id *id, struct vifs *out);

/* Pure. */
enum vif_do vif_decide(const struct vif *v, const struct vifs_dom *dom);

/* True when it is to be looked at what the domains do. */
bool vifs_unwanted(const struct vifs *vs);

int vif_close(struct xs_handle *xs, const struct vif *v);
int vif_cut(struct xs_handle *xs, const struct stub_id *id, const struct vif *v);
int vif_remove(struct xs_handle *xs, const struct vif *v);

#endif
