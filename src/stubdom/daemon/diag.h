/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Saying in one line why a stubdomain does not serve its guest, and what to do.
 *
 * First the facts are collected from xenstore, then the image is looked at on
 * disk (in a thread: it is read whole, and another stubdomain's consoles may
 * not wait for that), then diag_text() makes the line.
 */
#ifndef XE_DIAG_H
#define XE_DIAG_H

#include <stdbool.h>
#include <stddef.h>
#include <xenstore.h>

#include "hv.h"
#include "image.h"
#include "xen/stubdomain.h"

enum diag_kind {
	DIAG_SLOW,	/* not up yet, and libxl is about to give up */
	DIAG_FAILED,	/* ended before its device model ran */
	DIAG_ENDED,	/* ended after it had run */
	DIAG_UNBUILT,	/* libxl could not even build it, and left it (orphan.h) */
	DIAG_REMOVED,	/* the same, and now it is destroyed */
};

struct diag_dev {
	char kind[8];		/* "vbd", "vif"; "": all are well */
	char what[96];		/* the disk's target or the NIC's address */
	unsigned int devid;
	int state;		/* of the backend; -1: it is gone */
	char error[160];	/* what the backend or its script said */
};

struct diag {
	struct stub_id id;
	enum diag_kind kind;
	bool gone;		/* destroyed, not ended by itself */
	unsigned int reason;	/* why it ended: SHUTDOWN_* */
	char stage[16];		/* "": init said nothing */
	char error[200];	/* init's own words */
	unsigned int mem_mib;	/* 0: not known */
	unsigned int video_mib;
	struct diag_dev dev;	/* the first that is not connected */
	char log[160];		/* the file its console goes to */
	char kernel[PATH_MAX], rootfs[PATH_MAX];
	char xen[16];
	struct image image;
};

/* @dom: the stubdomain as Xen sees it, NULL when it runs */
void diag_collect(struct xs_handle *xs, struct hv *hv, const struct stub_id *id,
		  enum diag_kind kind, const struct hv_dom *dom, struct diag *out);

/* True when the image may be at fault: it never got to run its device model. */
bool diag_wants_image(const struct diag *d);

/* Pure. */
void diag_text(const struct diag *d, char *buf, size_t size);

/* All of it: the line goes to the log, now or when the image has been read. */
void diag_say(struct xs_handle *xs, struct hv *hv, const struct stub_id *id,
	      enum diag_kind kind, const struct hv_dom *dom);

/* The second half of it: takes @d, from malloc(). */
void diag_say_collected(struct diag *d);

/* Wait for the lines that are still to come. */
void diag_wait(void);

#endif
