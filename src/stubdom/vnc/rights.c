// SPDX-License-Identifier: GPL-2.0-or-later
#include "rights.h"

#include <fcntl.h>
#include <seccomp.h>

#include "daemon/confine.h"
#include "fbring.h"

int rights_give_up(uid_t uid, gid_t gid, const char **what)
{
	static const int calls[] = {
		/* clients */
		SCMP_SYS(accept4), SCMP_SYS(getpeername), SCMP_SYS(getsockname), SCMP_SYS(setsockopt), SCMP_SYS(getsockopt),
		SCMP_SYS(select), SCMP_SYS(pselect6), SCMP_SYS(shutdown), SCMP_SYS(getrandom),
		/* libraries */
		SCMP_SYS(getpid), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(sched_yield),
	};
	static const struct confine_limit limits[] = {
		{ RLIMIT_NOFILE, 64 }, { RLIMIT_FSIZE, 16 * 1024 * 1024 },
		/* A copy of the screen, and libvncserver's for each encoding and client. */
		{ RLIMIT_DATA, 32 * 1024 * 1024 + 4 * FB_BYTES_MAX },
	};
	static const int fcntls[] = { F_GETFL, F_SETFL };
	const struct confine c = {
		.ioctls = "GEP", .fcntls = fcntls, .n_fcntls = sizeof(fcntls) / sizeof(fcntls[0]),
		.uid = uid, .gid = gid, .with_parent = true,
		.calls = calls, .n_calls = sizeof(calls) / sizeof(calls[0]),
		.limits = limits, .n_limits = sizeof(limits) / sizeof(limits[0]),
	};

	return confine(&c, what);
}
