// SPDX-License-Identifier: GPL-2.0-or-later
#include "option.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *opt_fmt(const char *f, ...)
{
	va_list ap;
	char *s;

	va_start(ap, f);
	if (vasprintf(&s, f, ap) < 0)
		s = NULL;
	va_end(ap);
	return s;
}

char *opt_escape(const char *text)
{
	char *s = malloc(2 * strlen(text) + 1), *to = s;

	for (; s && *text; text++) {
		if (*text == ',')
			*to++ = ',';
		*to++ = *text;
	}
	if (s)
		*to = '\0';
	return s;
}
