// SPDX-License-Identifier: GPL-2.0-or-later
/* The arguments that the subcommands of xen-virtio take alike. */
#include <getopt.h>

#include "vcli.h"

int args_parse(int argc, char **argv, const char *usage, int min, int max, struct args *a)
{
	static const struct option options[] = {
		{ "json", 0, NULL, 'j' }, { "force", 0, NULL, 'f' },
		{ "backend", 1, NULL, 'b' },
		{ "help", 0, NULL, 'h' }, { NULL, 0, NULL, 0 }
	};
	int c;

	*a = (struct args){ 0 };
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'j':
			a->json = true;
			break;
		case 'f':
			a->force = true;
			break;
		case 'b':
			a->backend = optarg;
			break;
		case 'h':
			fputs(usage, stdout);
			return -1;
		default:
			return EXIT_USAGE;
		}
	}
	a->words = argv + optind;
	a->n = argc - optind;
	if (a->n >= min && a->n <= max)
		return 0;
	fputs(usage, stderr);
	return EXIT_USAGE;
}
