/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The header of a state disk (docs/state-disk.md, section 2), made and checked.
 * Pure: bytes in, a verdict out.  What is checked comes from another domain or from a
 * file that anybody may have written to: copy it first, where it can change.
 */
#ifndef XE_STATE_HEADER_H
#define XE_STATE_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state_disk.h"

/* What a header says, in the host's byte order. */
struct state_info {
	uint64_t length;
	uint8_t sha256[32];
	char qemu[STATE_DISK_NAME_LEN], machine[STATE_DISK_NAME_LEN];
};

/*
 * Make a header.  Names that are too long are cut; what is not printable, and blanks,
 * become '?'.
 */
void state_header_make(const struct state_info *info, struct state_disk_header *out);

/*
 * Is it a header, for a state of at most @limit bytes?  0 and @out; or, with the reason in
 * @why (printable, at most STATE_DISK_REASON_MAX bytes):
 *   -ENODATA  all zero: never written
 *   -EPROTO   of another version
 *   -EFBIG    of a state that is too long
 *   -EINVAL   malformed
 */
int state_header_check(const struct state_disk_header *h, uint64_t limit,
		       struct state_info *out, char why[STATE_DISK_REASON_MAX + 1]);

/* Is this the state that the header speaks of?  0; -EBADMSG with the reason in @why. */
int state_check(const struct state_info *info, const void *state,
		char why[STATE_DISK_REASON_MAX + 1]);

/*
 * Where a file of @size bytes, read to @data, that libxl keeps or brings has its state: *@info
 * and 0.  A file without a header was saved by console: *@bare is true then, the
 * names are empty.  Errors are those of the two above, and -EINVAL for what is no state.
 */
int state_file_check(const uint8_t *data, uint64_t size, uint64_t limit,
		     struct state_info *info, bool *bare, char why[STATE_DISK_REASON_MAX + 1]);

#endif
