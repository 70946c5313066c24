/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One stubdomain, as the daemon knows it, and the log lines about it. */
#ifndef XE_STUB_H
#define XE_STUB_H

#include <stdint.h>
#include <xenstore.h>

#include "base/log.h"
#include "base/ratelimit.h"
#include "hv.h"
#include "life.h"
#include "xen/stubdomain.h"

struct stub {
	struct stub *next;
	struct stub_id id;
	uint8_t uuid[16], guest_uuid[16];
	struct life life;
	uint64_t due;
	uint64_t vifs_since;	/* an interface is being closed since then; 0: none is */
	struct limit lines, looks, saves;
};

/* Where it is looked at, and when. */
struct host {
	struct xs_handle *xs;
	struct hv *hv;
	uint64_t now;
};

/* A line about its guest, unless there were too many in this minute. */
void stub_say(const struct host *h, struct stub *s, int level, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * What fails for one stubdomain must not keep the others from being served.
 * A lost connection to xenstored shows in events_take() and ends the daemon.
 */
void stub_failed(const struct host *h, struct stub *s, const char *what, int err);

/* Look at it at @when, or before. */
void stub_look_again(struct stub *s, uint64_t when);

/* @now for a time of struct life, where 0 is never. */
static inline uint64_t stub_time(uint64_t now)
{
	return now ? now : 1;
}

#endif
