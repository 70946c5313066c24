// SPDX-License-Identifier: GPL-2.0-or-later
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "base/log.h"

static const int always[] = {
	/* descriptors that are there, diagnostics of libraries */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(recvfrom), SCMP_SYS(sendto),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(close), SCMP_SYS(poll), SCMP_SYS(ppoll),
	/* malloc(), clocks, the end */
	SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(clock_gettime),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

static int allow(scmp_filter_ctx ctx, const int *calls, size_t n)
{
	int ret = 0;

	for (size_t i = 0; i < n && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, calls[i], 0);
	return ret;
}

static int allow_if(scmp_filter_ctx ctx, int call, struct scmp_arg_cmp arg)
{
	return seccomp_rule_add(ctx, SCMP_ACT_ALLOW, call, 1, arg);
}

static int by_argument(scmp_filter_ctx ctx, const struct confine *c)
{
	int ret = allow_if(ctx, SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));

	/* A thread's malloc(). */
	if (!ret)
		ret = allow_if(ctx, SCMP_SYS(mprotect), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0));
	for (const char *type = c->ioctls; type && *type && !ret; type++)
		ret = allow_if(ctx, SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, (scmp_datum_t)*type << 8));
	for (size_t i = 0; i < c->n_fcntls && !ret; i++)
		ret = allow_if(ctx, SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_MASKED_EQ, ~0u, (scmp_datum_t)c->fcntls[i]));
	return ret;
}

static int system_calls(const struct confine *c)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret = ctx ? 0 : -ENOMEM;

	if (!ret)
		ret = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_TSYNC, 1);
	if (!ret)
		ret = allow(ctx, always, sizeof(always) / sizeof(always[0]));
	if (!ret)
		ret = allow(ctx, c->calls, c->n_calls);
	if (!ret)
		ret = by_argument(ctx, c);
	if (!ret)
		ret = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return ret;
}

static int limit(const struct confine_limit *limits, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct rlimit r = { limits[i].max, limits[i].max };

		if (setrlimit(limits[i].what, &r))
			return -errno;
	}
	return 0;
}

/* When memory is short it goes before its parent, whose adjustment it has. */
static void first_to_go(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, "500", 3) != 3)
		log_warn(NULL, "oom_score_adj cannot be set");
	close(fd);
}

int confine(const struct confine *c, const char **what)
{
	static const struct confine_limit limits[] = {
		{ RLIMIT_CORE, 0 },	/* it would hold a guest's memory */
		{ RLIMIT_NPROC, 0 },
	};
	int ret;

	first_to_go();
	*what = "limits";
	ret = limit(limits, sizeof(limits) / sizeof(limits[0]));
	if (!ret)
		ret = limit(c->limits, c->n_limits);
	if (ret)
		return ret;
	*what = "user";
	if (setgroups(0, NULL) || setresgid(c->gid, c->gid, c->gid) || setresuid(c->uid, c->uid, c->uid))
		return -errno;
	*what = "privileges";
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return -errno;
	/* It is forgotten when the user changes. */
	if (c->with_parent && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0))
		return -errno;
	*what = "system calls";
	return system_calls(c);
}
