// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/cli/xlcfg.c src/stubdom/cli/cfgfacts.c src/virtio/cli/xlcfg.c src/virtio/cli/spec_text.c src/lib/virtio/spec.c src/lib/virtio/ids.c src/lib/virtio/probe.c src/lib/virtio/blockdev.c src/lib/cli/findings.c src/lib/cli/xlread.c src/lib/cli/host.c src/lib/cli/packages.c src/lib/xen/xs_util.c src/lib/xen/domain.c src/lib/base/file.c src/lib/base/log.c tests/unit/fake_xenstore.c */
/* test-pkgs: xlutil xenlight json-c */
/*
 * A guest's configuration, which may come from somebody else: what `check' of both programs
 * says of it is bounded, and each line says something.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/findings.h"
#include "stubdom/cli/xlcfg.h"
#include "virtio/cli/xlcfg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Defects of libxlutil's own parser are not this program's. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:libxlutil\nleak:libxenlight\n";
}

static void judge(struct findings *fs, int ret)
{
	if (ret && ret != -EINVAL && ret != -ENOMEM && ret != -EFBIG)
		abort();
	if (ret && findings_worst(fs) != BROKEN)
		abort();
	for (size_t i = 0; i < fs->n; i++)
		if (!fs->f[i].text[0] || strlen(fs->f[i].text) >= 1024)
			abort();
	findings_free(fs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct xlcfg_host host = { .xen_minor = size & 1 ? 17 : 20, .memory_min = 96 };
	struct findings fs = { 0 };
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = '\0';
	log_open("fuzz", NULL, LOG_EMERG);
	judge(&fs, xlcfg_check(&fs, "fuzz.cfg", text, size, &host));
	judge(&fs, xlcfg_virtio(&fs, "fuzz.cfg", text, size, host.xen_minor));
	free(text);
	return 0;
}
