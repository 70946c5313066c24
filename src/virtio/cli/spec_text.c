// SPDX-License-Identifier: GPL-2.0-or-later
#include "spec_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/spec.h"

char *spec_type(const char *spec)
{
	static const char *const ends[] = { ",transport=", ",backend=", ",grant_usage=" };
	size_t len, word;
	enum vd_type type;
	char *out;

	if (!strncmp(spec, "type=", 5))
		spec += 5;
	len = strlen(spec);
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		const char *end = strstr(spec, ends[i]);

		if (end && (size_t)(end - spec) < len)
			len = (size_t)(end - spec);
	}
	word = strcspn(spec, ";,");
	if (word > len)
		word = len;
	type = word == 4 && !strncmp(spec, "disk", 4) ? VD_BLOCK : vd_type_by_name(spec, word);
	if (type) {
		if (asprintf(&out, "virtio,device%d%.*s", type, (int)(len - word), spec + word) < 0)
			return NULL;
	} else if (asprintf(&out, "%s%.*s", strncmp(spec, "device", 6) ? "" : "virtio,",
			    (int)len, spec) < 0) {
		return NULL;
	}
	return out;
}

char *spec_backend(const char *spec)
{
	const char *word = strstr(spec, ",backend=");

	if (!word)
		return NULL;
	word += strlen(",backend=");
	return strndup(word, strcspn(word, ","));
}
