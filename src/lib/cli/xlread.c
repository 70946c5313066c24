// SPDX-License-Identifier: GPL-2.0-or-later
#include "xlread.h"

#include <errno.h>
#include <string.h>

#define CONFIG_MAX (1u << 20)

int xlread(XLU_Config *xlu, const char *text, size_t len)
{
	if (len > CONFIG_MAX)
		return -EFBIG;
	/* Within quotes libxlutil's parser aborts the program there. */
	if (memchr(text, '\0', len))
		return -EINVAL;
	return -xlu_cfg_readdata(xlu, text, (int)len);
}
