/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a console goes: what libxl wrote as its "output".  It is opened with root's rights
 * and used without.
 */
#ifndef PV_SINK_H
#define PV_SINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "logfile.h"

enum sink_kind {
	SINK_NONE,		/* the console is not there */
	SINK_NULL,		/* what comes is dropped */
	SINK_LOG,		/* a file of bounded size */
	SINK_STATE,		/* a file that gets everything */
	SINK_PTY,
	SINK_SOURCE,		/* a file that the stubdomain reads */
	SINK_OTHER,		/* only QEMU knows such a thing */
};

#define SINK_LOG_MAX	(1024 * 1024)
#define SINK_SERIAL_MAX	(16 * 1024 * 1024)	/* serial="file:PATH" */
/* Much more than any device state, and what a stubdomain can fill of dom0's disk. */
#define SINK_STATE_MAX	(64 * 1024 * 1024)
/* A reader of a pty that takes nothing for so long does not hold the guest up any more. */
#define SINK_STALL_MS	1000

struct sink {
	enum sink_kind kind;
	int fd;
	struct logfile log;
	bool full;		/* a state: more than it may have was dropped */
	bool ended;		/* SINK_SOURCE: all of it is read */
	uint64_t stalled;	/* SINK_PTY: since then, or 0 */
};

/* Pure: what libxl says, and of which console; *@path is inside of @output. */
enum sink_kind sink_parse(const char *output, unsigned int console, const char **path);

/*
 * @console: the number, for the limits
 * @tty: of a pty, where `xl console` finds it (@size bytes); else ""
 */
int sink_open(struct sink *s, enum sink_kind kind, unsigned int console, const char *path, char *tty, size_t size);
void sink_close(struct sink *s);

/*
 * Output of the stubdomain: how many bytes are done (or dropped), 0 when there is no room for
 * now; negative errno: the file cannot be written, and the bytes are lost.
 */
ssize_t sink_put(struct sink *s, const void *data, size_t n, uint64_t now);
/* Input for it: 0 when there is nothing now. */
ssize_t sink_get(struct sink *s, void *data, size_t n);

#endif
