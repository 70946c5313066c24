// SPDX-License-Identifier: GPL-2.0-or-later
#include "foreign.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <xenevtchn.h>
#include <xengnttab.h>

struct foreign {
	uint32_t stub;
	xengnttab_handle *gnt;
	xenevtchn_handle *evt;
};

struct foreign *foreign_open(uint32_t stub)
{
	struct foreign *f = calloc(1, sizeof(*f));
	int saved;

	if (!f)
		return NULL;
	f->stub = stub;
	f->gnt = xengnttab_open(NULL, 0);
	f->evt = f->gnt ? xenevtchn_open(NULL, 0) : NULL;
	/* gntdev knows no such thing. */
	if (f->evt && !xenevtchn_restrict(f->evt, (domid_t)stub) &&
	    !fcntl(xenevtchn_fd(f->evt), F_SETFL, O_NONBLOCK))
		return f;
	saved = errno;
	foreign_close(f);
	errno = saved;
	return NULL;
}

void foreign_close(struct foreign *f)
{
	if (f->evt)
		xenevtchn_close(f->evt);
	if (f->gnt)
		xengnttab_close(f->gnt);
	free(f);
}

int foreign_bind(struct foreign *f, uint32_t port)
{
	int here = xenevtchn_bind_interdomain(f->evt, f->stub, port);

	return here >= 0 ? here : errno ? -errno : -EIO;
}

void foreign_unbind(struct foreign *f, int port)
{
	xenevtchn_unbind(f->evt, (evtchn_port_t)port);
}

int foreign_map(struct foreign *f, uint32_t ref, uint32_t port, struct foreign_ring *out)
{
	int ret;

	out->page = xengnttab_map_grant_ref(f->gnt, f->stub, ref, PROT_READ | PROT_WRITE);
	if (!out->page)
		return errno ? -errno : -EIO;
	out->port = foreign_bind(f, port);
	if (out->port >= 0)
		return 0;
	ret = out->port;
	foreign_unmap(f, out);
	return ret;
}

void foreign_unmap(struct foreign *f, struct foreign_ring *r)
{
	if (r->page && r->port >= 0)
		foreign_unbind(f, r->port);
	if (r->page)
		xengnttab_unmap(f->gnt, r->page, 1);
	*r = (struct foreign_ring){ .port = -1 };
}

int foreign_fd(const struct foreign *f)
{
	return xenevtchn_fd(f->evt);
}

int foreign_event(struct foreign *f)
{
	xenevtchn_port_or_error_t port = xenevtchn_pending(f->evt);

	return port < 0 ? -errno : port;
}

void foreign_unmask(struct foreign *f, int port)
{
	xenevtchn_unmask(f->evt, (evtchn_port_t)port);
}

void foreign_notify(struct foreign *f, int port)
{
	xenevtchn_notify(f->evt, (evtchn_port_t)port);
}
