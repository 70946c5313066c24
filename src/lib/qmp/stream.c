// SPDX-License-Identifier: GPL-2.0-or-later
#include "stream.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Deeper than anything in QMP; json-c recurses while it frees. */
#define QMP_DEPTH 64

int qmp_buf_put(struct qmp_buf *b, const void *data, size_t len)
{
	if (b->head && (b->head == b->len || b->len + len > b->cap)) {
		memmove(b->data, b->data + b->head, b->len - b->head);
		b->len -= b->head;
		b->head = 0;
	}
	if (b->len + len > b->cap) {
		size_t cap = b->cap ? b->cap : 4096;
		char *p;

		while (cap < b->len + len)
			cap *= 2;
		p = realloc(b->data, cap);
		if (!p)
			return -ENOMEM;
		b->data = p;
		b->cap = cap;
	}
	memcpy(b->data + b->len, data, len);
	b->len += len;
	return 0;
}

void qmp_buf_take(struct qmp_buf *b, size_t len)
{
	b->head += len;
	if (b->head >= b->len)
		b->head = b->len = 0;
	/* One long answer must not hold its memory for ever. */
	if (!b->len && b->cap > 64 * 1024)
		qmp_buf_clear(b);
}

void qmp_buf_clear(struct qmp_buf *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}

int qmp_stream_init(struct qmp_stream *s, size_t max)
{
	memset(s, 0, sizeof(*s));
	s->max = max;
	s->tok = json_tokener_new_ex(QMP_DEPTH);
	if (!s->tok)
		return -ENOMEM;
	json_tokener_set_flags(s->tok, JSON_TOKENER_STRICT |
			       JSON_TOKENER_ALLOW_TRAILING_CHARS);
	return 0;
}

void qmp_stream_reset(struct qmp_stream *s)
{
	json_tokener_reset(s->tok);
	s->used = 0;
	s->skip = false;
}

void qmp_stream_free(struct qmp_stream *s)
{
	if (s->tok)
		json_tokener_free(s->tok);
	s->tok = NULL;
}

static bool space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Leave out what lies between two messages. */
static void skip_between(struct qmp_stream *s, const char **data, size_t *len)
{
	while (*len && (s->skip || space(**data))) {
		if (**data == '\n')
			s->skip = false;
		(*data)++;
		(*len)--;
	}
}

static int junk(struct qmp_stream *s, int err)
{
	qmp_stream_reset(s);
	s->skip = true;
	return err;
}

int qmp_stream_next(struct qmp_stream *s, const char **data, size_t *len,
		    struct json_object **msg)
{
	struct json_object *o;
	size_t n;

	if (!s->used)
		skip_between(s, data, len);
	if (!*len)
		return 0;
	/* QMP has objects only; json-c would take a bare number or word. */
	if (!s->used && **data != '{')
		return junk(s, -EBADMSG);
	n = *len;
	if (n > s->max - s->used)
		n = s->max - s->used;
	if (!n)
		return junk(s, -E2BIG);
	o = json_tokener_parse_ex(s->tok, *data, n);
	switch (json_tokener_get_error(s->tok)) {
	case json_tokener_continue:
		*data += n;
		*len -= n;
		s->used += n;
		return s->used == s->max ? junk(s, -E2BIG) : 0;
	case json_tokener_success:
		n = json_tokener_get_parse_end(s->tok);
		*data += n;
		*len -= n;
		qmp_stream_reset(s);
		*msg = o;
		return 1;
	default:
		json_object_put(o);
		return junk(s, -EBADMSG);
	}
}
