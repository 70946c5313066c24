// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/cli/elfdyn.c */
/* test-pkgs: libelf */
#include <stdlib.h>
#include <string.h>

#include "stubdom/cli/elfdyn.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every string it hands out ends inside the file. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct elf_dyn dyn;
	size_t sum = 0;

	if (!elf_dyn_parse(data, size, &dyn)) {
		for (unsigned int i = 0; i < dyn.count; i++)
			sum += strlen(dyn.needed[i]);
		sum += dyn.interp ? strlen(dyn.interp) : 0;
		if (sum > (ELF_NEEDED_MAX + 1) * size)
			abort();
	}
	return 0;
}
