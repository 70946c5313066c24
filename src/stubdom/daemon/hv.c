// SPDX-License-Identifier: GPL-2.0-or-later
#include "hv.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenctrl.h>

/* Domains fetched by one hypercall. */
#define BATCH 256

struct hv {
	xc_interface *xc;
	xc_domaininfo_t batch[BATCH];
};

struct hv *hv_open(void)
{
	struct hv *hv = calloc(1, sizeof(*hv));
	int saved;

	if (!hv)
		return NULL;
	hv->xc = xc_interface_open(NULL, NULL, 0);
	if (!hv->xc) {
		saved = errno;
		free(hv);
		errno = saved;
		return NULL;
	}
	return hv;
}

void hv_close(struct hv *hv)
{
	if (!hv)
		return;
	xc_interface_close(hv->xc);
	free(hv);
}

static void convert(const xc_domaininfo_t *in, struct hv_dom *out)
{
	*out = (struct hv_dom){
		.domid = in->domain,
		.dying = in->flags & XEN_DOMINF_dying,
		.shutdown = in->flags & XEN_DOMINF_shutdown,
		.paused = in->flags & XEN_DOMINF_paused,
		.hvm = in->flags & XEN_DOMINF_hvm_guest,
		.reason = (in->flags >> XEN_DOMINF_shutdownshift) &
			  XEN_DOMINF_shutdownmask,
		.cpu_ns = in->cpu_time,
		.max_kib = in->max_pages << (XC_PAGE_SHIFT - 10),
	};
	memcpy(out->uuid, in->handle, sizeof(out->uuid));
}

/*
 * xc_domain_getinfolist() has had one meaning since Xen 3; the calls for a
 * single domain changed in 4.18 (xc_domain_getinfo_single).  Both return the
 * next domain when the one asked for is gone, so the number is compared.
 */
int hv_dom_get(struct hv *hv, uint32_t domid, struct hv_dom *out)
{
	int n = xc_domain_getinfolist(hv->xc, domid, 1, hv->batch);

	if (n < 0)
		return errno ? -errno : -EIO;
	if (n == 0 || hv->batch[0].domain != domid)
		return -ENOENT;
	convert(&hv->batch[0], out);
	return 0;
}

int hv_dom_list(struct hv *hv, struct hv_dom **list, unsigned int *count)
{
	struct hv_dom *all = NULL, *more;
	unsigned int n = 0;
	uint32_t first = 0;
	int got;

	do {
		got = xc_domain_getinfolist(hv->xc, first, BATCH, hv->batch);
		if (got < 0) {
			free(all);
			return errno ? -errno : -EIO;
		}
		more = realloc(all, (n + got + 1) * sizeof(*all));
		if (!more) {
			free(all);
			return -ENOMEM;
		}
		all = more;
		for (int i = 0; i < got; i++)
			convert(&hv->batch[i], &all[n++]);
		if (got)
			first = all[n - 1].domid + 1;
	} while (got == BATCH);
	*list = all;
	*count = n;
	return 0;
}

int hv_dom_crash(struct hv *hv, uint32_t domid)
{
	if (!xc_domain_shutdown(hv->xc, domid, SHUTDOWN_crash))
		return 0;
	return errno ? -errno : -EIO;
}

int hv_dom_destroy(struct hv *hv, uint32_t domid)
{
	if (!xc_domain_destroy(hv->xc, domid))
		return 0;
	return errno ? -errno : -EIO;
}

void hv_version(struct hv *hv, char *buf, unsigned int size)
{
	int v = xc_version(hv->xc, XENVER_version, NULL);

	if (v < 0)
		buf[0] = '\0';
	else
		snprintf(buf, size, "%d.%d", v >> 16, v & 0xffff);
}
