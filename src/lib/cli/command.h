/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program of several commands: PROGRAM [OPTION]... COMMAND [ARGUMENT]... */
#ifndef XE_COMMAND_H
#define XE_COMMAND_H

#include <stdbool.h>

struct command {
	const char *name;
	int (*run)(int argc, char **argv);	/* argv[0] is @name; returns the exit code */
	const char *text;			/* what it is for, in one line */
};

struct program {
	const char *name;
	const struct command *commands;		/* ends with a NULL name */
	bool root;				/* has --root DIR: see host_path() */
};

/*
 * Open the log on stderr, do what --help, --version, --verbose, --quiet and --root
 * say, and run the command.  Returns the exit code; see EXIT_USAGE.
 */
int program_run(const struct program *p, int argc, char **argv);

#endif
