// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-virtio: virtio devices of Xen guests, from the command line. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "vcli.h"

static const struct command commands[] = {
	{ "list", cmd_list, "the virtio devices of guests, and their states" },
	{ "attach", cmd_attach, "give a running guest one more" },
	{ "detach", cmd_detach, "take one away" },
	{ "resize", cmd_resize, "tell a guest that a disk has grown" },
	{ "stats", cmd_stats, "what a guest's devices have moved" },
	{ "check", cmd_check, "what is missing, and the command that mends it" },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *f)
{
	fputs("Usage: xen-virtio [--verbose|--quiet] COMMAND [ARGUMENT]...\n\n", f);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(f, "  %-7s %s\n", commands[i].name, commands[i].text);
	fputs("\n'xen-virtio COMMAND --help' has more; see xen-virtio(8).\n", f);
}

/* 0: go on; < 0: done; > 0: exit code */
static int parse(int argc, char **argv)
{
	static const struct option options[] = {
		{ "help", 0, NULL, 'h' }, { "version", 0, NULL, 'V' },
		{ "verbose", 0, NULL, 'v' }, { "quiet", 0, NULL, 'q' },
		{ NULL, 0, NULL, 0 }
	};
	int c;

	/* "+": stop at the command. */
	while ((c = getopt_long(argc, argv, "+hVvq", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			usage(stdout);
			return -1;
		case 'V':
			puts("xen-virtio " XE_VERSION);
			return -1;
		case 'v':
			log_set_level(LOG_DEBUG);
			break;
		case 'q':
			log_set_level(LOG_WARNING);
			break;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc)
		return 0;
	usage(stderr);
	return EXIT_USAGE;
}

int main(int argc, char **argv)
{
	int ret;

	log_open("xen-virtio", NULL, LOG_INFO);
	ret = parse(argc, argv);
	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	argc -= optind;
	argv += optind;
	for (size_t i = 0; i < N_COMMANDS; i++) {
		if (strcmp(argv[0], commands[i].name))
			continue;
		optind = 1;
		return commands[i].run(argc, argv);
	}
	log_err(NULL, "'%s' is not a command: see 'xen-virtio --help'", argv[0]);
	return EXIT_USAGE;
}
