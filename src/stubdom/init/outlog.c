// SPDX-License-Identifier: GPL-2.0-or-later
#include "outlog.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "failure.h"

/*
 * A start with a wrong configuration prints some ten lines; a guest that
 * makes QEMU print for ever gets five a second.
 */
#define OUT_BURST 50
#define OUT_PER_S 5

/*
 * What QEMU says each time and no one can act upon: it may not set a node's
 * permissions for the guest, and needs not to.
 */
static bool known(const char *line)
{
	return strstr(line, "xs_mkdir device-model/") != NULL;
}

static void emit_line(void *arg, const char *line)
{
	struct out_log *o = arg;
	int level = LOG_WARNING;

	if (o->levels && line[0] == '<' && line[1] >= '0' && line[1] <= '7' &&
	    line[2] == '>') {
		level = line[1] - '0';
		line += 3;
	} else if (known(line)) {
		level = LOG_DEBUG;
	}
	log_msg(level, &init_about, "%s: %s", o->who, line);
}

static void emit_dropped(void *arg, uint64_t n)
{
	struct out_log *o = arg;

	say_warn("%s: %llu lines dropped", o->who, (unsigned long long)n);
}

/* One read; false at the end of the stream. */
static bool take(struct out_log *o, ssize_t *n)
{
	char buf[4096];

	*n = read(o->src.fd, buf, sizeof(buf));
	if (*n > 0)
		lines_feed(&o->lines, buf, *n, now_ms());
	return *n > 0 || (*n < 0 && (errno == EAGAIN || errno == EINTR));
}

void out_log_close(struct out_log *o)
{
	/* A pipe holds 64 KiB; a grandchild that floods it must not hold us. */
	int reads = 32;
	ssize_t n = 1;

	if (!o->src.events)
		return;
	while (reads-- && n > 0 && take(o, &n))
		;
	loop_want(o->loop, &o->src, 0);
	close(o->src.fd);
	lines_flush(&o->lines, now_ms());
}

static void on_output(void *arg, uint32_t events)
{
	struct out_log *o = arg;
	ssize_t n;

	(void)events;
	if (!take(o, &n))
		out_log_close(o);
}

int out_log_open(struct out_log *o, struct loop *loop, const char *who,
		 bool levels)
{
	int p[2], ret;

	out_log_close(o);
	if (pipe2(p, O_CLOEXEC | O_NONBLOCK))
		return -errno;
	/* A child that prints must not fail with EAGAIN. */
	fcntl(p[1], F_SETFL, 0);
	memset(&o->lines, 0, sizeof(o->lines));
	o->lines.emit = emit_line;
	o->lines.emit_dropped = emit_dropped;
	o->lines.arg = o;
	bucket_init(&o->lines.bucket, OUT_BURST, OUT_PER_S, now_ms());
	o->loop = loop;
	o->who = who;
	o->levels = levels;
	o->src = (struct loop_source){ .fd = p[0], .fn = on_output, .arg = o };
	ret = loop_want(loop, &o->src, EPOLLIN);
	if (ret) {
		close(p[0]);
		close(p[1]);
		return ret;
	}
	return p[1];
}
