// SPDX-License-Identifier: GPL-2.0-or-later
#include "stub.h"

#include <stdarg.h>
#include <string.h>

#define LINES_PER_MINUTE 20

void stub_say(const struct host *h, struct stub *s, int level, const char *fmt, ...)
{
	struct log_about about = {
		.guest = s->id.name[0] ? s->id.name : NULL,
		.domid = (int)s->id.guest, .stubdom = (int)s->id.stub,
	};
	va_list ap;

	if (!limit_take(&s->lines, h->now, 60000, LINES_PER_MINUTE))
		return;
	if (s->lines.used == LINES_PER_MINUTE) {
		log_warn(&about, "too many messages: silent about it for a minute");
		return;
	}
	va_start(ap, fmt);
	log_vmsg(level, &about, fmt, ap);
	va_end(ap);
}

void stub_failed(const struct host *h, struct stub *s, const char *what, int err)
{
	stub_say(h, s, LOG_ERR, "stubdomain %u: %s: %s: trying again",
		 s->id.stub, what, strerror(-err));
	s->due = h->now + 1000;
}

void stub_look_again(struct stub *s, uint64_t when)
{
	if (when < s->due)
		s->due = when;
}
