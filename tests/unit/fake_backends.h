/* SPDX-License-Identifier: GPL-2.0-or-later */
/* systemd, QEMU's monitor and the network as xen-virtiod sees them, in memory. */
#ifndef FAKE_BACKENDS_H
#define FAKE_BACKENDS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "virtio/daemon/units.h"

void fake_backends_reset(void);

/* ---- units: what was asked is in the text, "start 3;stop 3;reset 3;" ---- */
extern char fake_units_asked[1024];
void fake_unit_set(uint32_t domid, enum vd_unit state);
extern int fake_units_error;	/* of the next units_start() */

/* What backends may open: "3: /dev/block/7:0 rw, show /srv/a.img;" */
extern char fake_units_permits[4096];
/* What units_permitted() says now, and what it says after units_permit(). */
extern int fake_units_permitted, fake_permit_answer;
void fake_permit_done(int ret);

/* ---- QMP: one session at a time; after each event of it fake_event_done() is called ---- */
extern void (*fake_event_done)(void);
extern char fake_qmp_sent[16384];	/* "COMMAND ARGS\n" */
extern bool fake_qmp_refuses;		/* nobody listens */
bool fake_qmp_open(void);
/* fake_qmp_ready() was called; and a command waits for its answer. */
bool fake_qmp_greeted(void);
bool fake_qmp_asked(void);
void fake_qmp_ready(void);
/* Answer; text is JSON, or "!" and an error. */
void fake_qmp_reply(const char *text);
void fake_qmp_deleted(const char *device);
void fake_qmp_lost(void);
/* Answer whatever is asked with success until nothing is. */
void fake_qmp_agree(void);

/* The other monitor, which QEMU tells of I/O errors. */
extern bool fake_events_missing;
bool fake_events_open(void);
void fake_events_say(const char *name, const char *data);
void fake_events_lost(void);

/* ---- files for devices: who asked for which is in the text, "3 virtio-0;" ---- */
extern char fake_fetched[1024];
extern int fake_fetch_begins;	/* negative errno: nobody is there */
/* What comes of it: 0 and one file, or negative errno and why. */
extern int fake_fetch_result;
extern const char *fake_fetch_why;

/* ---- block devices: every path is this one; 0: none is ---- */
extern dev_t fake_rdev;
extern uint64_t fake_bytes;
/* Files that were looked at, which other processes do. */
extern unsigned int *fake_probed;
#define fake_probes (*fake_probed)
/* A path that begins so is never answered for; and how long the daemon waits for others. */
#define FAKE_HUNG "/hung/"
extern int fake_probing_ms;

/* ---- network: "up vx3.0;down vx3.0;" ---- */
extern char fake_net_done[1024];
extern int fake_net_error;

#endif
