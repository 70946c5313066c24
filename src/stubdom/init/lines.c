// SPDX-License-Identifier: GPL-2.0-or-later
#include "lines.h"

#include <string.h>

#include "base/log.h"

void bucket_init(struct token_bucket *b, unsigned int burst,
		 unsigned int per_s, int64_t now_ms)
{
	b->burst = burst;
	b->per_s = per_s;
	b->millitokens = (int64_t)burst * 1000;
	b->last_ms = now_ms;
}

int bucket_take(struct token_bucket *b, int64_t now_ms)
{
	int64_t full = (int64_t)b->burst * 1000;
	int64_t gone = now_ms - b->last_ms;

	if (gone > 0) {
		b->last_ms = now_ms;
		/* A day asleep must not overflow. */
		if (gone > 1000 * (int64_t)b->burst)
			gone = 1000 * (int64_t)b->burst;
		b->millitokens += gone * b->per_s;
		if (b->millitokens > full)
			b->millitokens = full;
	}
	if (b->millitokens < 1000)
		return 0;
	b->millitokens -= 1000;
	return 1;
}

static void line_done(struct lines *l, int64_t now_ms)
{
	size_t len = l->len;

	l->len = 0;
	if (len && l->buf[len - 1] == '\r')
		len--;
	if (!len)
		return;
	log_clean(l->last, sizeof(l->last), l->buf, len);
	if (!bucket_take(&l->bucket, now_ms)) {
		l->dropped++;
		return;
	}
	if (l->dropped) {
		l->emit_dropped(l->arg, l->dropped);
		l->dropped = 0;
	}
	l->emit(l->arg, l->last);
}

void lines_feed(struct lines *l, const char *data, size_t len, int64_t now_ms)
{
	while (len) {
		const char *nl = memchr(data, '\n', len);
		size_t n = nl ? (size_t)(nl - data) : len;
		size_t room = sizeof(l->buf) - l->len;
		size_t take = n < room ? n : room;

		memcpy(l->buf + l->len, data, take);
		l->len += take;
		if (nl) {
			line_done(l, now_ms);
			n++;
		}
		data += n;
		len -= n;
	}
}

void lines_flush(struct lines *l, int64_t now_ms)
{
	line_done(l, now_ms);
	if (l->dropped)
		l->emit_dropped(l->arg, l->dropped);
	l->dropped = 0;
}
