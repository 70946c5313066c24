/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `check` found: one line each, with the command that fixes it. */
#ifndef XE_FINDINGS_H
#define XE_FINDINGS_H

#include <stdbool.h>
#include <stddef.h>

enum level {
	FINE,
	ADVICE,		/* works, but there is something to know */
	BROKEN,
};

struct finding {
	enum level level;
	const char *id;		/* stable, for scripts; static */
	char *text;
	char *fix;		/* command or xl.cfg line; NULL when FINE */
};

struct findings {
	struct finding *f;
	size_t n;
};

/* @fix: a format like @fmt's is not needed; copied, may be NULL. */
void found(struct findings *fs, enum level level, const char *id,
	   const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));
/* The worst of them. */
enum level findings_worst(const struct findings *fs);
void findings_print(const struct findings *fs, bool json);
void findings_free(struct findings *fs);

#endif
