// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/cli/origin.c src/lib/cli/process.c src/lib/image/manifest.c src/lib/cli/host.c src/lib/base/file.c src/lib/base/log.c */
/*
 * What dpkg says of the packages that an image is made of: fields of packages, which their
 * maintainers have written.  What is taken of it can be written into a manifest and read again.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "cli/host.h"
#include "stubdom/cli/origin.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const paths[] = { "/usr/lib/a.so", "/usr/bin/b", "/etc/c" };

#define PATHS (sizeof(paths) / sizeof(paths[0]))

static void must(bool is)
{
	if (!is)
		abort();
}

static void word(const char *text)
{
	must(*text && !text[strcspn(text, " \n\t")]);
}

static void begin(struct manifest *m)
{
	memset(m, 0, sizeof(*m));
	for (size_t i = 0; i < PATHS; i++) {
		m->input = xgrow(m->input, m->n_input, sizeof(*m->input));
		memset(&m->input[m->n_input], 0, sizeof(*m->input));
		m->input[m->n_input++].path = xstrdup(paths[i]);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *version;
	struct manifest m, again;

	memcpy(text, data, size);
	text[size] = '\0';
	log_open("fuzz", NULL, LOG_EMERG);
	begin(&m);
	begin(&again);
	origin_parse_owners(&m, text);
	origin_parse_packages(&m, text);
	for (size_t i = 0; i < m.n_input; i++)
		must(!m.input[i].owner || !strpbrk(m.input[i].owner, " \n"));
	for (size_t i = 0; i < m.n_package; i++) {
		word(m.package[i].name);
		word(m.package[i].version);
		must(!i || strcmp(m.package[i - 1].name, m.package[i].name));
	}
	for (size_t i = 0; i < m.n_use; i++) {
		word(m.use[i].source);
		word(m.use[i].version);
	}
	/* The same text says the same. */
	origin_parse_owners(&again, text);
	origin_parse_packages(&again, text);
	must(origin_same(&m, &again));
	version = built_using(text, "linux");
	must(!version || !strpbrk(version, " )"));
	free(version);
	manifest_free(&m);
	manifest_free(&again);
	free(text);
	return 0;
}
