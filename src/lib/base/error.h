/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went wrong, as a function returns it: the caller prints it, puts it into a
 * line of its own, or goes on.
 *
 * A function that can fail takes a "struct error **", which is NULL for a caller
 * who wants to know no more than the code, and else points to a pointer that is
 * NULL or to earlier errors.  It returns a negative errno and adds one error, or
 * some when it goes on to name all that is missing.
 */
#ifndef XE_ERROR_H
#define XE_ERROR_H

struct error {
	int code;		/* negative errno */
	char *text;		/* what is wrong, without a newline */
	char *fix;		/* the command or setting that helps, or NULL */
	struct error *next;
};

/* @fix: copied, may be NULL.  Returns @code. */
int error_add(struct error **err, int code, const char *fix, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Each as a line "TEXT: FIX" at @level of the log. */
void error_log(int level, const struct error *err);

/* All of them; the pointer is NULL then. */
void error_free(struct error **err);

#endif
