/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The devices of guests as xenstore has them, and the few nodes that the
 * supervisor of docs/protocol.md writes: state, and why a device was closed.
 *
 * A directory that the toolstack has removed is never brought back: each write
 * is made in a transaction that has seen the directory.
 */
#ifndef XE_VD_NODES_H
#define XE_VD_NODES_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#include "ids.h"
#include "spec.h"
#include "xen/domain.h"
#include "xen/xenbus.h"

struct vd_store {
	struct xs_handle *xs;
	uint32_t own;			/* this domain */
};

struct vd_node {
	struct vd_id id;
	enum xenbus_state state;	/* Unknown: the node is gone or no number */
	bool online;
	bool failed;			/* virtio-xenbus-error is there */
	bool bad;			/* spec is not valid: error says why */
	unsigned int sector_size;	/* of a disk, as its guest was first shown it; 0: not yet */
	struct vd_spec spec;
	char error[VD_ERROR_MAX];
};

/* The number of this domain; dom0 where xenstore does not tell. */
int vd_store_init(struct vd_store *st, struct xs_handle *xs);

/* Guests that have devices here, sorted; *@domids to free(). */
int vd_nodes_guests(const struct vd_store *st, uint32_t **domids, unsigned int *n);
/* The devices of a guest, sorted; *@list to free(). */
int vd_nodes_list(const struct vd_store *st, uint32_t domid, struct vd_node **list,
		  unsigned int *n);
/* One device; -ENOENT. */
int vd_nodes_read(const struct vd_store *st, uint32_t domid, struct vd_id id,
		  struct vd_node *node);

/* -ENOENT when the directory is gone. */
int vd_nodes_set_state(const struct vd_store *st, uint32_t domid, struct vd_id id,
		       enum xenbus_state state);
/* Say why, then 5, then 6. */
int vd_nodes_fail(const struct vd_store *st, uint32_t domid, struct vd_id id, const char *why);
/* Forget why, and start again: state 1. */
int vd_nodes_renew(const struct vd_store *st, uint32_t domid, struct vd_id id);

/* Write down a disk's sector size: the next QEMU has to show the same. */
int vd_nodes_keep_sectors(const struct vd_store *st, uint32_t domid, struct vd_id id,
			  unsigned int bytes);

/* Remove what is left of the devices of a guest that is gone. */
int vd_nodes_remove(const struct vd_store *st, uint32_t domid);
/* Remove one device's directory, and what it leaves empty; -EAGAIN: somebody writes there. */
int vd_nodes_remove_dev(const struct vd_store *st, uint32_t domid, struct vd_id id);

/* Is the guest still there for xenstored? */
bool vd_nodes_alive(const struct vd_store *st, uint32_t domid);
/* Has it a directory of its own?  Where that may not be read (only dom0 may): yes. */
bool vd_nodes_known(const struct vd_store *st, uint32_t domid);
/* Has the toolstack forgotten it, too? */
bool vd_nodes_forgotten(const struct vd_store *st, uint32_t domid);

#endif
