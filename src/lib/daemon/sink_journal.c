// SPDX-License-Identifier: GPL-2.0-or-later
#include "sink_journal.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

/* The caller's own file and line would only name this sink. */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include <systemd/sd-journal.h>

#define FIELDS_MAX 6
#define FIELD_LEN 192

struct fields {
	struct iovec iov[FIELDS_MAX + 1];	/* and MESSAGE */
	char text[FIELDS_MAX][FIELD_LEN];
	int n;
};

static void add(struct fields *f, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static void add(struct fields *f, const char *fmt, ...)
{
	char *p = f->text[f->n];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p, FIELD_LEN, fmt, ap);
	va_end(ap);
	f->iov[f->n] = (struct iovec){ p, strlen(p) };
	f->n++;
}

void log_sink_journal(int level, const struct log_about *about, const char *line)
{
	char msg[1100];
	struct fields f = { .n = 0 };

	add(&f, "PRIORITY=%d", level & 7);
	add(&f, "SYSLOG_IDENTIFIER=%s", log_program());
	if (about && about->guest)
		add(&f, "XEN_GUEST=%s", about->guest);
	if (about && about->domid >= 0)
		add(&f, "XEN_DOMID=%d", about->domid);
	if (about && about->stubdom >= 0)
		add(&f, "XEN_STUBDOM=%d", about->stubdom);
	snprintf(msg, sizeof(msg), "MESSAGE=%s", line);
	f.iov[f.n++] = (struct iovec){ msg, strlen(msg) };
	/* journald away, or being restarted: the line must not be lost. */
	if (sd_journal_sendv(f.iov, f.n) < 0)
		log_sink_stderr(level, about, line);
}

bool log_journal_wanted(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%ju:%ju", &dev, &ino) != 2)
		return false;
	return !fstat(STDERR_FILENO, &st) && st.st_dev == dev && st.st_ino == ino;
}
