// SPDX-License-Identifier: GPL-2.0-or-later
#include "mark.h"

#include <stdio.h>
#include <string.h>

bool vd_tap_ours(const char *name)
{
	char path[80], alias[sizeof(VD_TAP_MARK) + 1] = "";
	FILE *f;

	snprintf(path, sizeof(path), VD_SYS_NET "/%s/ifalias", name);
	f = fopen(path, "re");
	if (!f)
		return false;
	if (!fgets(alias, sizeof(alias), f))
		alias[0] = '\0';
	fclose(f);
	return !strcmp(alias, VD_TAP_MARK "\n");
}
