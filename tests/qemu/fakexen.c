// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * libxenstore, libxengnttab and libxenevtchn for a QEMU without Xen, preloaded
 * into it: xenstore is a list, grants are pages of a memfd, event channels are
 * eventfds.  The guest is a thread, fx_guest().
 */
#define _GNU_SOURCE
#include "fakexen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* ---- xenstore ---- */

#define NODES 256
static struct { char *path, *value; } nodes[NODES];

struct event {
	struct event *next;
	char *path, *token;
};

struct xs_handle {
	int fd;
	struct event *first;
	struct { char *path, *token; } watch[16];
	struct xs_handle *next;
};

static struct xs_handle *handles;

static const char *absolute(const char *path, char *buf, size_t n)
{
	if (path[0] == '/' || path[0] == '@')
		return path;
	snprintf(buf, n, "/local/domain/0/%s", path);
	return buf;
}

static bool below(const char *dir, const char *path)
{
	size_t n = strlen(dir);

	return !strncmp(dir, path, n) && (!path[n] || path[n] == '/');
}

static void queue(struct xs_handle *h, const char *path, const char *token)
{
	struct event *e = calloc(1, sizeof(*e)), **at = &h->first;

	e->path = strdup(path);
	e->token = strdup(token);
	while (*at)
		at = &(*at)->next;
	*at = e;
	eventfd_write(h->fd, 1);
}

static void fire(const char *path, bool removed)
{
	for (struct xs_handle *h = handles; h; h = h->next)
		for (int i = 0; i < 16; i++) {
			const char *w = h->watch[i].path;

			if (w && (below(w, path) || (removed && below(path, w))))
				queue(h, path, h->watch[i].token);
		}
}

static char **find(const char *path)
{
	for (int i = 0; i < NODES; i++)
		if (nodes[i].path && !strcmp(nodes[i].path, path))
			return &nodes[i].value;
	return NULL;
}

static void store(const char *path, const char *value)
{
	char **v = find(path);

	for (int i = 0; !v; i++)
		if (!nodes[i].path) {
			nodes[i].path = strdup(path);
			v = &nodes[i].value;
		}
	free(*v);
	*v = strdup(value);
	fire(path, false);
}

void fx_write(const char *path, const char *fmt, ...)
{
	char value[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&lock);
	store(path, value);
	pthread_mutex_unlock(&lock);
}

static void drop(const char *path)
{
	for (int i = 0; i < NODES; i++)
		if (nodes[i].path && below(path, nodes[i].path)) {
			free(nodes[i].path);
			free(nodes[i].value);
			nodes[i].path = nodes[i].value = NULL;
		}
	fire(path, true);
}

void fx_remove(const char *path)
{
	pthread_mutex_lock(&lock);
	drop(path);
	pthread_mutex_unlock(&lock);
}

char *fx_read(const char *path)
{
	char **v, *copy;

	pthread_mutex_lock(&lock);
	v = find(path);
	copy = v ? strdup(*v) : NULL;
	pthread_mutex_unlock(&lock);
	return copy;
}

unsigned int fx_read_u32(const char *path)
{
	char *text = fx_read(path);
	unsigned int v = text ? (unsigned int)strtoul(text, NULL, 10) : 0;

	free(text);
	return v;
}

struct xs_handle *xs_open(unsigned long flags)
{
	struct xs_handle *h = calloc(1, sizeof(*h));

	(void)flags;
	h->fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	pthread_mutex_lock(&lock);
	h->next = handles;
	handles = h;
	pthread_mutex_unlock(&lock);
	return h;
}

void xs_close(struct xs_handle *h)
{
	struct xs_handle **at;

	pthread_mutex_lock(&lock);
	for (at = &handles; *at != h; at = &(*at)->next)
		;
	*at = h->next;
	pthread_mutex_unlock(&lock);
	close(h->fd);
	free(h);
}

int xs_fileno(struct xs_handle *h) { return h->fd; }

char **xs_check_watch(struct xs_handle *h)
{
	struct event *e;
	eventfd_t n;
	char **v = NULL;

	pthread_mutex_lock(&lock);
	e = h->first;
	if (e) {
		size_t a = strlen(e->path) + 1, b = strlen(e->token) + 1;

		h->first = e->next;
		v = malloc(2 * sizeof(*v) + a + b);
		v[0] = memcpy((char *)(v + 2), e->path, a);
		v[1] = memcpy(v[0] + a, e->token, b);
		free(e->path);
		free(e->token);
		free(e);
	} else {
		eventfd_read(h->fd, &n);
		errno = EAGAIN;
	}
	pthread_mutex_unlock(&lock);
	return v;
}

bool xs_watch(struct xs_handle *h, const char *path, const char *token)
{
	char buf[512];

	path = absolute(path, buf, sizeof(buf));
	pthread_mutex_lock(&lock);
	for (int i = 0; i < 16; i++)
		if (!h->watch[i].path) {
			h->watch[i].path = strdup(path);
			h->watch[i].token = strdup(token);
			queue(h, path, token);
			break;
		}
	pthread_mutex_unlock(&lock);
	return true;
}

bool xs_unwatch(struct xs_handle *h, const char *path, const char *token)
{
	(void)path;
	pthread_mutex_lock(&lock);
	for (int i = 0; i < 16; i++)
		if (h->watch[i].path && !strcmp(h->watch[i].token, token)) {
			free(h->watch[i].path);
			free(h->watch[i].token);
			h->watch[i].path = h->watch[i].token = NULL;
		}
	pthread_mutex_unlock(&lock);
	return true;
}

/* One at a time; every third fails at its end, and then has written nothing. */
#define TRANSACTION 5
static struct { char *path, *value; } pending[64];
static unsigned int npending;

uint32_t xs_transaction_start(struct xs_handle *h)
{
	(void)h;
	return TRANSACTION;
}

bool xs_transaction_end(struct xs_handle *h, uint32_t t, bool abort)
{
	static unsigned int count;
	bool again = !abort && ++count % 3 == 0;

	(void)h;
	(void)t;
	pthread_mutex_lock(&lock);
	for (unsigned int i = 0; i < npending; i++) {
		if (!abort && !again)
			store(pending[i].path, pending[i].value);
		free(pending[i].path);
		free(pending[i].value);
	}
	npending = 0;
	pthread_mutex_unlock(&lock);
	errno = EAGAIN;
	return !again;
}

void *xs_read(struct xs_handle *h, uint32_t t, const char *path, unsigned int *len)
{
	char buf[512], *v = NULL;

	(void)h;
	path = absolute(path, buf, sizeof(buf));
	for (unsigned int i = npending; t && i-- && !v;)
		if (!strcmp(pending[i].path, path))
			v = strdup(pending[i].value);
	if (!v)
		v = fx_read(path);
	if (!v)
		errno = ENOENT;
	else if (len)
		*len = (unsigned int)strlen(v);
	return v;
}

bool xs_write(struct xs_handle *h, uint32_t t, const char *path, const void *data, unsigned int len)
{
	char buf[512];

	(void)h;
	path = absolute(path, buf, sizeof(buf));
	if (t) {
		pending[npending].path = strdup(path);
		pending[npending++].value = strndup(data, len);
	} else {
		fx_write(path, "%.*s", (int)len, (const char *)data);
	}
	return true;
}

bool xs_mkdir(struct xs_handle *h, uint32_t t, const char *path)
{
	fprintf(stderr, "fakexen: QEMU makes directory %s\n", path);
	return xs_write(h, t, path, "", 0);
}

bool xs_rm(struct xs_handle *h, uint32_t t, const char *path)
{
	(void)h;
	(void)t;
	fprintf(stderr, "fakexen: QEMU removes %s\n", path);
	fx_remove(path);
	return true;
}

/* ---- grants ---- */

#define REF_BASE 1000
uint8_t *fx_mem;
static int memfd = -1;
static uint8_t granted[FX_PAGES];	/* 1 readable, 2 writable */
static unsigned int mapped;

uint32_t fx_ref(unsigned int page) { return REF_BASE + (page * 1021u) % FX_PAGES; }

static int page_of(uint32_t ref)
{
	for (unsigned int i = 0; i < FX_PAGES; i++)
		if (fx_ref(i) == ref)
			return (int)i;
	return -1;
}

void fx_grant(unsigned int page, bool writable) { granted[page] = writable ? 2 : 1; }

unsigned int fx_mapped(void) { return __atomic_load_n(&mapped, __ATOMIC_SEQ_CST); }

void *xengnttab_open(void *logger, unsigned int flags)
{
	(void)logger;
	(void)flags;
	return malloc(1);
}

int xengnttab_close(void *h)
{
	free(h);
	return 0;
}

int xengnttab_grant_copy(void *h, uint32_t n, void *segs)
{
	(void)h;
	(void)n;
	(void)segs;
	return -1;
}

int xengnttab_set_max_grants(void *h, uint32_t n)
{
	(void)h;
	(void)n;
	return 0;
}

void *xengnttab_map_domain_grant_refs(void *h, uint32_t n, uint32_t domid, uint32_t *refs, int prot)
{
	uint8_t *at = mmap(NULL, (size_t)n << 12, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)h;
	for (uint32_t i = 0; i < n; i++) {
		int page = page_of(refs[i]);

		if (domid != FX_DOMID || page < 0 || !granted[page] ||
		    (prot & PROT_WRITE && granted[page] < 2)) {
			munmap(at, (size_t)n << 12);
			errno = EINVAL;
			return NULL;
		}
		mmap(at + ((size_t)i << 12), 4096, prot, MAP_SHARED | MAP_FIXED, memfd, (off_t)page << 12);
	}
	__atomic_add_fetch(&mapped, n, __ATOMIC_SEQ_CST);
	return at;
}

int xengnttab_unmap(void *h, void *at, uint32_t n)
{
	(void)h;
	__atomic_sub_fetch(&mapped, n, __ATOMIC_SEQ_CST);
	/* Not munmap(): a late access must be found, not another mapping. */
	mmap(at, (size_t)n << 12, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
	return 0;
}

/* ---- event channels: remote port N is local port 100 + N ---- */

struct channel {
	int fd;
	unsigned int port;
};

static struct channel *bound[FX_PORTS];
static int guest_fd[FX_PORTS];

void *xenevtchn_open(void *logger, unsigned int flags)
{
	struct channel *c = calloc(1, sizeof(*c));

	(void)logger;
	(void)flags;
	c->fd = eventfd(0, EFD_CLOEXEC);
	return c;
}

int xenevtchn_fd(struct channel *c) { return c->fd; }

int xenevtchn_bind_interdomain(struct channel *c, uint32_t domid, uint32_t port)
{
	if (domid != FX_DOMID || !port || port >= FX_PORTS || bound[port]) {
		errno = EINVAL;
		return -1;
	}
	pthread_mutex_lock(&lock);
	c->port = port;
	bound[port] = c;
	eventfd_write(c->fd, 1);	/* as Xen does */
	pthread_mutex_unlock(&lock);
	return (int)(100 + port);
}

int xenevtchn_unbind(struct channel *c, uint32_t local)
{
	pthread_mutex_lock(&lock);
	if (bound[c->port] == c && local == 100 + c->port)
		bound[c->port] = NULL;
	pthread_mutex_unlock(&lock);
	return 0;
}

int xenevtchn_close(struct channel *c)
{
	xenevtchn_unbind(c, 100 + c->port);
	close(c->fd);
	free(c);
	return 0;
}

int xenevtchn_notify(struct channel *c, uint32_t local)
{
	return local == 100 + c->port ? eventfd_write(guest_fd[c->port], 1) : -1;
}

int xenevtchn_pending(struct channel *c)
{
	eventfd_t n;

	eventfd_read(c->fd, &n);
	return (int)(100 + c->port);
}

int xenevtchn_unmask(struct channel *c, uint32_t local)
{
	(void)c;
	(void)local;
	return 0;
}

bool fx_bound(unsigned int port) { return __atomic_load_n(&bound[port], __ATOMIC_SEQ_CST); }

void fx_send(unsigned int port)
{
	pthread_mutex_lock(&lock);
	if (bound[port])
		eventfd_write(bound[port]->fd, 1);
	pthread_mutex_unlock(&lock);
}

bool fx_wait(unsigned int port, int ms)
{
	struct pollfd p = { .fd = guest_fd[port], .events = POLLIN };
	eventfd_t n;

	if (poll(&p, 1, ms) <= 0)
		return false;
	eventfd_read(guest_fd[port], &n);
	return true;
}

static void *guest(void *arg)
{
	(void)arg;
	fx_guest();
	return NULL;
}

/* What xl writes. */
static void appear(const char *kind, unsigned int devid)
{
	char path[128];

	snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%d/%u/online", kind, FX_DOMID, devid);
	fx_write(path, "1");
	snprintf(path, sizeof(path), "/local/domain/0/backend/%s/%d/%u/state", kind, FX_DOMID, devid);
	fx_write(path, "1");
	snprintf(path, sizeof(path), "/local/domain/%d/device/%s/%u/state", FX_DOMID, kind, devid);
	fx_write(path, "1");
}

__attribute__((constructor)) static void start(void)
{
	pthread_t t;

	if (!getenv("FAKEXEN"))
		return;
	memfd = getenv("FAKEXEN_MEM") ? open(getenv("FAKEXEN_MEM"), O_RDWR | O_CREAT | O_CLOEXEC, 0600) :
		memfd_create("guest", MFD_CLOEXEC);
	if (ftruncate(memfd, (off_t)FX_PAGES << 12))
		abort();
	fx_mem = mmap(NULL, (size_t)FX_PAGES << 12, PROT_READ | PROT_WRITE, MAP_SHARED, memfd, 0);
	for (int i = 0; i < FX_PORTS; i++)
		guest_fd[i] = eventfd(0, EFD_CLOEXEC);
	appear("virtio_disk", 51712);
	for (unsigned int i = 0; i < 4; i++)
		appear("virtio", i);
	pthread_create(&t, NULL, guest, NULL);
	pthread_detach(t);
}
