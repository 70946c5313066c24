/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vd_probe() in a process of its own: what it looks at may be on a file system that does
 * not answer (NFS, a lost disk), and whoever looks there waits until it does.
 */
#ifndef XE_VD_PROBING_H
#define XE_VD_PROBING_H

#include "probe.h"

/* For so long an answer is waited for. */
#define PROBING_MS 5000

/* Zero to begin with.  One at a time. */
struct probing {
	bool asked;
	int fd;			/* where the answer comes */
	uint64_t since;
	struct vd_spec spec;
};

/*
 * As vd_probe(), and hardly ever longer: what answers at all does so at once.  -EINPROGRESS:
 * it does not yet, or another one does not; ask again until that is over.  @now, in ms.
 */
int probing_ask(struct probing *p, const struct vd_spec *s, bool access, uint64_t now,
		struct vd_found *found, char *error);
/* Nobody wants the answer. */
void probing_end(struct probing *p);

#endif
