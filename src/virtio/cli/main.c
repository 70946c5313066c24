// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-virtio: virtio devices of Xen guests, from the command line. */
#include "cli/command.h"
#include "vcli.h"

int main(int argc, char **argv)
{
	static const struct command commands[] = {
		{ "list", cmd_list, "the virtio devices of guests, and their states" },
		{ "attach", cmd_attach, "give a running guest one more" },
		{ "detach", cmd_detach, "take one away" },
		{ "resize", cmd_resize, "tell a guest that a disk has grown" },
		{ "stats", cmd_stats, "what a guest's devices have moved" },
		{ "check", cmd_check, "what is missing, and the command that fixes it" },
		{ NULL, NULL, NULL }
	};
	static const struct program program = { "xen-virtio", commands, false };

	return program_run(&program, argc, argv);
}
