// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * xen-state-disk: the backend of one state disk (docs/state-disk.md), started by
 * xen-stubdomd and by nobody else.  It opens what takes root's rights, gives them up, and
 * serves a ring.
 */
#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/confine.h"
#include "serve.h"
#include "xen/domain.h"

#define FD_SOCKET 3
#define FD_FILE 4

/*
 * What this process reads from the stubdomain is a ring of one page, by request.c.
 * Should that be wrong, confine.h says what whoever takes it over finds; its event
 * channel device knows this stubdomain only, and it has no xenstore.
 */
static int give_up(uid_t uid, gid_t gid, uint64_t max_file, const char **what)
{
	static const int calls[] = { SCMP_SYS(pread64) }, sealing[] = { F_ADD_SEALS };
	const struct confine_limit limits[] = {
		{ RLIMIT_NOFILE, 16 },
		{ RLIMIT_FSIZE, max_file },
	};
	const struct confine c = {
		.uid = uid, .gid = gid, .with_parent = true, .calls = calls, .n_calls = 1,
		.ioctls = "GE", .fcntls = sealing, .n_fcntls = 1,
		.limits = limits, .n_limits = 2,
	};

	return confine(&c, what);
}

static int number(const char *text, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(text, &end, 10);
	return errno || *text < '0' || *text > '9' || *end || *out > max ? -EINVAL : 0;
}

struct args {
	uint64_t stub, sectors, uid, gid;
	bool restore, refuse;
};

static int parse(int argc, char **argv, struct args *a)
{
	if (argc != 6)
		return -EINVAL;
	a->restore = !strcmp(argv[1], "restore");
	a->refuse = !strcmp(argv[1], "refuse");
	if (!a->restore && !a->refuse && strcmp(argv[1], "save"))
		return -EINVAL;
	if (number(argv[2], DOMID_LIMIT - 1, &a->stub) || number(argv[3], UINT32_MAX, &a->sectors) ||
	    number(argv[4], UINT32_MAX - 1, &a->uid) || number(argv[5], UINT32_MAX - 1, &a->gid))
		return -EINVAL;
	return a->uid && a->gid ? 0 : -EPERM;
}

int main(int argc, char **argv)
{
	struct serve_opts o = { .sock = FD_SOCKET, .file = FD_FILE };
	const char *what;
	struct args a;
	int ret;

	if (parse(argc, argv, &a) || fcntl(FD_SOCKET, F_GETFD) < 0 || fcntl(FD_FILE, F_GETFD) < 0) {
		fprintf(stderr, "xen-state-disk %s: started by xen-stubdomd, see xen-stubdomd(8)\n", XE_VERSION);
		return 2;
	}
	/* Whatever the daemon has open, such as xenstore, must not be here. */
	if (close_range(FD_FILE + 1, ~0u, 0)) {
		serve_unable(o.sock, "descriptors cannot be closed: %s", strerror(errno));
		return 1;
	}
	o.restore = a.restore;
	o.refuse = a.refuse;
	o.grants = grants_open((uint32_t)a.stub);
	if (!o.grants) {
		serve_unable(o.sock, "no access to grants and event channels: %s", strerror(errno));
		return 1;
	}
	ret = disk_make(&o.disk, a.sectors);
	if (ret) {
		serve_unable(o.sock, "no memory for the disk: %s", strerror(-ret));
		return 1;
	}
	ret = give_up((uid_t)a.uid, (gid_t)a.gid, a.sectors * STATE_DISK_SECTOR, &what);
	if (ret) {
		serve_unable(o.sock, "xen-state-disk cannot be confined (%s): %s", what, strerror(-ret));
		return 1;
	}
	return serve(&o) ? 1 : 0;
}
