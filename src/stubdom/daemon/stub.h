/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One stubdomain, as the daemon knows it, and the log lines about it. */
#ifndef XE_STUB_H
#define XE_STUB_H

#include <stdint.h>
#include <xenstore.h>

#include "base/log.h"
#include "base/ratelimit.h"
#include "helper.h"
#include "hv.h"
#include "life.h"
#include "state_disk.h"
#include "transfer.h"
#include "xen/stubdomain.h"

/* Its state disk (states.h). */
struct state_transfer {
	struct transfer t;
	struct helper helper;
	char tag[STATE_DISK_TAG_LEN + 1];	/* of the save that was asked for last */
	char answered[STATE_DISK_TAG_LEN + 1];	/* the last one with a result */
	uint32_t devid;		/* of the last device; 0: there was none */
	uint32_t ref, port;	/* its ring */
	uint64_t sectors;
	bool way;		/* it has to give way if it can */
	bool words;		/* dom0's nodes may be there */
	struct limit starts;
	struct helper refuser;	/* of what is on the last ring */
	uint64_t refuser_until;
};

struct stub {
	struct stub *next;
	struct stub_id id;
	uint8_t uuid[16], guest_uuid[16];
	struct life life;
	uint64_t due;
	uint64_t vifs_since;	/* an interface is being closed since then; 0: none is */
	struct limit lines, looks, saves;
	char *log;		/* name of its console's log; NULL: not known */
	struct limit cuts[4];	/* lines about each of its files (bounds.h) */
	struct state_transfer state;
};

/* Where it is looked at, and when. */
struct host {
	struct xs_handle *xs;
	struct hv *hv;
	uint64_t now;
	int helpers;		/* epoll: a xen-state-disk has said something */
	uint64_t state_limit;	/* bytes of a device state; 0: state disks are not served */
	uint64_t log_limit;	/* bytes that a stubdomain's log may take */
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
