/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the hypervisor does for a backend, for one stubdomain: its ring's page, copies of
 * its pages, its event channel.  Tests link tests/unit/fake_grants.c instead.
 */
#ifndef GRANTS_H
#define GRANTS_H

#include <stdbool.h>
#include <stdint.h>

#include "request.h"

struct grants;

/* Open the devices, which takes root's rights; all else does not.  NULL with errno. */
struct grants *grants_open(uint32_t stub);
void grants_close(struct grants *g);

/* Map the ring's page and bind the event channel.  NULL with errno. */
void *grants_map(struct grants *g, uint32_t ref, uint32_t port);
/* The stubdomain's memory is not seen any more. */
void grants_unmap(struct grants *g);

/* Readable when the stubdomain has sent an event: then take it. */
int grants_fd(const struct grants *g);
int grants_take_event(struct grants *g);
int grants_notify(struct grants *g);

/* 0, or negative errno when any of them could not be copied. */
int grants_copy(struct grants *g, uint8_t *disk, const struct segment *segs, unsigned int n, bool to_guest);
int grants_fetch(struct grants *g, uint32_t ref, void *buf, uint16_t len);

#endif
