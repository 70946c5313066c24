// SPDX-License-Identifier: GPL-2.0-or-later
#include "rights.h"

#include <seccomp.h>

int rights_worker(const struct confine *user, const char **what)
{
	static const int calls[] = {
		SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
		/* files that are open */
		SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(ftruncate),
	};
	static const struct confine_limit limits[] = {
		{ RLIMIT_NOFILE, 64 }, { RLIMIT_DATA, 16 * 1024 * 1024 },
	};
	struct confine c = *user;

	c.with_parent = true;
	c.ioctls = "GE";
	c.calls = calls;
	c.n_calls = sizeof(calls) / sizeof(calls[0]);
	c.limits = limits;
	c.n_limits = sizeof(limits) / sizeof(limits[0]);
	return confine(&c, what);
}

int rights_serve(const struct confine *user, const char **what)
{
	static const int calls[] = {
		SCMP_SYS(accept4), SCMP_SYS(shutdown), SCMP_SYS(sendmsg), SCMP_SYS(recvmsg),
		/* libxenstore; json-c's hashes */
		SCMP_SYS(rt_sigaction), SCMP_SYS(rt_sigprocmask), SCMP_SYS(getrandom),
	};
	static const struct confine_limit limits[] = {
		{ RLIMIT_NOFILE, 64 }, { RLIMIT_DATA, 32 * 1024 * 1024 },
	};
	struct confine c = *user;

	c.calls = calls;
	c.n_calls = sizeof(calls) / sizeof(calls[0]);
	c.limits = limits;
	c.n_limits = sizeof(limits) / sizeof(limits[0]);
	return confine(&c, what);
}
