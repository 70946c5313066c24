/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A xen-state-disk and the lines it speaks (docs/state-disk.md, section 10).  Tests link
 * tests/unit/fake_helper.c instead.
 */
#ifndef XE_HELPER_H
#define XE_HELPER_H

#include <stdbool.h>
#include <stdint.h>

/* No line is longer. */
#define HELPER_LINE_MAX 255

struct helper {
	int sock, pidfd;	/* -1: not started */
};

/* @file: handed over; the caller closes its own.  Negative errno. */
int helper_start(struct helper *h, bool restore, uint32_t stub, uint64_t sectors, int file);
/* Another one, on the ring of one that has ended: it answers each request with an error. */
int helper_refuse(struct helper *h, uint32_t stub, uint32_t ref, uint32_t port);
/* Kill it, whatever it does; nothing when it was not started. */
void helper_end(struct helper *h);
/* After SIGCHLD: those that have ended. */
void helper_reap(void);

/* Never waits.  Negative errno. */
int helper_say(const struct helper *h, const char *line);
/* The next line, printable: its length; 0: it has ended; -EAGAIN: none. */
int helper_hear(const struct helper *h, char line[HELPER_LINE_MAX + 1]);

#endif
