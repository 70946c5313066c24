// SPDX-License-Identifier: GPL-2.0-or-later
#include "fake_hv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DOMS 64

static struct hv_dom doms[DOMS];
static unsigned int ndoms;
static int failing;
unsigned int fake_hv_crashes;

void fake_hv_reset(void)
{
	ndoms = fake_hv_crashes = 0;
	failing = 0;
}

struct hv_dom *fake_hv_dom(uint32_t domid)
{
	for (unsigned int i = 0; i < ndoms; i++)
		if (doms[i].domid == domid)
			return &doms[i];
	return NULL;
}

struct hv_dom *fake_hv_add(uint32_t domid, bool hvm, int life)
{
	struct hv_dom *d = &doms[ndoms++];

	if (ndoms > DOMS)
		abort();
	memset(d, 0, sizeof(*d));
	d->domid = domid;
	d->hvm = hvm;
	memcpy(d->uuid, &domid, sizeof(domid));
	memcpy(d->uuid + 4, &life, sizeof(life));
	return d;
}

void fake_hv_remove(uint32_t domid)
{
	struct hv_dom *d = fake_hv_dom(domid);

	if (d)
		*d = doms[--ndoms];
}

void fake_hv_fail(int err)
{
	failing = err;
}

struct hv *hv_open(void)
{
	return (struct hv *)doms;
}

void hv_close(struct hv *hv)
{
	(void)hv;
}

int hv_dom_get(struct hv *hv, uint32_t domid, struct hv_dom *out)
{
	struct hv_dom *d = fake_hv_dom(domid);

	(void)hv;
	if (failing)
		return -failing;
	if (!d)
		return -ENOENT;
	*out = *d;
	return 0;
}

int hv_dom_list(struct hv *hv, struct hv_dom **list, unsigned int *count)
{
	(void)hv;
	if (failing)
		return -failing;
	*list = malloc(sizeof(doms));
	memcpy(*list, doms, sizeof(doms));
	*count = ndoms;
	return 0;
}

int hv_dom_crash(struct hv *hv, uint32_t domid)
{
	struct hv_dom *d = fake_hv_dom(domid);

	(void)hv;
	fake_hv_crashes++;
	if (failing)
		return -failing;
	if (!d)
		return -ESRCH;
	if (!d->shutdown) {
		d->shutdown = true;
		d->reason = 3;
	}
	return 0;
}

int hv_dom_destroy(struct hv *hv, uint32_t domid)
{
	(void)hv;
	if (failing)
		return -failing;
	if (!fake_hv_dom(domid))
		return -ESRCH;
	fake_hv_remove(domid);
	return 0;
}

void hv_version(struct hv *hv, char *buf, unsigned int size)
{
	(void)hv;
	snprintf(buf, size, "4.20");
}
