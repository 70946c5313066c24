/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The bytes of a QMP connection, cut into JSON objects.  Pure: no system call.
 */
#ifndef XE_QMP_STREAM_H
#define XE_QMP_STREAM_H

#include <json-c/json.h>
#include <stdbool.h>
#include <stddef.h>

/* A FIFO of bytes. */
struct qmp_buf {
	char *data;
	size_t head, len, cap;
};

int qmp_buf_put(struct qmp_buf *b, const void *data, size_t len);
void qmp_buf_take(struct qmp_buf *b, size_t len);
void qmp_buf_clear(struct qmp_buf *b);
static inline const char *qmp_buf_data(const struct qmp_buf *b)
{
	return b->data ? b->data + b->head : "";
}

/* Cuts a stream into JSON objects. */
struct qmp_stream {
	struct json_tokener *tok;
	size_t max, used;	/* bytes of the message so far */
	bool skip;		/* after junk: to the end of the line */
};

int qmp_stream_init(struct qmp_stream *s, size_t max);
void qmp_stream_reset(struct qmp_stream *s);
void qmp_stream_free(struct qmp_stream *s);
/*
 * Take bytes from *@data until a message is complete: 1 and *@msg (owned by
 * the caller).  0 when all bytes are taken.  -EBADMSG for junk and -E2BIG for
 * a message that is too long; the rest of that line is skipped, call again.
 */
int qmp_stream_next(struct qmp_stream *s, const char **data, size_t *len,
		    struct json_object **msg);

#endif
