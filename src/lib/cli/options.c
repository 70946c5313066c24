// SPDX-License-Identifier: GPL-2.0-or-later
#include "options.h"

#include <assert.h>
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/log.h"
#include "host.h"

enum { HELP = 256, VERSION, FIRST };

/* The two tables of getopt_long(); an option without a letter has its number. */
static void make_tables(const struct opts *o, struct option *longs, char *letters)
{
	size_t n = 0;

	if (o->stop)
		*letters++ = '+';
	*letters++ = 'h';
	for (const struct opt *p = o->opt; p && p->name; p++, n++) {
		assert(n < OPTS_MAX);
		longs[n] = (struct option){ p->name, !p->flag, NULL, FIRST + (int)n };
		if (!p->letter)
			continue;
		*letters++ = p->letter;
		if (!p->flag)
			*letters++ = ':';
	}
	*letters = '\0';
	longs[n++] = (struct option){ "help", 0, NULL, HELP };
	longs[n++] = (struct option){ "version", 0, NULL, VERSION };
	longs[n] = (struct option){ NULL, 0, NULL, 0 };
}

static const struct opt *find(const struct opts *o, int c)
{
	if (c >= FIRST)
		return &o->opt[c - FIRST];
	for (const struct opt *p = o->opt; p && p->name; p++)
		if (p->letter && p->letter == c)
			return p;
	return NULL;
}

int opts_parse(const struct opts *o, int argc, char **argv, char ***words)
{
	struct option longs[OPTS_MAX + 3];
	char letters[2 * OPTS_MAX + 3];
	int c, n;

	make_tables(o, longs, letters);
	optind = 0;
	while ((c = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct opt *p;

		if (c == HELP || c == 'h') {
			fputs(o->usage, stdout);
			return -1;
		}
		if (c == VERSION) {
			printf("%s %s\n", log_program(), XE_VERSION);
			return -1;
		}
		p = find(o, c);
		if (!p)
			return EXIT_USAGE;
		if (p->flag)
			*p->flag = true;
		else
			*p->arg = optarg;
	}
	n = argc - optind;
	if (n < o->min || n > o->max) {
		fputs(o->usage, stderr);
		return EXIT_USAGE;
	}
	if (words)
		*words = argv + optind;
	return 0;
}
