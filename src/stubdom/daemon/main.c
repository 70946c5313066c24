// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdomd: looks after Linux device-model stubdomains, in dom0. */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

#include "base/log.h"
#include "daemon/sink_journal.h"
#include "diag.h"
#include "events.h"
#include "hv.h"
#include "track.h"

#define XENSTORE_WAIT_MS 60000
#define XENSTORE_RETRY_MS 100

struct daemon {
	struct xs_handle *xs;
	struct hv *hv;
	struct track *tr;
	struct events ev;
	int signals;
	uint64_t watchdog;	/* ms between two signs of life; 0: none wanted */
	uint64_t alive;		/* when the next is due */
	unsigned int shown_all, shown_bad;
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

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
	int c, level;

	while ((c = getopt_long(argc, argv, "1l:Vh", longs, NULL)) != -1) {
		switch (c) {
		case '1':
			*once = true;
			break;
		case 'l':
			level = log_level_parse(optarg);
			if (level < 0) {
				log_err(NULL, "unknown log level '%s': use err, warning, notice, info or debug", optarg);
				return 2;
			}
			log_set_level(level);
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

static int setup_signals(struct daemon *d)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	/* Before any thread is made (libxenstore makes one): all inherit it. */
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	d->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return d->signals < 0 ? -errno : 0;
}

/* True when it is time to end; SIGHUP means: look at everything again. */
static bool signalled(struct daemon *d)
{
	struct signalfd_siginfo si;

	while (read(d->signals, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo != SIGHUP)
			return true;
		d->ev.scan = true;
	}
	return false;
}

/*
 * xenstored may need longer than the unit that starts it says.  Waiting here
 * is one line in the log; being restarted all the time would be hundreds.
 */
static struct xs_handle *xenstore_open(struct daemon *d, unsigned int wait_ms)
{
	struct pollfd fd = { .fd = d->signals, .events = POLLIN };
	struct xs_handle *xs = xs_open(0);
	int saved = errno;

	if (!xs && wait_ms)
		log_notice(NULL, "waiting for xenstored");
	for (unsigned int ms = 0; !xs && ms < wait_ms; ms += XENSTORE_RETRY_MS) {
		poll(&fd, 1, XENSTORE_RETRY_MS);
		if (signalled(d))
			break;
		xs = xs_open(0);
		saved = errno;
	}
	errno = saved;
	return xs;
}

static int setup(struct daemon *d, unsigned int wait_ms)
{
	d->xs = xenstore_open(d, wait_ms);
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

static void show_status(struct daemon *d)
{
	unsigned int all, bad;

	track_count(d->tr, &all, &bad);
	if (all == d->shown_all && bad == d->shown_bad)
		return;
	sd_notifyf(0, "STATUS=%u stubdomain%s, %u with trouble", all, all == 1 ? "" : "s", bad);
	d->shown_all = all;
	d->shown_bad = bad;
}

static void sign_of_life(struct daemon *d, uint64_t now)
{
	if (!d->watchdog || now < d->alive)
		return;
	sd_notify(0, "WATCHDOG=1");
	d->alive = now + d->watchdog;
}

static int timeout_until(const struct daemon *d, uint64_t now)
{
	uint64_t due = track_next(d->tr);

	if (d->watchdog && d->alive < due)
		due = d->alive;
	if (due == UINT64_MAX)
		return -1;
	if (due <= now)
		return 0;
	return due - now > 60000 ? 60000 : (int)(due - now);
}

/* Serve what the events said; stubdomains that are being started come first. */
static int round_of_work(struct daemon *d)
{
	struct events *ev = &d->ev;
	int ret = events_take(d->xs, ev);
	int dom = 0;

	if (ret) {
		log_err(NULL, "lost xenstored: %s", strerror(-ret));
		return ret;
	}
	while ((dom = events_next(ev, dom)) >= 0)
		track_visit(d->tr, dom, now_ms());
	if (ev->scan) {
		ret = track_scan(d->tr, now_ms());
		if (ret)
			log_err(NULL, "the hypervisor does not list its domains: %s", strerror(-ret));
	} else if (ev->sweep) {
		track_sweep(d->tr, now_ms());
	}
	if (ev->born && !ev->scan && !ev->sweep)
		track_born(d->tr, now_ms());
	ev->scan = ev->sweep = ev->born = false;
	track_tick(d->tr, now_ms());
	return ret;
}

static int serve_forever(struct daemon *d)
{
	struct pollfd fds[2] = {
		{ .fd = xs_fileno(d->xs), .events = POLLIN },
		{ .fd = d->signals, .events = POLLIN },
	};
	int ret;

	for (;;) {
		uint64_t now = now_ms();

		sign_of_life(d, now);
		show_status(d);
		if (poll(fds, 2, timeout_until(d, now)) < 0 && errno != EINTR)
			return -errno;
		if (signalled(d))
			return 0;
		ret = round_of_work(d);
		if (ret)
			return ret;
	}
}

static int run_daemon(struct daemon *d)
{
	uint64_t usec = 0;
	int ret = setup_signals(d);

	if (!ret)
		ret = setup(d, XENSTORE_WAIT_MS);
	if (!ret)
		ret = events_watch(d->xs);
	/* First look before READY: what xendomains starts next finds us ready. */
	if (!ret)
		ret = track_scan(d->tr, now_ms());
	if (ret) {
		log_err(NULL, "cannot start: %s", strerror(-ret));
		return 1;
	}
	if (sd_watchdog_enabled(0, &usec) > 0)
		d->watchdog = usec / 3000;
	d->shown_all = ~0u;
	sd_notify(0, "READY=1");
	log_debug(NULL, "ready");
	ret = serve_forever(d);
	sd_notify(0, "STOPPING=1");
	teardown(d);
	return ret ? 1 : 0;
}

static int run_once(struct daemon *d)
{
	unsigned int all, bad;

	if (setup(d, 0) || track_scan(d->tr, now_ms()))
		return 1;
	diag_wait();
	track_count(d->tr, &all, &bad);
	log_info(NULL, "%u stubdomain%s, %u with trouble", all, all == 1 ? "" : "s", bad);
	teardown(d);
	return bad ? 1 : 0;
}

int main(int argc, char **argv)
{
	struct daemon d = { .signals = -1 };
	bool once = false;
	int ret;

	log_open("xen-stubdomd", log_journal_wanted() ? log_sink_journal : NULL, LOG_INFO);
	ret = options(argc, argv, &once);
	if (ret >= 0)
		return ret;
	return once ? run_once(&d) : run_daemon(&d);
}
