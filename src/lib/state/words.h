/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The texts of a state disk's nodes (docs/state-disk.md, section 3).  Pure. */
#ifndef XE_STATE_WORDS_H
#define XE_STATE_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#include "state_disk.h"

/* STATE_DISK_TAG_LEN lower-case hex digits and nothing else. */
bool state_is_tag(const char *text);

/* Each: 0 or -EINVAL.  Whatever they do not take whole, they do not take. */

/* "save TAG" */
int state_want_parse(const char *text, char tag[STATE_DISK_TAG_LEN + 1]);

/* "TAG DEVID LIMIT" */
struct state_disk {
	char tag[STATE_DISK_TAG_LEN + 1];
	uint32_t devid;
	uint64_t limit;		/* bytes of a state */
};
int state_disk_parse(const char *text, struct state_disk *out);

/* "TAG ok", or "TAG error REASON": *@reason is in @text then, else NULL. */
int state_result_parse(const char *text, char tag[STATE_DISK_TAG_LEN + 1], const char **reason);

/* "wait", "DEVID", "console" or "refused REASON". */
struct state_restore {
	enum { STATE_RESTORE_WAIT, STATE_RESTORE_DISK, STATE_RESTORE_CONSOLE, STATE_RESTORE_REFUSED } kind;
	uint32_t devid;		/* STATE_RESTORE_DISK */
	const char *reason;	/* STATE_RESTORE_REFUSED: in the text */
};
int state_restore_parse(const char *text, struct state_restore *out);

/* Is this one of the numbers that a state disk can have? */
bool state_is_devid(uint32_t devid);
/* The number of the transfer after the one with @devid; 0: the first. */
uint32_t state_next_devid(uint32_t devid);

#endif
