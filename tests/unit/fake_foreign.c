// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_foreign.h"

#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct foreign {
	int events;
};

unsigned char fake_page[FAKE_REFS][4096] __attribute__((aligned(4096)));
unsigned int fake_notified[FAKE_REFS], fake_mapped;
bool fake_masked[FAKE_REFS];
static bool pending[FAKE_REFS];
static struct foreign the_foreign = { -1 };

struct foreign *foreign_open(uint32_t stub)
{
	(void)stub;
	memset(fake_page, 0, sizeof(fake_page));
	memset(fake_notified, 0, sizeof(fake_notified));
	memset(fake_masked, 0, sizeof(fake_masked));
	memset(pending, 0, sizeof(pending));
	fake_mapped = 0;
	the_foreign.events = eventfd(0, EFD_NONBLOCK | EFD_SEMAPHORE | EFD_CLOEXEC);
	return &the_foreign;
}

void foreign_close(struct foreign *f)
{
	close(f->events);
}

int foreign_map(struct foreign *f, uint32_t ref, uint32_t port, struct foreign_ring *out)
{
	(void)f;
	if (ref >= FAKE_REFS || !port || port >= FAKE_REFS)
		return -EINVAL;
	*out = (struct foreign_ring){ fake_page[ref], (int)port };
	fake_masked[port] = pending[port] = false;
	fake_mapped++;
	return 0;
}

void foreign_unmap(struct foreign *f, struct foreign_ring *r)
{
	(void)f;
	fake_mapped -= r->page != NULL;
	*r = (struct foreign_ring){ .port = -1 };
}

int foreign_bind(struct foreign *f, uint32_t port)
{
	(void)f;
	if (!port || port >= FAKE_REFS)
		return -EINVAL;
	fake_masked[port] = pending[port] = false;
	return (int)port;
}

void foreign_unbind(struct foreign *f, int port)
{
	(void)f;
	(void)port;
}

int foreign_fd(const struct foreign *f)
{
	return f->events;
}

void fake_foreign_event(int port)
{
	if (!pending[port] && !fake_masked[port])
		eventfd_write(the_foreign.events, 1);
	pending[port] = true;
}

int foreign_event(struct foreign *f)
{
	eventfd_t n;

	if (eventfd_read(f->events, &n))
		return -errno;
	for (int i = 0; i < (int)FAKE_REFS; i++)
		if (pending[i] && !fake_masked[i]) {
			pending[i] = false;
			fake_masked[i] = true;
			return i;
		}
	return -EAGAIN;
}

void foreign_unmask(struct foreign *f, int port)
{
	fake_masked[port] = false;
	if (pending[port])
		eventfd_write(f->events, 1);
}

void foreign_notify(struct foreign *f, int port)
{
	(void)f;
	fake_notified[port]++;
}
