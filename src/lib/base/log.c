// SPDX-License-Identifier: GPL-2.0-or-later
#include "log.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A longer line is cut: nothing a peer sends may make the log unbounded. */
#define LOG_LINE_MAX 1024

static const char *program = "xen-extras";
static log_sink_fn *sink = log_sink_stderr;
static int max_level = LOG_INFO;

void log_sink_stderr(int level, const struct log_about *about, const char *line)
{
	static const char *const word[] = {
		[LOG_ERR] = "error: ", [LOG_WARNING] = "warning: ",
	};
	const char *w = "";

	(void)about;
	if (level >= 0 && level <= LOG_WARNING && word[level])
		w = word[level];
	fprintf(stderr, "%s: %s%s\n", program, w, line);
}

void log_open(const char *name, log_sink_fn *fn, int level)
{
	program = name;
	if (fn)
		sink = fn;
	max_level = level;
}

void log_set_level(int level)
{
	max_level = level;
}

const char *log_program(void)
{
	return program;
}

int log_level_parse(const char *name)
{
	static const char *const names[] = {
		"emerg", "alert", "crit", "err",
		"warning", "notice", "info", "debug",
	};

	if (name[0] >= '0' && name[0] <= '7' && !name[1])
		return name[0] - '0';
	for (int i = 0; i < 8; i++)
		if (!strcmp(name, names[i]))
			return i;
	return -EINVAL;
}

void log_vmsg(int level, const struct log_about *about, const char *fmt,
	      va_list ap)
{
	char line[LOG_LINE_MAX];
	int n = 0, saved = errno;

	if (level > max_level)
		return;
	if (about && about->guest && about->show_domid)
		n = snprintf(line, sizeof(line), "guest %.128s (%d): ", about->guest, about->domid);
	else if (about && about->guest)
		n = snprintf(line, sizeof(line), "guest %.128s: ", about->guest);
	else if (about && about->domid >= 0)
		n = snprintf(line, sizeof(line), "domain %d: ", about->domid);
	vsnprintf(line + n, sizeof(line) - n, fmt, ap);
	sink(level, about, line);
	errno = saved;
}

void log_msg(int level, const struct log_about *about, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	log_vmsg(level, about, fmt, ap);
	va_end(ap);
}

char *log_clean(char *dst, size_t max, const char *src, size_t len)
{
	size_t n = len < max - 1 ? len : max - 1;

	for (size_t i = 0; i < n; i++)
		dst[i] = src[i] >= 0x20 && src[i] < 0x7f ? src[i] : '?';
	dst[n] = '\0';
	return dst;
}
