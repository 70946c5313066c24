/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The choice of a Xen version, which several commands of xen-stubdom take. */
#ifndef XE_ARGS_H
#define XE_ARGS_H

#include <stdbool.h>

/* 0 for NULL and for a version such as "4.20"; or EXIT_USAGE, said. */
int args_xen_valid(const char *xen);

/* register and unregister: [--xen V | --all] [--FLAG] */
struct args_xen {
	const char *xen;	/* a valid version, or NULL: all */
	bool flag;
};

/* As opts_parse(). */
int args_xen(int argc, char **argv, const char *usage, const char *flag,
	     struct args_xen *a);

#endif
