// SPDX-License-Identifier: GPL-2.0-or-later
#include "text.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool blank(char c)
{
	return c == ' ' || c == '\t';
}

const char *text_find(const char *text, const char *key, size_t *len)
{
	size_t klen = strlen(key);

	while (*text) {
		const char *end = text + strcspn(text, "\n"), *v = text + klen;

		if ((size_t)(end - text) > klen && !memcmp(text, key, klen) && blank(*v)) {
			while (v < end && blank(*v))
				v++;
			while (end > v && (blank(end[-1]) || end[-1] == '\r'))
				end--;
			*len = (size_t)(end - v);
			return v;
		}
		text = end + (*end == '\n');
	}
	return NULL;
}

int text_value(const char *text, const char *key, char *out, size_t size)
{
	size_t len;
	const char *v = text_find(text, key, &len);

	if (!v || len >= size)
		return v ? -E2BIG : -ENOENT;
	memcpy(out, v, len);
	out[len] = '\0';
	return 0;
}
