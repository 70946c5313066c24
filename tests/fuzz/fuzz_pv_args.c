// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/pv/args.c src/stubdom/pv/sink.c src/stubdom/pv/logfile.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c */
/*
 * A command line, one argument a line, and the "output" of a console: what a guest's file
 * (device_model_args=, serial=) brings into them.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stubdom/pv/args.h"
#include "stubdom/pv/sink.h"
#include "xen/domain.h"

#define WORDS 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int is)
{
	if (!is)
		abort();
}

static void check(const struct args *a)
{
	must(a->n_monitors && a->n_monitors <= ARGS_MONITORS);
	must(a->probe || (a->domid && a->domid < DOMID_LIMIT));
	for (unsigned int i = 0; i < a->n_monitors; i++) {
		must(memchr(a->monitor[i].path, '\0', sizeof(a->monitor[i].path)) != NULL);
		must((a->monitor[i].fd >= 3 && !a->monitor[i].path[0]) || (a->monitor[i].fd == -1 && a->monitor[i].path[0] == '/'));
	}
}

static void output(char *text, unsigned int console)
{
	const char *path;
	enum sink_kind kind = sink_parse(text, console, &path);

	must(kind != SINK_NONE);
	must((kind == SINK_LOG || kind == SINK_STATE || kind == SINK_SOURCE) == (*path == '/'));
	must(kind != SINK_SOURCE || console == 2);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *argv[WORDS + 1] = { "prog" };
	struct args a;
	int argc = 1, ret;

	memcpy(text, data, size);
	text[size] = '\0';
	output(text, size ? data[0] % 5 : 0);
	for (char *w = text, *end; w && argc < WORDS; w = end) {
		end = strchr(w, '\n');
		if (end)
			*end++ = '\0';
		argv[argc++] = w;
	}
	ret = args_parse(argc, argv, &a);
	must(!ret || ret == -EINVAL || ret == -ENOTSUP);
	if (!ret)
		check(&a);
	must((ret == -ENOTSUP) <= (a.unknown != NULL));
	free(text);
	return 0;
}
