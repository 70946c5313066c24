// SPDX-License-Identifier: GPL-2.0-or-later
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

int meminfo_get(const char *text, const char *key, uint64_t *kib)
{
	size_t klen = strlen(key);

	for (;;) {
		if (!strncmp(text, key, klen) && text[klen] == ':')
			break;
		text = strchr(text, '\n');
		if (!text)
			return -ENOENT;
		text++;
	}
	text += klen + 1;
	while (blank(*text))
		text++;
	if (*text < '0' || *text > '9')
		return -EINVAL;
	for (*kib = 0; *text >= '0' && *text <= '9'; text++) {
		if (*kib > UINT64_MAX / 10 - 1)
			return -EINVAL;
		*kib = *kib * 10 + (*text - '0');
	}
	return 0;
}

bool cmdline_get(const char *cmdline, const char *key, char *value, size_t size)
{
	size_t klen = strlen(key);
	bool found = false;

	while (*cmdline) {
		size_t len = strcspn(cmdline, " \t\n");

		if (len >= klen && !memcmp(cmdline, key, klen) &&
		    (len == klen || cmdline[klen] == '=')) {
			const char *v = cmdline + klen + (len > klen);

			found = true;
			if (value)
				snprintf(value, size, "%.*s",
					 (int)(cmdline + len - v), v);
		}
		cmdline += len;
		cmdline += strspn(cmdline, " \t\n");
	}
	return found;
}

int version_series(const char *version, char *out, size_t size)
{
	size_t major = strspn(version, "0123456789"), minor;

	if (!major || version[major] != '.')
		return -EINVAL;
	minor = strspn(version + major + 1, "0123456789");
	if (!minor || major + 1 + minor >= size)
		return -EINVAL;
	memcpy(out, version, major + 1 + minor);
	out[major + 1 + minor] = '\0';
	return 0;
}

unsigned int dmargv_check(char *const *names, unsigned int count)
{
	char want[16];

	for (unsigned int i = 0; i < count; i++) {
		snprintf(want, sizeof(want), "%03u", i + 1);
		if (i + 1 > 999 || strcmp(names[i], want))
			return i + 1;
	}
	return 0;
}
