/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Run dracut over a plan, away from everything the host configured for it. */
#ifndef XE_DRACUT_H
#define XE_DRACUT_H

#include "plan.h"

#define DRACUT_MODULE "50xen-stubdom"
#define DRACUT_BASE "/usr/lib/dracut"
#define DRACUT_MODULE_DIR DRACUT_BASE "/modules.d/" DRACUT_MODULE

/*
 * @work: an empty directory of ours; the archive becomes @work/dracut.cpio
 * @module: directory of our dracut module, without --root
 * -ENOENT when dracut is not there, -ECHILD when it failed (its last words
 * are logged), -EINTR, without an error, when we were told to stop.
 */
int dracut_run(const char *work, const char *module, const char *kver,
	       const struct plan *p, struct error **err);

#endif
