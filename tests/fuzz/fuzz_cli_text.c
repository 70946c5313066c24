// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/cli/logtext.c src/stubdom/cli/bzimage.c src/stubdom/cli/xendirs.c src/lib/xen/version.c src/lib/image/manifest.c src/stubdom/cli/license.c src/lib/cli/host.c src/lib/base/file.c src/lib/base/log.c */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "stubdom/cli/cli.h"
#include "stubdom/cli/image.h"
#include "stubdom/cli/license.h"
#include "stubdom/cli/logtext.h"
#include "stubdom/cli/xendirs.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Console text for a terminal: nothing but what it may show, lines that end. */
static void log_text(const char *in, size_t size)
{
	char *out = xcalloc(1, LOGTEXT_OUT(size) + 1);
	struct logtext t = { 0 };
	size_t half = size / 2, line = 0;
	size_t len = logtext_clean(&t, in, half, out);

	len += logtext_clean(&t, in + half, size - half, out + len);
	assert(len <= LOGTEXT_OUT(size));
	for (size_t i = 0; i < len; i++) {
		assert(out[i] == '\n' || out[i] == '\t' ||
		       (out[i] >= 0x20 && out[i] < 0x7f));
		line = out[i] == '\n' ? 0 : line + 1;
		assert(line <= LOGTEXT_LINE_MAX);
	}
	free(out);
}

/* Whatever a copyright file says, an SPDX expression has nothing but these. */
static void license_text(const char *text)
{
	char *file = xasprintf("Format: x\n\nFiles: *\nLicense: %s\n", text), *e;

	for (int i = 0; i < 2; i++) {
		e = license_of_copyright(i ? text : file);
		assert(!e || e[strspn(e, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
					 "0123456789.-() ")] == '\0');
		free(e);
	}
	free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xcalloc(1, size + 1), *v, version[64];

	memcpy(text, data, size);
	log_text(text, size);
	license_text(text);
	v = xendirs_match("/usr/lib/xen-*/boot", text);
	assert(!v || xen_version_valid(v));
	free(v);
	if (!bzimage_version(data, size, version, sizeof(version)))
		assert(strlen(version) > 0 && strlen(version) < sizeof(version));
	free(text);
	return 0;
}
