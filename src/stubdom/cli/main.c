// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdom: Linux stubdomains for xl, from the command line. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "capture.h"
#include "cli.h"

static const struct command commands[] = {
	{ "build", cmd_build, "assemble the image from what is installed" },
	{ "register", cmd_register, "make the image known to each installed Xen" },
	{ "unregister", cmd_unregister, "undo that" },
	{ "status", cmd_status, "guests with a stubdomain, and the images" },
	{ "check", cmd_check, "what is missing, and the command that mends it" },
	{ "sbom", cmd_sbom, "what an image is made of, as SPDX" },
	{ "logs", cmd_logs, "what a guest's stubdomain said" },
};

#define N_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void usage(FILE *f)
{
	fputs("Usage: xen-stubdom [--verbose|--quiet] [--root DIR] COMMAND [ARGUMENT]...\n\n",
	      f);
	for (size_t i = 0; i < N_COMMANDS; i++)
		fprintf(f, "  %-11s %s\n", commands[i].name, commands[i].text);
	fputs("\n'xen-stubdom COMMAND --help' has more; see xen-stubdom(8).\n", f);
}

static const struct option options[] = {
	{ "help", 0, NULL, 'h' }, { "version", 0, NULL, 'V' },
	{ "verbose", 0, NULL, 'v' }, { "quiet", 0, NULL, 'q' },
	{ "root", 1, NULL, 'r' }, { NULL, 0, NULL, 0 }
};

/* 0: go on; < 0: done; > 0: exit code */
static int parse(int argc, char **argv)
{
	int c;

	/* "+": stop at the command. */
	while ((c = getopt_long(argc, argv, "+hVvq", options, NULL)) != -1) {
		switch (c) {
		case 'h':
			usage(stdout);
			return -1;
		case 'V':
			puts("xen-stubdom " XE_VERSION);
			return -1;
		case 'v':
			capture_set_level(LOG_DEBUG);
			break;
		case 'q':
			capture_set_level(LOG_WARNING);
			break;
		case 'r':
			if (!host_set_root(optarg))
				break;
			log_err(NULL, "--root %s: not an absolute path", optarg);
			return EXIT_USAGE;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc)
		return 0;
	usage(stderr);
	return EXIT_USAGE;
}

static int run(const struct command *c, int argc, char **argv)
{
	/* Every command says its version, too. */
	if (argc > 1 && !strcmp(argv[1], "--version")) {
		puts("xen-stubdom " XE_VERSION);
		return EXIT_SUCCESS;
	}
	optind = 1;
	return c->run(argc, argv);
}

int main(int argc, char **argv)
{
	int ret;

	/* What is made here, xl and everybody may read. */
	umask(022);
	log_open("xen-stubdom", NULL, LOG_INFO);
	ret = parse(argc, argv);
	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	for (size_t i = 0; i < N_COMMANDS; i++)
		if (!strcmp(argv[optind], commands[i].name))
			return run(&commands[i], argc - optind, argv + optind);
	log_err(NULL, "'%s' is not a command: see 'xen-stubdom --help'",
		argv[optind]);
	return EXIT_USAGE;
}
