/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What children print, line by line into the one log. */
#ifndef OUTLOG_H
#define OUTLOG_H

#include <stdbool.h>

#include "lines.h"
#include "loop.h"

struct out_log {
	struct lines lines;
	struct loop *loop;
	struct loop_source src;
	const char *who;
	bool levels;		/* "<n>" at the start of a line is its level */
};

/* The end of a pipe for the child, or negative errno. */
int out_log_open(struct out_log *o, struct loop *loop, const char *who,
		 bool levels);
/* Take what is still in the pipe, then close it. */
void out_log_close(struct out_log *o);

#endif
