// SPDX-License-Identifier: GPL-2.0-or-later
#include "command.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "host.h"
#include "options.h"

/* To free(). */
static char *usage_of(const struct program *p)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return xstrdup("");
	fprintf(f, "usage: %s [--verbose|--quiet]%s COMMAND [ARGUMENT]...\n\n", p->name,
		p->root ? " [--root DIR]" : "");
	for (const struct command *c = p->commands; c->name; c++)
		fprintf(f, "  %-11s %s\n", c->name, c->text);
	fprintf(f, "\n'%s COMMAND --help' has more; see %s(8).\n", p->name, p->name);
	fclose(f);
	return text ? text : xstrdup("");
}

/* As opts_parse(): the program's own options. */
static int parse(const struct program *p, int argc, char **argv, char ***words)
{
	bool verbose = false, quiet = false;
	const char *root = NULL;
	const struct opt options[] = {
		{ "verbose", 'v', &verbose, NULL }, { "quiet", 'q', &quiet, NULL },
		{ p->root ? "root" : NULL, 0, NULL, &root }, { NULL, 0, NULL, NULL }
	};
	char *usage = usage_of(p);
	const struct opts o = { usage, options, 1, INT_MAX, true };
	int ret = opts_parse(&o, argc, argv, words);

	free(usage);
	if (ret)
		return ret;
	log_set_level(verbose ? LOG_DEBUG : quiet ? LOG_WARNING : LOG_INFO);
	if (!root || !host_set_root(root))
		return 0;
	log_err(NULL, "--root %s: not an absolute path", root);
	return EXIT_USAGE;
}

int program_run(const struct program *p, int argc, char **argv)
{
	char **words;
	int ret;

	log_open(p->name, NULL, LOG_INFO);
	ret = parse(p, argc, argv, &words);
	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	for (const struct command *c = p->commands; c->name; c++)
		if (!strcmp(words[0], c->name))
			return c->run(argc - (int)(words - argv), words);
	log_err(NULL, "'%s' is not a command: see '%s --help'", words[0], p->name);
	return EXIT_USAGE;
}
