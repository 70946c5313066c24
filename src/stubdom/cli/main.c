// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdom: Linux stubdomains for xl, from the command line. */
#include <sys/stat.h>

#include "cli.h"
#include "cli/command.h"

int main(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "build", cmd_build, "assemble the image from what is installed" },
		{ "register", cmd_register, "make the image known to each installed Xen" },
		{ "unregister", cmd_unregister, "undo that" },
		{ "status", cmd_status, "guests with a stubdomain, and the images" },
		{ "check", cmd_check, "what is missing, and the command that fixes it" },
		{ "sbom", cmd_sbom, "what an image is made of, as SPDX" },
		{ "logs", cmd_logs, "what a guest's stubdomain said" },
		{ NULL, NULL, NULL }
	};
	static const struct program program = { "xen-stubdom", commands, true };

	/* What is made here, xl and everybody may read. */
	umask(022);
	return program_run(&program, argc, argv);
}
