// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdomd: looks after Linux device-model stubdomains, in dom0. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "base/log.h"
#include "daemon/service.h"
#include "daemon/sink_journal.h"
#include "daemon/watches.h"
#include "diag.h"
#include "events.h"
#include "hv.h"
#include "track.h"

struct daemon {
	struct service service;
	struct xs_handle *xs;
	struct hv *hv;
	struct track *tr;
	struct events ev;
};

static void usage(FILE *to)
{
	fputs("usage: xen-stubdomd [OPTION]...\n"
	      "Looks after the Linux device-model stubdomains of this Xen host.\n"
	      "\n"
	      "  -1, --once             look at all of them, do what is needed, and exit:\n"
	      "                         0 when all are well, 1 when one is not\n"
	      "  -l, --log-level=LEVEL  err, warning, notice, info (the default) or debug\n"
	      "  -V, --version\n"
	      "  -h, --help\n"
	      "\n"
	      "See xen-stubdomd(8).\n", to);
}

/* Returns an exit status, or -1 to go on. */
static int options(int argc, char **argv, bool *once)
{
	static const struct option longs[] = {
		{ "once", no_argument, NULL, '1' },
		{ "log-level", required_argument, NULL, 'l' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "1l:Vh", longs, NULL)) != -1) {
		switch (c) {
		case '1':
			*once = true;
			break;
		case 'l':
			if (service_log_level(optarg))
				return 2;
			break;
		case 'V':
			puts("xen-stubdomd " XE_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind == argc)
		return -1;
	usage(stderr);
	return 2;
}

/* ---- the daemon ---- */

static int setup(struct daemon *d)
{
	if (!d->xs) {
		log_err(NULL, "no connection to xenstored: %s: is this dom0 of a running Xen?", strerror(errno));
		return -ENODEV;
	}
	d->hv = hv_open();
	if (!d->hv) {
		log_err(NULL, "no access to the hypervisor: %s: is /dev/xen/privcmd there?", strerror(errno));
		return -ENODEV;
	}
	d->tr = track_new(d->xs, d->hv);
	return d->tr ? 0 : -ENOMEM;
}

static void teardown(struct daemon *d)
{
	diag_wait();
	track_free(d->tr);
	hv_close(d->hv);
	xs_close(d->xs);
}

/* Serve what the events said; stubdomains that are being started come first. */
static int on_xenstore(void *arg)
{
	struct daemon *d = arg;
	struct events *ev = &d->ev;
	int ret = events_take(d->xs, ev);
	int dom = 0;

	if (ret) {
		log_err(NULL, "lost xenstored: %s", strerror(-ret));
		return ret;
	}
	while ((dom = domid_set_take(&ev->marked, (uint32_t)dom)) >= 0)
		track_visit(d->tr, (uint32_t)dom, service_now());
	if (ev->scan) {
		ret = track_scan(d->tr, service_now());
		if (ret)
			log_err(NULL, "the hypervisor does not list its domains: %s", strerror(-ret));
	} else if (ev->sweep) {
		track_sweep(d->tr, service_now());
	} else if (ev->born) {
		track_born(d->tr, service_now());
	}
	ev->scan = ev->sweep = ev->born = false;
	return ret;
}

static int on_reload(void *arg)
{
	struct daemon *d = arg;

	d->ev.scan = true;
	return on_xenstore(d);
}

static uint64_t on_tick(void *arg)
{
	struct daemon *d = arg;
	unsigned int all, bad;

	track_tick(d->tr, service_now());
	track_count(d->tr, &all, &bad);
	service_status(&d->service, "%u stubdomain%s, %u failed", all, all == 1 ? "" : "s", bad);
	return track_next(d->tr);
}

static int run_daemon(struct daemon *d)
{
	static const struct service_ops ops = {
		.xenstore = on_xenstore, .reload = on_reload, .tick = on_tick,
	};
	int ret = service_init(&d->service, &ops, d);

	if (!ret) {
		d->xs = service_xenstore(&d->service);
		ret = setup(d);
	}
	if (!ret)
		ret = events_watch(d->xs);
	/* First look before READY: what xendomains starts next finds us ready. */
	if (!ret)
		ret = track_scan(d->tr, service_now());
	if (!ret)
		ret = service_attach(&d->service, d->xs);
	if (ret) {
		log_err(NULL, "cannot start: %s", strerror(-ret));
		return 1;
	}
	ret = service_run(&d->service);
	teardown(d);
	service_end(&d->service);
	return ret;
}

static int run_once(struct daemon *d)
{
	unsigned int all, bad;

	d->xs = xs_open(0);
	if (setup(d) || track_scan(d->tr, service_now()))
		return 1;
	diag_wait();
	track_count(d->tr, &all, &bad);
	log_info(NULL, "%u stubdomain%s, %u failed", all, all == 1 ? "" : "s", bad);
	teardown(d);
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct daemon d = { .xs = NULL };
	bool once = false;
	int ret;

	log_open("xen-stubdomd", log_journal_wanted() ? log_sink_journal : NULL, LOG_INFO);
	ret = options(argc, argv, &once);
	if (ret >= 0)
		return ret;
	return once ? run_once(&d) : run_daemon(&d);
}
