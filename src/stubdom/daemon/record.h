/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A node in xenstore for each stubdomain that was seen, "GUEST UUID UUID": which
 * domain was whose stubdomain, for a daemon that starts when its nodes are gone.
 */
#ifndef XE_RECORD_H
#define XE_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

#define RECORD_DIR "/local/domain/0/xen-stubdomd"

struct record {
	uint32_t stub, guest;
	uint8_t uuid[16], guest_uuid[16];
};

int record_write(struct xs_handle *xs, const struct record *r);
/* Is the record that of this very stubdomain?  Its number may be in use again. */
int record_is(struct xs_handle *xs, const struct record *r, bool *is);
/* Remove it if it is. */
int record_remove(struct xs_handle *xs, const struct record *r);
/* -EINVAL when @name is malformed, -ENOENT when it is gone. */
int record_read(struct xs_handle *xs, const char *name, struct record *out);

#endif
