// SPDX-License-Identifier: GPL-2.0-or-later
#include "logfile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* For the line about what is missing. */
#define LINE_MAX 64

int logfile_trim(uint64_t size, uint64_t max, size_t n, uint64_t *head, uint64_t *tail)
{
	if (size + n <= max)
		return 0;
	/* An eighth stays for good, half of the rest is what came last. */
	*head = max / 8;
	*tail = size > max / 2 ? size - max / 2 : 0;
	/* Somebody truncated it, or one write is as large as that: what is there already goes. */
	if (*tail < *head + LINE_MAX) {
		*head = 0;
		*tail = size;
	}
	return 1;
}

static int put_at(int fd, const void *data, size_t n, uint64_t at)
{
	const char *p = data;

	while (n) {
		ssize_t w = pwrite(fd, p, n, (off_t)at);

		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return w ? -errno : -EIO;
		p += w;
		at += (uint64_t)w;
		n -= (size_t)w;
	}
	return 0;
}

/* Bytes from @from to the file's end are moved forward, to *@to. */
static int move(int fd, uint64_t *to, uint64_t from)
{
	char buf[4096];
	ssize_t n;

	while ((n = pread(fd, buf, sizeof(buf), (off_t)from)) > 0) {
		int ret = put_at(fd, buf, (size_t)n, *to);

		if (ret)
			return ret;
		*to += (uint64_t)n;
		from += (uint64_t)n;
	}
	return n ? -errno : 0;
}

/* To the next beginning of a line, when there is one near. */
static uint64_t line_start(int fd, uint64_t at)
{
	char buf[512], *end;
	ssize_t n = pread(fd, buf, sizeof(buf), (off_t)at);

	end = n > 0 ? memchr(buf, '\n', (size_t)n) : NULL;
	return end ? at + (uint64_t)(end - buf) + 1 : at;
}

static int trim(struct logfile *l, uint64_t head, uint64_t tail, uint64_t *size)
{
	char line[LINE_MAX];
	int n, ret;

	if (head)
		head = line_start(l->fd, head);
	/* A line of an earlier time may be among them: it is as long as they say. */
	tail = line_start(l->fd, tail);
	if (tail < head)
		tail = head;
	l->left_out += tail - head;
	n = snprintf(line, sizeof(line), "\n[... %llu bytes left out ...]\n", (unsigned long long)l->left_out);
	/* Where the line does not fit, bytes that are moved later would be overwritten. */
	if (head + (uint64_t)n <= tail) {
		ret = put_at(l->fd, line, (size_t)n, head);
		if (ret)
			return ret;
		head += (uint64_t)n;
	}
	ret = move(l->fd, &head, tail);
	*size = head;
	return ret || !ftruncate(l->fd, (off_t)head) ? ret : -errno;
}

int logfile_put(struct logfile *l, const void *data, size_t n)
{
	uint64_t head, tail, size;
	struct stat st;
	int ret = 0;

	if (fstat(l->fd, &st))
		return -errno;
	size = (uint64_t)st.st_size;
	if (logfile_trim(size, l->max, n, &head, &tail))
		ret = trim(l, head, tail, &size);
	return ret ? ret : put_at(l->fd, data, n, size);
}
