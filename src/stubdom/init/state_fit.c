// SPDX-License-Identifier: GPL-2.0-or-later
#include "state_fit.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

/*
 * Whether QEMU of the series @ours reads the states of @theirs.  Its own it does.  An older
 * QEMU does not read a newer one's; and 7.2's states have a floppy controller, which
 * the 10.0 built here has not.  A pair that is known to work has a line here.
 */
static bool reads(const char *ours, const char *theirs)
{
	return !strcmp(ours, theirs);
}

int state_fit(const struct state_info *info, const char *qemu, const char *machine,
	      char *why, size_t size)
{
	char ours[32], theirs[32];

	if (info->qemu[0] && !version_series(qemu, ours, sizeof(ours)) &&
	    (version_series(info->qemu, theirs, sizeof(theirs)) || !reads(ours, theirs))) {
		snprintf(why, size, "it was saved by QEMU %s, and this stubdomain has QEMU %s, which cannot read it: restore it on a host that has the other",
			 info->qemu, qemu);
		return -ENOEXEC;
	}
	if (info->machine[0] && machine[0] && strcmp(info->machine, machine)) {
		snprintf(why, size, "it was saved on a machine of type %s, and this guest has %s: xen_platform_pci= in xl.cfg must be what it was",
			 info->machine, machine);
		return -ENOEXEC;
	}
	return 0;
}
