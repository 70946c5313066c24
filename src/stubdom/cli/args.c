// SPDX-License-Identifier: GPL-2.0-or-later
/* The arguments that two subcommands of xen-stubdom take alike. */
#include "args.h"

#include <getopt.h>

#include "cli.h"
#include "image/manifest.h"

int args_show(int argc, char **argv, const char *usage, const char *refusal,
	      struct args_show *a)
{
	static const struct option options[] = {
		{ "json", 0, NULL, 'j' }, { "help", 0, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	*a = (struct args_show){ 0 };
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == 'j') {
			a->json = true;
		} else if (c == 'h') {
			fputs(usage, stdout);
			return -1;
		} else {
			return EXIT_USAGE;
		}
	}
	if (argc - optind > 1) {
		log_err(NULL, "%s", refusal);
		return EXIT_USAGE;
	}
	a->what = argv[optind];
	return 0;
}

int args_xen(int argc, char **argv, const char *usage, const char *flag,
	     const char *refusal, struct args_xen *a)
{
	const struct option options[] = {
		{ "xen", 1, NULL, 'x' }, { "all", 0, NULL, 'a' },
		{ flag, 0, NULL, 'f' }, { "help", 0, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	bool all = false;
	int c;

	*a = (struct args_xen){ 0 };
	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case 'x':
			a->xen = optarg;
			break;
		case 'a':
			all = true;
			break;
		case 'f':
			a->flag = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return -1;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc || (a->xen && (all || !xen_version_valid(a->xen)))) {
		log_err(NULL, "%s", refusal);
		return EXIT_USAGE;
	}
	return 0;
}
