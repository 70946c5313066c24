// SPDX-License-Identifier: GPL-2.0-or-later
#include "disk_errors.h"

/* One line in this time about a disk whose requests fail. */
#define SILENT_MS 600000

static void told(void *arg, const struct vd_ioerror *e)
{
	struct guest *g = arg;
	struct dev *d = e ? dev_find(g, e->id) : NULL;

	if (!e)
		guest_wake(g, g->ioerrors.again);
	if (!d || (d->ioerror_at && guest_now(g) < d->ioerror_at + SILENT_MS))
		return;
	d->ioerror_at = guest_stamp(g);
	if (e->nospace)
		guest_log(g, LOG_ERR, &e->id, "%.120s: a write failed, no space left: make space there, until then the guest gets I/O errors",
			  d->served.path);
	else
		guest_log(g, LOG_ERR, &e->id, "%.120s: a %s failed: %s: the guest gets I/O errors, see 'journalctl -k'",
			  d->served.path, e->write ? "write" : "read", e->reason);
}

void disk_errors_listen(struct guest *g)
{
	struct ioerrors *l = &g->ioerrors;

	if (g->unit != VD_UNIT_RUNNING || !g->known)
		return;
	l->now = g->env->now;
	l->fn = told;
	l->arg = g;
	ioerrors_listen(l, g->env->ev, g->domid);
	if (!l->qmp && !l->unsupported)
		guest_wake(g, l->again);
}
