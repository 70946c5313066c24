// SPDX-License-Identifier: GPL-2.0-or-later
#include "version.h"

#include <errno.h>
#include <stdio.h>

static int read_number(const char *sys, const char *name, unsigned int *out)
{
	char path[4096];
	FILE *f;
	int n;

	snprintf(path, sizeof(path), "%s/hypervisor/version/%s", sys, name);
	f = fopen(path, "re");
	if (!f)
		return -errno;
	n = fscanf(f, "%4u", out);
	fclose(f);
	return n == 1 ? 0 : -EINVAL;
}

int xen_version(const char *sys, unsigned int *major, unsigned int *minor)
{
	int ret = read_number(sys, "major", major);

	return ret ? ret : read_number(sys, "minor", minor);
}
