/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The arguments that two subcommands of xen-stubdom take alike.  Each function
 * returns 0; -1 when --help was asked for and @usage printed; or EXIT_USAGE,
 * after saying what is wrong: getopt's message, or @refusal.  Texts in the
 * result are those of @argv.
 */
#ifndef XE_ARGS_H
#define XE_ARGS_H

#include <stdbool.h>

/* status and check: [--json] [WHAT] */
struct args_show {
	bool json;
	const char *what;	/* or NULL */
};

int args_show(int argc, char **argv, const char *usage, const char *refusal,
	      struct args_show *a);

/* register and unregister: [--xen V | --all] [--FLAG] */
struct args_xen {
	const char *xen;	/* a valid version, or NULL: all */
	bool flag;
};

int args_xen(int argc, char **argv, const char *usage, const char *flag,
	     const char *refusal, struct args_xen *a);

#endif
