// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_grants.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct grants {
	int events;
};

uint8_t fake_page[FAKE_PAGES][BLKIF_PAGE] __attribute__((aligned(4096)));
unsigned int fake_notified, fake_copies;
bool fake_mapped;

static struct grants the_grants = { -1 };

struct grants *fake_grants(void)
{
	memset(fake_page, 0, sizeof(fake_page));
	fake_notified = fake_copies = 0;
	fake_mapped = false;
	if (the_grants.events >= 0)
		close(the_grants.events);
	the_grants.events = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	return &the_grants;
}

void fake_grants_event(void)
{
	eventfd_write(the_grants.events, 1);
}

static bool is_good(uint32_t ref)
{
	return ref && ref < FAKE_PAGES;
}

struct grants *grants_open(uint32_t stub)
{
	(void)stub;
	return fake_grants();
}

void grants_close(struct grants *g)
{
	(void)g;
}

void *grants_map(struct grants *g, uint32_t ref, uint32_t port)
{
	(void)g;
	errno = EINVAL;
	if (!is_good(ref) || !port)
		return NULL;
	fake_mapped = true;
	return fake_page[ref];
}

void grants_unmap(struct grants *g)
{
	(void)g;
	fake_mapped = false;
}

int grants_fd(const struct grants *g)
{
	return g->events;
}

int grants_take_event(struct grants *g)
{
	eventfd_t n;

	return eventfd_read(g->events, &n) && errno != EAGAIN ? -errno : 0;
}

int grants_notify(struct grants *g)
{
	(void)g;
	fake_notified++;
	return 0;
}

int grants_copy(struct grants *g, uint8_t *disk, const struct segment *segs, unsigned int n, bool to_guest)
{
	(void)g;
	for (unsigned int i = 0; i < n; i++) {
		const struct segment *s = &segs[i];

		if (!is_good(s->gref))
			return -EFAULT;
		fake_copies++;
		if (to_guest)
			memcpy(fake_page[s->gref] + s->offset, disk + s->at, s->len);
		else
			memcpy(disk + s->at, fake_page[s->gref] + s->offset, s->len);
	}
	return 0;
}

int grants_fetch(struct grants *g, uint32_t ref, void *buf, uint16_t len)
{
	(void)g;
	if (!is_good(ref))
		return -EFAULT;
	memcpy(buf, fake_page[ref], len);
	return 0;
}
