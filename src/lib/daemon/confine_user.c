// SPDX-License-Identifier: GPL-2.0-or-later
/* Apart from confine.c: who only starts such a process links no libseccomp. */
#include "confine.h"

#include <errno.h>
#include <pwd.h>

int confine_user(const char *name, uid_t *uid, gid_t *gid)
{
	const struct passwd *p;

	errno = 0;
	p = getpwnam(name);
	if (!p)
		return errno ? -errno : -EIDRM;
	*uid = p->pw_uid;
	*gid = p->pw_gid;
	return *uid && *gid ? 0 : -EPERM;
}
