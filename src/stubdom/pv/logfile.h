/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log of bounded size in one file: its beginning, which tells how the domain started, and
 * its end.  Everything through one descriptor, as nothing can be opened or renamed later.
 */
#ifndef PV_LOGFILE_H
#define PV_LOGFILE_H

#include <stddef.h>
#include <stdint.h>

struct logfile {
	int fd;			/* to be read and written, not O_APPEND */
	uint64_t max;		/* bytes */
	uint64_t left_out;	/* so many are gone */
};

/*
 * Pure: a file of @size bytes, at most @max, is to get @n more.  0: they fit.  Else bytes
 * from *@head to *@tail are to go, which makes room for @n and for a line about it.
 */
int logfile_trim(uint64_t size, uint64_t max, size_t n, uint64_t *head, uint64_t *tail);

/* 0 or negative errno; whoever else truncates the file does no harm. */
int logfile_put(struct logfile *l, const void *data, size_t n);

#endif
