/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Giving up, for good, what a process that serves another domain does not need.
 *
 * Whoever takes it over afterwards finds
 *   - no network, no file but those that are open and no way to open one;
 *   - no other process to see or to signal (a user of its own; no call that signals);
 *   - no memory that can be made executable;
 *   - /dev/xen/gntdev, where the process has it, by which it can map what any domain has
 *     granted to dom0: docs/security.md has that among today's limits.
 */
#ifndef XE_CONFINE_H
#define XE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/types.h>

struct confine_limit {
	int what;		/* RLIMIT_... */
	rlim_t max;
};

struct confine {
	uid_t uid;
	gid_t gid;
	bool with_parent;	/* killed when its parent ends */
	/* Beside memory that is not executable, clocks and the end. */
	const int *calls;
	size_t n_calls;
	/*
	 * Types of ioctl() and commands of fcntl(); NULL: none.  Others would have the kernel send
	 * signals to whomever they name (FIOSETOWN, F_SETOWN).
	 */
	const char *ioctls;	/* "GEP": gntdev, evtchn, privcmd */
	const int *fcntls;
	size_t n_fcntls;
	/* Beside no core dump and no process. */
	const struct confine_limit *limits;
	size_t n_limits;
};

/* A package's user.  -EIDRM when it is missing, -EPERM when it is root. */
int confine_user(const char *name, uid_t *uid, gid_t *gid);

/*
 * Needs root.  All threads that the process has.  0 or negative errno, and *@what failed.
 */
int confine(const struct confine *c, const char **what);

#endif
