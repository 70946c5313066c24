// SPDX-License-Identifier: GPL-2.0-or-later
#include "text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

int info_get(const char *text, const char *key, char *out, size_t size)
{
	size_t klen = strlen(key);

	while (*text) {
		size_t len = strcspn(text, "\n");
		const char *end = text + len;

		if (len > klen && !memcmp(text, key, klen) && blank(text[klen])) {
			const char *v = text + klen;

			while (v < end && blank(*v))
				v++;
			while (end > v && (blank(end[-1]) || end[-1] == '\r'))
				end--;
			if ((size_t)(end - v) >= size)
				return -E2BIG;
			memcpy(out, v, end - v);
			out[end - v] = '\0';
			return 0;
		}
		text += len + (text[len] == '\n');
	}
	return -ENOENT;
}
