// SPDX-License-Identifier: GPL-2.0-or-later
#include "frames.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <xenforeignmemory.h>

struct frames {
	uint32_t stub;
	xenforeignmemory_handle *fmem;
};

_Static_assert(sizeof(xen_pfn_t) == sizeof(uint64_t), "frame numbers of 64 bits");

struct frames *frames_open(uint32_t stub)
{
	struct frames *f = calloc(1, sizeof(*f));
	int saved;

	if (!f)
		return NULL;
	f->stub = stub;
	f->fmem = xenforeignmemory_open(NULL, 0);
	if (f->fmem && !xenforeignmemory_restrict(f->fmem, (domid_t)stub))
		return f;
	saved = errno;
	if (f->fmem)
		xenforeignmemory_close(f->fmem);
	free(f);
	errno = saved;
	return NULL;
}

void *frames_map(struct frames *f, const uint64_t *gfns, size_t n, bool write)
{
	/* Without a list of errors it is all or nothing. */
	return xenforeignmemory_map(f->fmem, f->stub, write ? PROT_READ | PROT_WRITE : PROT_READ, n,
				    (const xen_pfn_t *)gfns, NULL);
}

void frames_unmap(struct frames *f, void *addr, size_t n)
{
	xenforeignmemory_unmap(f->fmem, addr, n);
}
