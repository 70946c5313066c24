/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One guest with virtio devices, as the daemon remembers it from one look to the
 * next, and its log lines.
 *
 * Whatever happens, the answer is the same: guest_wake().  guests_tick() is the only
 * place from which guests are looked at, so that nothing here is re-entered.
 */
#ifndef XE_VD_GUEST_H
#define XE_VD_GUEST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/log.h"
#include "base/ratelimit.h"
#include "env.h"
#include "fetch.h"
#include "ioerror.h"
#include "job.h"
#include "virtio/nodes.h"
#include "virtio/probing.h"

#define GUEST_NEVER UINT64_MAX

struct dev {
	struct vd_node node;
	struct vd_spec served;		/* while plugged: as QEMU was given it */
	/* By probing_ask(): of @served while plugged, else of what it is to become. */
	bool probed;			/* and nothing has changed since */
	bool unknown;			/* plugged, and it cannot be probed */
	bool prepared;			/* not plugged: dev_prepare() has done its part */
	struct vd_found found;
	bool there, plugged;
	bool asked;			/* systemd: that the backend may open it */
	unsigned int tries;
	uint64_t unserved_since;	/* plugged, and in state 1; 0: it is not so */
	unsigned int unserved;		/* how often it was taken away for that */
	uint64_t closed_since;		/* 0: it is not */

	/* A disk that has a block device's size: dev_sized(). */
	uint64_t bytes;			/* as QEMU has it; 0: not known */
	uint64_t grow_to;		/* 0: it has not grown */
	uint64_t told_bytes;		/* a size that could not be passed on */
	uint64_t ioerror_at;		/* 0: none yet */
};

enum session { NO_SESSION, CONNECTING, LISTING, MEASURING, IDLE, WORKING };

struct guest {
	struct guest *next;
	const struct guests_env *env;
	uint32_t domid;
	char name[DOMAIN_NAME_MAX];
	bool seen;			/* the last look at it succeeded */
	bool alive, introduced;		/* and: it was, once */
	struct dev *dev;
	unsigned int n;

	bool expected_up, known, resized;	/* as in struct vd_guest_view */
	enum vd_unit unit;		/* as it was last seen */
	uint64_t up_since;		/* 0: it is not running */
	bool told_late;
	bool revoke;			/* it may open what it does not have any more */
	uint64_t closing_since, gone_since;	/* 0: it is not so */

	struct probing probing;
	struct qmp *qmp;
	enum session session;
	struct fetch *fetch;		/* files for a device that is to be added; NULL */
	struct vd_job job;
	uint64_t connect_at;
	struct ioerrors ioerrors;

	uint64_t due;			/* when to look at it; GUEST_NEVER */
	bool visited;			/* that is, because something of it changed */
	struct pace looks;
	struct limit lines;
};

/* NULL: out of memory.  @env must live longer than the guest. */
struct guest *guest_new(const struct guests_env *env, uint32_t domid);
/* Its session has ended, and nobody listens to its QEMU. */
void guest_free(struct guest *g);

uint64_t guest_now(const struct guest *g);
/* guest_now(), but never 0, which says "not so". */
uint64_t guest_stamp(const struct guest *g);
/* Look at it at @when at the latest; 0: as soon as what happens now is over. */
void guest_wake(struct guest *g, uint64_t when);

/* A log line about it, and about one of its devices unless @id is NULL. */
void guest_log(struct guest *g, int level, const struct vd_id *id, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* What fails for one guest must not keep the others from being served: said, and tried again. */
void guest_failed(struct guest *g, const char *what, int err);

/* NULL when it has no such device. */
struct dev *dev_find(struct guest *g, struct vd_id id);
/* One more; pointers to the others are not good after that.  NULL: too many, or no memory. */
struct dev *dev_add(struct guest *g, struct vd_id id);
/*
 * Taken away and created again, as something else, before it was looked at again:
 * QEMU must not serve the one as the other.  Taken for gone until QEMU has closed it.
 */
bool dev_replaced(const struct dev *d);
/*
 * QEMU offers a device as soon as it has it.  One that stays in state 1 was detached and attached
 * while nobody looked, and the QEMU has what was there before.
 */
bool dev_unserved(struct guest *g, struct dev *d);
/* The block device whose size a disk has while it is plugged; 0: not such a disk. */
dev_t dev_sized(const struct dev *d);
/* Of those that QEMU has, what each is made of is known, as far as it can be. */
bool devs_probed(const struct guest *g);
/* No QEMU has any of them, or nobody knows. */
void devs_forget_plugged(struct guest *g);

#endif
