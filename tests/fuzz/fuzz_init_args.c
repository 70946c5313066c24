// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/args.c src/lib/base/log.c */
/* dm-argv: the input is the arguments, one a line. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stubdom/init/args.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct args_plan *p)
{
	/* What init relies on when it uses names as device names and bits. */
	for (unsigned int i = 0; i < p->n_nics; i++) {
		if (strncmp(p->nics[i].ifname, "vif7.", 5) ||
		    strspn(p->nics[i].ifname, "vif0123456789.-emu") !=
		    strlen(p->nics[i].ifname))
			abort();
		for (unsigned int k = 0; k < i; k++)
			if (p->nics[k].devid == p->nics[i].devid)
				abort();
	}
	if (p->argv[p->argc])
		abort();
	for (unsigned int i = 0; i < p->argc; i++)
		if (!p->argv[i])
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct args_plan plan;
	struct args_opts o = { .qemu = "qemu", .guest = 7, .save_fd = size & 1 };
	char *text = malloc(size + 1), *argv[ARGS_MAX + 2], *p = text;
	unsigned int n = 0;
	int ret;

	memcpy(text, data, size);
	text[size] = '\0';
	while (p && n < ARGS_MAX + 2)
		argv[n++] = strsep(&p, "\n");
	ret = args_rewrite(&o, argv, n, &plan);
	if (!ret)
		check(&plan);
	else if (!plan.error[0])
		abort();
	args_free(&plan);
	free(text);
	return 0;
}
