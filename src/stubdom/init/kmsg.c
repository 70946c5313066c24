// SPDX-License-Identifier: GPL-2.0-or-later
#include "kmsg.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/klog.h>
#include <unistd.h>

/* The kernel answers EINVAL to a record of 1 KiB or more, prefix included. */
#define KMSG_LINE_MAX 900

static int kmsg_fd = -1;

void kmsg_sink(int level, const struct log_about *about, const char *line)
{
	char rec[KMSG_LINE_MAX + 64], clean[KMSG_LINE_MAX];
	int n;

	if (kmsg_fd < 0) {
		log_sink_stderr(level, about, line);
		return;
	}
	/* One call is one line: nothing in it may start another. */
	log_clean(clean, sizeof(clean), line, strlen(line));
	n = snprintf(rec, sizeof(rec), "<%d>%s: %s\n",
		     LOG_DAEMON | (level & LOG_PRIMASK), log_program(), clean);
	if (write(kmsg_fd, rec, n) < 0)
		return;		/* nowhere left to say so */
}

void kmsg_open(const char *program)
{
	kmsg_fd = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	log_open(program, kmsg_sink, LOG_NOTICE);
}

void kmsg_set_level(int level)
{
	log_set_level(level);
	/*
	 * The kernel prints what is below this number; 1 is the lowest it
	 * takes.  Its own lines follow the same choice.
	 */
	klogctl(8 /* SYSLOG_ACTION_CONSOLE_LEVEL */, NULL,
		level >= LOG_DEBUG ? 8 : level + 1);
}
