// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdom build */
#include <stdlib.h>
#include <unistd.h>

#include "args.h"
#include "cli.h"
#include "cli/interrupt.h"
#include "cli/options.h"
#include "image.h"

static const char usage[] =
"usage: xen-stubdom build [OPTION]...\n"
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

/* Paths get --root in front and stand in the manifest: make them absolute. */
static void make_absolute(const char **path)
{
	char cwd[4096];

	if (*path && (*path)[0] != '/' && getcwd(cwd, sizeof(cwd)))
		*path = xasprintf("%s/%s", cwd, *path);
}

static int parse(int argc, char **argv, struct image_opts *o)
{
	const struct opt options[] = {
		{ "xen", 0, NULL, &o->xen }, { "if-needed", 0, &o->if_needed, NULL },
		{ "force", 0, &o->force, NULL }, { "debug", 0, &o->debug, NULL },
		{ "kernel", 0, NULL, &o->kernel }, { "qemu", 0, NULL, &o->qemu },
		{ "init", 0, NULL, &o->init }, { "module", 0, NULL, &o->module },
		{ "output", 0, NULL, &o->output }, { NULL, 0, NULL, NULL }
	};
	int ret = opts_parse(&(struct opts){ usage, options, 0, 0, false }, argc, argv, NULL);

	make_absolute(&o->kernel);
	make_absolute(&o->qemu);
	make_absolute(&o->init);
	make_absolute(&o->module);
	make_absolute(&o->output);
	return ret ? ret : args_xen_valid(o->xen);
}

int cmd_build(int argc, char **argv)
{
	struct image_opts o = { 0 };
	struct error *err = NULL;
	int ret = parse(argc, argv, &o);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	interrupt_catch();
	ret = image_build(&o, &err);
	error_log(LOG_ERR, err);
	error_free(&err);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
