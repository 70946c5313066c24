// SPDX-License-Identifier: GPL-2.0-or-later
#include "cli/options.h"
#include "vcli.h"

int args_parse(int argc, char **argv, const char *usage, int min, int max, struct args *a)
{
	const struct opt options[] = {
		{ "json", 0, &a->json, NULL }, { "force", 0, &a->force, NULL },
		{ "backend", 0, NULL, &a->backend }, { NULL, 0, NULL, NULL }
	};
	const struct opts o = { usage, options, min, max, false };
	int ret;

	*a = (struct args){ 0 };
	ret = opts_parse(&o, argc, argv, &a->words);
	while (!ret && a->words[a->n])
		a->n++;
	return ret;
}
