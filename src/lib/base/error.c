// SPDX-License-Identifier: GPL-2.0-or-later
#include "error.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"

/* What is left to say when there is no memory to say it. */
static char no_memory_text[] = "out of memory";
static struct error no_memory = { -ENOMEM, no_memory_text, NULL, NULL };

static struct error *make(int code, const char *fix, const char *fmt, va_list ap)
{
	struct error *e = calloc(1, sizeof(*e));

	if (!e)
		return &no_memory;
	e->code = code;
	if (vasprintf(&e->text, fmt, ap) < 0)
		e->text = NULL;
	if (fix)
		e->fix = strdup(fix);
	if (e->text && (!fix || e->fix))
		return e;
	free(e->text);
	free(e->fix);
	free(e);
	return &no_memory;
}

int error_add(struct error **err, int code, const char *fix, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return code;
	while (*err && *err != &no_memory)
		err = &(*err)->next;
	if (*err)
		return code;
	va_start(ap, fmt);
	*err = make(code, fix, fmt, ap);
	va_end(ap);
	return code;
}

void error_log(int level, const struct error *err)
{
	for (; err; err = err->next)
		log_msg(level, NULL, "%s%s%s", err->text, err->fix ? ": " : "",
			err->fix ? err->fix : "");
}

void error_free(struct error **err)
{
	while (*err && *err != &no_memory) {
		struct error *e = *err;

		*err = e->next;
		free(e->text);
		free(e->fix);
		free(e);
	}
	*err = NULL;
}
