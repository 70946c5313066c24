// SPDX-License-Identifier: GPL-2.0-or-later
#include "logtext.h"

size_t logtext_clean(struct logtext *t, const char *in, size_t len, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)in[i];

		if (c == '\r' || !c)
			continue;
		if (c == '\n') {
			out[n++] = '\n';
			t->column = 0;
			continue;
		}
		if (t->column == LOGTEXT_LINE_MAX) {
			out[n++] = '\n';
			t->column = 0;
		}
		out[n++] = c == '\t' || (c >= 0x20 && c < 0x7f) ? (char)c : '?';
		t->column++;
	}
	return n;
}
