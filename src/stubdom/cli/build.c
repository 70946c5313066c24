// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdom build */
#include <getopt.h>
#include <stdlib.h>
#include <unistd.h>

#include "cli.h"
#include "cli/interrupt.h"
#include "image.h"

static const char usage[] =
"Usage: xen-stubdom build [OPTION]...\n"
"Assemble the stubdomain's image from what is installed on this machine.\n"
"\n"
"  --xen V          fail unless it is for this Xen version (e.g. 4.20)\n"
"  --if-needed      only when an input changed since the image was built\n"
"  --force          build even so\n"
"  --debug          with a shell (busybox): not for production\n"
"  --kernel FILE    instead of " STUBDOM_KERNEL "\n"
"  --qemu FILE      instead of " STUBDOM_QEMU "; FILE.info beside it\n"
"  --init FILE      instead of " STUBDOM_INIT "\n"
"  --module DIR     dracut module instead of the installed one\n"
"  --output DIR     put kernel, rootfs and manifest there; register nothing\n";

enum { OPT_XEN = 256, OPT_NEEDED, OPT_FORCE, OPT_DEBUG, OPT_KERNEL, OPT_QEMU,
       OPT_INIT, OPT_MODULE, OPT_OUTPUT };

static const struct option options[] = {
	{ "xen", 1, NULL, OPT_XEN }, { "if-needed", 0, NULL, OPT_NEEDED },
	{ "force", 0, NULL, OPT_FORCE }, { "debug", 0, NULL, OPT_DEBUG },
	{ "kernel", 1, NULL, OPT_KERNEL }, { "qemu", 1, NULL, OPT_QEMU },
	{ "init", 1, NULL, OPT_INIT }, { "module", 1, NULL, OPT_MODULE },
	{ "output", 1, NULL, OPT_OUTPUT }, { "help", 0, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

/* Paths get --root in front and stand in the manifest: make them absolute. */
static const char *absolute(const char *path)
{
	char cwd[4096];

	if (path[0] == '/' || !getcwd(cwd, sizeof(cwd)))
		return path;
	return xasprintf("%s/%s", cwd, path);
}

static int parse(int argc, char **argv, struct image_opts *o)
{
	int c;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (c) {
		case OPT_XEN:
			o->xen = optarg;
			break;
		case OPT_NEEDED:
			o->if_needed = true;
			break;
		case OPT_FORCE:
			o->force = true;
			break;
		case OPT_DEBUG:
			o->debug = true;
			break;
		case OPT_KERNEL:
			o->kernel = absolute(optarg);
			break;
		case OPT_QEMU:
			o->qemu = absolute(optarg);
			break;
		case OPT_INIT:
			o->init = absolute(optarg);
			break;
		case OPT_MODULE:
			o->module = absolute(optarg);
			break;
		case OPT_OUTPUT:
			o->output = absolute(optarg);
			break;
		case 'h':
			fputs(usage, stdout);
			return -1;
		default:
			return EXIT_USAGE;
		}
	}
	if (optind < argc || (o->xen && !xen_version_valid(o->xen))) {
		log_err(NULL, "build: '%s' is not %s", optind < argc
			? argv[optind] : o->xen, optind < argc
			? "an option" : "a Xen version such as 4.20");
		return EXIT_USAGE;
	}
	return 0;
}

int cmd_build(int argc, char **argv)
{
	struct image_opts o = { 0 };
	int ret = parse(argc, argv, &o);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	interrupt_catch();
	return image_build(&o) ? EXIT_FAILURE : EXIT_SUCCESS;
}
