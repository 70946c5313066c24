/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of a program or of one of its commands, as a table. */
#ifndef XE_OPTIONS_H
#define XE_OPTIONS_H

#include <stdbool.h>

struct opt {
	const char *name;	/* --NAME */
	char letter;		/* -LETTER; 0: none */
	bool *flag;		/* set when it is given; NULL: it has an argument */
	const char **arg;	/* which goes here; the last one counts */
};

struct opts {
	const char *usage;	/* "usage: PROGRAM ...\n" */
	const struct opt *opt;	/* ends with a NULL name; at most OPTS_MAX */
	int min, max;		/* words besides options */
	bool stop;		/* at the first word: what follows is a command's */
};

#define OPTS_MAX 16

/*
 * Beside @o->opt there are --help, -h and --version.
 *
 * @words: those of @argv, with NULL behind the last; may be NULL
 *
 * 0; -1 when --help or --version was asked for and printed; or EXIT_USAGE, after
 * saying what is wrong: getopt's message, or the usage for too few or many words.
 */
int opts_parse(const struct opts *o, int argc, char **argv, char ***words);

#endif
