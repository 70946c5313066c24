/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One transfer, from "ready" to the last word (docs/state-disk.md, section 10).
 */
#ifndef SERVE_H
#define SERVE_H

#include <stdbool.h>
#include <stdint.h>

#include "disk.h"
#include "grants.h"

/* Longer lines are not sent and not taken. */
#define SERVE_LINE_MAX 255

struct serve_opts {
	int sock;		/* xen-stubdomd */
	int file;		/* to be written, or read */
	bool restore;
	bool refuse;		/* answer the requests of a ring that is another's, with errors */
	struct grants *grants;
	struct disk disk;
};

/*
 * Until the daemon has its last word or goes: 0, or negative errno, which was told to the
 * daemon when it is still there.
 */
int serve(struct serve_opts *o);

/* "error REASON"; REASON is ours: printable. */
void serve_fail(int sock, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "unable REASON": before the file was looked at. */
void serve_unable(int sock, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Pure: "ring REF PORT"; -EINVAL. */
int serve_parse_ring(const char *line, uint32_t *ref, uint32_t *port);

#endif
