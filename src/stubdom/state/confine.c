// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Theory of operation: what this process reads from the stubdomain is a ring of one
 * page, by request.c.  Should that be wrong, whoever takes the process over finds
 *   - no xenstore, no network, no file but its own two and no way to open one;
 *   - no other process to see or to signal (a user of its own; no call that signals);
 *   - no memory that can be made executable;
 *   - an event channel device that knows this stubdomain only;
 *   - /dev/xen/gntdev, by which it can map what any domain has granted to dom0:
 *     docs/security.md has that among today's limits.
 */
#include "confine.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <seccomp.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

static const int allowed[] = {
	/* the socket, the file, diagnostics of libraries */
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(writev), SCMP_SYS(pread64), SCMP_SYS(recvfrom),
	SCMP_SYS(sendto), SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(close), SCMP_SYS(poll),
	SCMP_SYS(ppoll),
	/* gntdev */
	SCMP_SYS(munmap),
	/* malloc(), clocks, the end */
	SCMP_SYS(brk), SCMP_SYS(madvise), SCMP_SYS(futex), SCMP_SYS(clock_gettime),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group),
};

/*
 * What is allowed with some arguments only.  Other requests of ioctl() and fcntl() would have the
 * kernel send signals to whomever they name (FIOSETOWN, F_SETOWN).
 */
static int by_argument(scmp_filter_ctx ctx)
{
	const struct {
		int call;
		struct scmp_arg_cmp arg;
	} all[] = {
		{ SCMP_SYS(mmap), SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0) },
		{ SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, 'G' << 8) },	/* gntdev */
		{ SCMP_SYS(ioctl), SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, 'E' << 8) },	/* evtchn */
		{ SCMP_SYS(fcntl), SCMP_A1(SCMP_CMP_MASKED_EQ, ~0u, F_ADD_SEALS) },		/* the disk */
	};
	int ret = 0;

	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, all[i].call, 1, all[i].arg);
	return ret;
}

static int system_calls(void)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int ret = ctx ? 0 : -ENOMEM;

	for (unsigned int i = 0; i < sizeof(allowed) / sizeof(allowed[0]) && !ret; i++)
		ret = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, allowed[i], 0);
	if (!ret)
		ret = by_argument(ctx);
	if (!ret)
		ret = seccomp_load(ctx);
	if (ctx)
		seccomp_release(ctx);
	return ret;
}

static int limits(uint64_t max_file)
{
	const struct { int what; rlim_t max; } all[] = {
		{ RLIMIT_CORE, 0 },	/* it would hold a guest's memory */
		{ RLIMIT_NPROC, 0 },
		{ RLIMIT_NOFILE, 16 },
		{ RLIMIT_FSIZE, max_file },
	};

	for (unsigned int i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		const struct rlimit r = { all[i].max, all[i].max };

		if (setrlimit(all[i].what, &r))
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
		fprintf(stderr, "xen-state-disk: oom_score_adj cannot be set\n");
	close(fd);
}

int confine(uid_t uid, gid_t gid, uint64_t max_file, const char **what)
{
	int ret;

	first_to_go();
	*what = "limits";
	ret = limits(max_file);
	if (ret)
		return ret;
	*what = "user";
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid))
		return -errno;
	*what = "privileges";
	/* The parent's death signal is forgotten when the user changes. */
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) ||
	    prctl(PR_SET_PDEATHSIG, 9, 0, 0, 0))
		return -errno;
	*what = "system calls";
	return system_calls();
}
