// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdomd: looks after Linux device-model stubdomains, in dom0. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <xenstore.h>

#include "base/log.h"
#include "bounds.h"
#include "daemon/service.h"
#include "daemon/sink_journal.h"
#include "daemon/watches.h"
#include "diag.h"
#include "events.h"
#include "helper.h"
#include "hv.h"
#include "state_disk.h"
#include "track.h"
#include "xen/xs_util.h"

struct daemon {
	struct service service;
	struct xs_handle *xs;
	struct hv *hv;
	struct track *tr;
	struct events ev;
	uint64_t state_limit, log_limit;	/* bytes */
};

static void usage(FILE *to)
{
	fputs("usage: xen-stubdomd [OPTION]...\n"
	      "Looks after the Linux device-model stubdomains of this Xen host.\n"
	      "\n"
	      "  -1, --once             look at all of them, do what is needed, and exit:\n"
	      "                         0 when all are well, 1 when one is not\n"
	      "  -s, --state-limit=MIB  longest device state of a guest (64)\n"
	      "  -L, --log-limit=MIB    longest log of a stubdomain's console (16)\n"
	      "  -l, --log-level=LEVEL  err, warning, notice, info (the default) or debug\n"
	      "  -V, --version\n"
	      "  -h, --help\n"
	      "\n"
	      "See xen-stubdomd(8).\n", to);
}

static int mib_option(const char *option, const char *text, unsigned int min, unsigned int max, uint64_t *bytes)
{
	uint64_t mib;

	if (xsu_parse_uint(text, max, &mib) || mib < min) {
		log_err(NULL, "--%s=%s: a number from %u to %u is expected (MiB)", option, text, min, max);
		return -EINVAL;
	}
	*bytes = mib << 20;
	return 0;
}

/* Returns an exit status, or -1 to go on. */
static int options(int argc, char **argv, bool *once, struct daemon *d)
{
	static const struct option longs[] = {
		{ "once", no_argument, NULL, '1' },
		{ "state-limit", required_argument, NULL, 's' },
		{ "log-limit", required_argument, NULL, 'L' },
		{ "log-level", required_argument, NULL, 'l' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "1s:L:l:Vh", longs, NULL)) != -1) {
		switch (c) {
		case '1':
			*once = true;
			break;
		case 's':
			if (mib_option("state-limit", optarg, STATE_DISK_LIMIT_MIN, STATE_DISK_LIMIT_MAX, &d->state_limit))
				return 2;
			break;
		case 'L':
			if (mib_option("log-limit", optarg, BOUNDS_LOG_MIB_MIN, BOUNDS_LOG_MIB_MAX, &d->log_limit))
				return 2;
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

static int on_helpers(sd_event_source *src, int fd, uint32_t events, void *arg)
{
	struct daemon *d = arg;

	(void)src;
	(void)fd;
	(void)events;
	track_helpers(d->tr, service_now());
	return 0;
}

static int on_child(sd_event_source *src, const struct signalfd_siginfo *info, void *arg)
{
	(void)src;
	(void)info;
	(void)arg;
	helper_reap();
	return 0;
}

/* Blocked, as sd-event asks, before there is a thread that could take it. */
static int reap_helpers(struct daemon *d)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	return sd_event_add_signal(d->service.ev, NULL, SIGCHLD, on_child, NULL);
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

	if (!ret)
		ret = reap_helpers(d);
	if (ret >= 0) {
		d->xs = service_xenstore(&d->service);
		ret = setup(d);
	}
	/* Not with --once, which would remove the disks that a daemon serves. */
	if (!ret)
		track_serve_states(d->tr, d->state_limit, d->log_limit);
	if (!ret)
		ret = events_watch(d->xs);
	/* First look before READY: what xendomains starts next finds us ready. */
	if (!ret)
		ret = track_scan(d->tr, service_now());
	if (!ret)
		ret = service_attach(&d->service, d->xs);
	if (!ret)
		ret = sd_event_add_io(d->service.ev, NULL, track_helpers_fd(d->tr), EPOLLIN, on_helpers, d);
	if (ret < 0) {
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
	struct daemon d = {
		.state_limit = (uint64_t)STATE_DISK_LIMIT_MIB << 20, .log_limit = (uint64_t)BOUNDS_LOG_MIB << 20,
	};
	bool once = false;
	int ret;

	log_open("xen-stubdomd", log_journal_wanted() ? log_sink_journal : NULL, LOG_INFO);
	ret = options(argc, argv, &once, &d);
	if (ret >= 0)
		return ret;
	return once ? run_once(&d) : run_daemon(&d);
}
