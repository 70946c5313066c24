/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One log line per event, with a level and the guest it is about.
 *
 * Levels are syslog's (LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO,
 * LOG_DEBUG).  Where a line goes is decided once, by log_open(); the programs
 * never print diagnostics in any other way, so that each of them reads the
 * same in the journal, on a terminal and on a stubdomain's console.
 */
#ifndef XE_LOG_H
#define XE_LOG_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <syslog.h>

/* What a line is about; domid < 0 and NULL name mean "not known". */
struct log_about {
	const char *guest;	/* the guest's name, as xl shows it */
	int domid;		/* the guest's domid */
	int stubdom;		/* its stubdomain's domid */
	bool show_domid;	/* in the line too: "guest NAME (DOMID): TEXT" */
};

/*
 * A sink gets each line, already formatted as "guest NAME: TEXT" where a
 * guest is known, without a newline.  @about may be NULL.
 */
typedef void log_sink_fn(int level, const struct log_about *about,
			 const char *line);

/* stderr, "PROGRAM: line"; the default. */
log_sink_fn log_sink_stderr;

/*
 * @program: prefix of lines on stderr; kept, not copied
 * @sink: NULL keeps the current one
 * @level: lines less important than this are dropped
 */
void log_open(const char *program, log_sink_fn *sink, int level);
void log_set_level(int level);
const char *log_program(void);

/* The level named "err", "warning", "notice", "info", "debug" or 0-7; -EINVAL. */
int log_level_parse(const char *name);

void log_msg(int level, const struct log_about *about, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void log_vmsg(int level, const struct log_about *about, const char *fmt,
	      va_list ap);

#define log_err(about, ...)	log_msg(LOG_ERR, about, __VA_ARGS__)
#define log_warn(about, ...)	log_msg(LOG_WARNING, about, __VA_ARGS__)
#define log_notice(about, ...)	log_msg(LOG_NOTICE, about, __VA_ARGS__)
#define log_info(about, ...)	log_msg(LOG_INFO, about, __VA_ARGS__)
#define log_debug(about, ...)	log_msg(LOG_DEBUG, about, __VA_ARGS__)

/*
 * Make text that came from another domain fit for a log or a terminal: bytes
 * outside printable ASCII become '?', and it is cut after @max - 1 bytes.
 * Writes to @dst (size @max, always terminated) and returns it.
 */
char *log_clean(char *dst, size_t max, const char *src, size_t len);

#endif
