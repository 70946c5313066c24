/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns a stream of bytes that a hostile guest can provoke (QEMU's output)
 * into bounded log lines at a bounded rate.  No system calls.
 */
#ifndef LINES_H
#define LINES_H

#include <stddef.h>
#include <stdint.h>

/* A longer line is cut: the kernel refuses records of 1 KiB and more. */
#define LINES_MAX 512

struct token_bucket {
	unsigned int burst;	/* tokens when full */
	unsigned int per_s;	/* tokens gained a second */
	int64_t millitokens;
	int64_t last_ms;
};

void bucket_init(struct token_bucket *b, unsigned int burst,
		 unsigned int per_s, int64_t now_ms);
/* 1 and one token less, or 0. */
int bucket_take(struct token_bucket *b, int64_t now_ms);

struct lines {
	struct token_bucket bucket;
	uint64_t dropped;	/* lines not passed on since the last report */
	size_t len;
	char buf[LINES_MAX];
	char last[LINES_MAX];	/* the newest line, also when it was dropped */
	void (*emit)(void *arg, const char *line);
	void (*emit_dropped)(void *arg, uint64_t n);
	void *arg;
};

void lines_feed(struct lines *l, const char *data, size_t len, int64_t now_ms);
/* At the end of the stream: what has no newline yet, and a drop report. */
void lines_flush(struct lines *l, int64_t now_ms);

#endif
