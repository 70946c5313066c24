// SPDX-License-Identifier: GPL-2.0-or-later
#include "failure.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct log_about init_about = { .domid = -1, .stubdom = -1 };
static char reason[512];

int init_fail(int err, const char *fmt, ...)
{
	char line[sizeof(reason)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (!reason[0])
		strcpy(reason, line);
	say_err("%s", line);
	return err;
}

const char *init_reason(void)
{
	return reason[0] ? reason : NULL;
}
