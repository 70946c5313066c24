// SPDX-License-Identifier: GPL-2.0-or-later
#include "args.h"

#include "cli.h"
#include "cli/options.h"
#include "image/manifest.h"

int args_xen_valid(const char *xen)
{
	if (!xen || xen_version_valid(xen))
		return 0;
	log_err(NULL, "--xen %s: not a Xen version such as 4.20", xen);
	return EXIT_USAGE;
}

int args_xen(int argc, char **argv, const char *usage, const char *flag,
	     struct args_xen *a)
{
	bool all = false;
	const struct opt options[] = {
		{ "xen", 0, NULL, &a->xen }, { "all", 0, &all, NULL },
		{ flag, 0, &a->flag, NULL }, { NULL, 0, NULL, NULL }
	};
	const struct opts o = { usage, options, 0, 0, false };
	int ret;

	*a = (struct args_xen){ 0 };
	ret = opts_parse(&o, argc, argv, NULL);
	if (!ret && a->xen && all) {
		log_err(NULL, "--xen and --all exclude each other");
		return EXIT_USAGE;
	}
	return ret ? ret : args_xen_valid(a->xen);
}
