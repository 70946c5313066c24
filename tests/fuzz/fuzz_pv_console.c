// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/pv/conring.c */
/*
 * A console's page that a hostile stubdomain has written, and writes again between any two
 * steps: what is taken out and put in stays inside of the rings, whatever the indices say.
 *
 * The input: steps of one byte of what to do and, for some, bytes of the page.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stubdom/pv/conring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint8_t page[4096] __attribute__((aligned(4096)));

static void must(int is)
{
	if (!is)
		abort();
}

static void step(struct conring *r, uint8_t what)
{
	char buf[2048];
	int n;

	switch (what % 3) {
	case 0:
		n = conring_peek(r, buf, what);
		must(n <= what && n <= (int)sizeof(r->page->out));
		if (n > 0)
			conring_taken(r, (size_t)(what & 8 ? n : n / 2));
		break;
	case 1:
		n = conring_room(r);
		must(n <= (int)sizeof(r->page->in));
		memset(buf, 1, sizeof(buf));
		if (n > 0)
			conring_put(r, buf, (size_t)n < what ? (size_t)n : what);
		break;
	default:
		conring_init(r, page);
	}
	/* Nothing beyond the structure is written. */
	for (size_t i = sizeof(struct xencons_interface); i < sizeof(page); i++)
		must(page[i] == 0xee);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct conring r;
	size_t at = 0;

	memset(page, 0xee, sizeof(page));
	memset(page, 0, sizeof(struct xencons_interface));
	conring_init(&r, page);
	while (at < size) {
		uint8_t what = data[at++];

		/* Its indices, at any time; the rest of its page is but bytes. */
		if (what & 0x80 && size - at >= 17) {
			memcpy(page + 3072, data + at, 16);
			at += 16;
		}
		step(&r, what & 0x7f);
	}
	return 0;
}
