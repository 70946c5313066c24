/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Open files for a device that is to be added to a QEMU that runs, from the process
 * beside it (keeper.h), in an sd-event loop.
 */
#ifndef XE_VD_FETCH_H
#define XE_VD_FETCH_H

#include <systemd/sd-event.h>

#include "opened.h"

/* The file system that a path is on may hang. */
#define FETCH_LIMIT_MS 8000

struct fetch;

/* Something has come of it: fetch_result(). */
typedef void fetch_fn(void *arg);

/* NULL with errno; ENOENT or ECONNREFUSED: there is no such process. */
struct fetch *fetch_begin(sd_event *ev, uint32_t domid, struct vd_id id, fetch_fn *fn, void *arg);
/*
 * -EINPROGRESS; 0 with the files, which are the caller's then; or negative errno and
 * @why (VD_ERROR_MAX bytes).  -ECONNRESET: the process has ended, as when QEMU has.
 */
int fetch_result(struct fetch *f, struct vd_opened *o, char *why);
struct vd_id fetch_of(const struct fetch *f);
/* NULL is allowed. */
void fetch_end(struct fetch *f);

#endif
