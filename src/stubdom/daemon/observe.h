/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is so now about a stubdomain and its guest. */
#ifndef XE_OBSERVE_H
#define XE_OBSERVE_H

#include "stub.h"

/* The domain of that number and no other: LIFE_GONE, and @dom zero, when it is not there. */
int observe_dom(struct hv *hv, uint32_t domid, const uint8_t *uuid,
		enum life_dom *state, struct hv_dom *dom);
/* Its QEMU says so. */
bool observe_running(struct xs_handle *xs, const struct stub_id *id);
/* All of s->life; @stub is the stubdomain as Xen sees it.  Negative errno. */
int observe(const struct host *h, struct stub *s, struct hv_dom *stub);

#endif
