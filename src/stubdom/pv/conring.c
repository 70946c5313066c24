// SPDX-License-Identifier: GPL-2.0-or-later
#include "conring.h"

#include <errno.h>

#define READ_ONCE(x) (*(volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile __typeof__(x) *)&(x) = (v))

void conring_init(struct conring *r, void *page)
{
	r->page = page;
	r->out_cons = READ_ONCE(r->page->out_cons);
	r->in_prod = READ_ONCE(r->page->in_prod);
}

int conring_peek(const struct conring *r, void *buf, size_t max)
{
	uint32_t n = READ_ONCE(r->page->out_prod) - r->out_cons;
	char *to = buf;

	if (n > sizeof(r->page->out))
		return -EPROTO;
	/* The bytes are read after the index that announces them. */
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	if (n > max)
		n = (uint32_t)max;
	for (uint32_t i = 0; i < n; i++)
		to[i] = READ_ONCE(r->page->out[MASK_XENCONS_IDX(r->out_cons + i, r->page->out)]);
	return (int)n;
}

void conring_taken(struct conring *r, size_t n)
{
	r->out_cons += (uint32_t)n;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	WRITE_ONCE(r->page->out_cons, r->out_cons);
}

int conring_room(const struct conring *r)
{
	uint32_t used = r->in_prod - READ_ONCE(r->page->in_cons);

	if (used > sizeof(r->page->in))
		return -EPROTO;
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return (int)(sizeof(r->page->in) - used);
}

void conring_put(struct conring *r, const void *data, size_t n)
{
	const char *from = data;

	for (size_t i = 0; i < n; i++)
		WRITE_ONCE(r->page->in[MASK_XENCONS_IDX(r->in_prod + i, r->page->in)], from[i]);
	r->in_prod += (uint32_t)n;
	__atomic_thread_fence(__ATOMIC_RELEASE);
	WRITE_ONCE(r->page->in_prod, r->in_prod);
}
