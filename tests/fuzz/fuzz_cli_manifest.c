// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/image/manifest.c src/lib/cli/host.c src/lib/base/file.c src/lib/base/log.c */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "stubdom/cli/cli.h"
#include "image/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is accepted means the same after it was written and read again. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xcalloc(1, size + 1), *again, *twice;
	struct manifest m, n;

	memcpy(text, data, size);
	if (!manifest_parse(&m, text, NULL)) {
		again = manifest_format(&m);
		assert(!manifest_parse(&n, again, NULL));
		twice = manifest_format(&n);
		assert(!strcmp(again, twice));
		manifest_free(&n);
		free(again);
		free(twice);
	}
	manifest_free(&m);
	free(text);
	return 0;
}
