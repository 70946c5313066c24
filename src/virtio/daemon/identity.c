// SPDX-License-Identifier: GPL-2.0-or-later
#include "identity.h"

#include <errno.h>
#include <grp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "virtio/ids.h"

void vd_identity_init(struct vd_identity *who, uint32_t domid)
{
	*who = (struct vd_identity){ .uid = VD_UID_QEMU + domid, .gid = VD_UID_QEMU + domid };
}

bool vd_identity_serve(struct vd_identity *who, const struct vd_spec *s, const struct vd_found *found)
{
	if (s->type != VD_9P || s->readonly)
		return true;
	if (who->shares)
		return who->uid == found->uid;
	*who = (struct vd_identity){ .uid = found->uid, .gid = found->gid, .shares = true };
	return true;
}

/*
 * No Unix socket with an abstract name and no signal but to what is in here: Landlock's
 * scopes, of Linux 6.12.  Where it has none, docs/security.md has the first as a limit.
 */
static void keep_inside(void)
{
	/* struct landlock_ruleset_attr, which older headers have without its end. */
	const struct {
		uint64_t fs, net, scoped;
	} attr = { .scoped = 1 << 0 /* abstract Unix sockets */ | 1 << 1 /* signals */ };
	int fd = (int)syscall(SYS_landlock_create_ruleset, &attr, sizeof(attr), 0);

	if (fd < 0)
		return;
	syscall(SYS_landlock_restrict_self, fd, 0);
	close(fd);
}

int vd_become(uid_t uid, gid_t gid)
{
	if (!uid)
		return -EINVAL;
	/* With the last of its user ids a process loses the capabilities it has, too. */
	if (setgroups(0, NULL) || setresgid(gid, gid, gid) || setresuid(uid, uid, uid) ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -errno;
	keep_inside();
	return 0;
}
