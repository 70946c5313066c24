// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-virtiod: starts and feeds the backends of virtio over XenBus. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <time.h>
#include <unistd.h>
#include <xenstore.h>

#include "backend.h"
#include "base/log.h"
#include "daemon/sink_journal.h"
#include "events.h"
#include "guests.h"
#include "uevent.h"
#include "units.h"
#include "xen/domain.h"
#include "xen/xs_util.h"

#define XENSTORE_WAIT_MS 60000
#define XENSTORE_RETRY_MS 100

struct daemon {
	sd_event *ev;
	sd_event_source *timer;
	struct vd_store st;
	struct units *units;
	struct guests *guests;
	struct vd_events events;
	unsigned int shown_guests, shown_devices, shown_bad;
};

struct options {
	const char *backend, *ended, *qemu;
};

static uint64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

static void usage(FILE *to)
{
	fputs("usage: xen-virtiod [OPTION]...\n"
	      "Serves the virtio devices of this Xen host's guests.\n"
	      "\n"
	      "  -l, --log-level=LEVEL  err, warning, notice, info (the default) or debug\n"
	      "  -V, --version\n"
	      "  -h, --help\n"
	      "\n"
	      "What xen-virtio-backend@.service runs:\n"
	      "      --backend=DOMID    become the QEMU that serves this guest\n"
	      "      --qemu=PROGRAM     ... which is not " VD_QEMU "\n"
	      "      --ended=DOMID      that QEMU has ended\n"
	      "\n"
	      "See xen-virtiod(8).\n", to);
}

/* Returns an exit status, or -1 to go on. */
static int options(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "backend", required_argument, NULL, 'b' },
		{ "ended", required_argument, NULL, 'e' },
		{ "qemu", required_argument, NULL, 'q' },
		{ "log-level", required_argument, NULL, 'l' },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int c, level;

	while ((c = getopt_long(argc, argv, "l:Vh", longs, NULL)) != -1) {
		switch (c) {
		case 'b':
			o->backend = optarg;
			break;
		case 'e':
			o->ended = optarg;
			break;
		case 'q':
			o->qemu = optarg;
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
			puts("xen-virtiod " XE_VERSION);
			return 0;
		case 'h':
			usage(stdout);
			return 0;
		default:
			usage(stderr);
			return 2;
		}
	}
	if (optind == argc && !(o->backend && o->ended))
		return -1;
	usage(stderr);
	return 2;
}

/* ---- the daemon ---- */

static void show_status(struct daemon *d)
{
	unsigned int guests, devices, bad;

	guests_count(d->guests, &guests, &devices, &bad);
	if (guests == d->shown_guests && devices == d->shown_devices && bad == d->shown_bad)
		return;
	sd_notifyf(0, "STATUS=%u guest%s, %u device%s, %u failed", guests, guests == 1 ? "" : "s",
		   devices, devices == 1 ? "" : "s", bad);
	d->shown_guests = guests;
	d->shown_devices = devices;
	d->shown_bad = bad;
}

static int scan(struct daemon *d)
{
	int ret = guests_scan(d->guests);

	if (ret)
		log_err(NULL, "xenstore cannot be read: %s", strerror(-ret));
	return ret;
}

static int on_xenstore(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	struct daemon *d = arg;
	struct vd_events *ev = &d->events;
	int ret = vd_events_take(&d->st, ev);
	int dom = 0;

	(void)s;
	(void)fd;
	(void)events;
	if (ret) {
		log_err(NULL, "lost xenstored: %s", strerror(-ret));
		return sd_event_exit(d->ev, EXIT_FAILURE);
	}
	while ((dom = vd_events_next(ev, (uint32_t)dom)) >= 0)
		guests_visit(d->guests, (uint32_t)dom);
	if (ev->scan && scan(d))
		return sd_event_exit(d->ev, EXIT_FAILURE);
	if (ev->release)
		guests_release(d->guests);
	ev->scan = ev->release = false;
	return 0;
}

static void on_unit(void *arg, uint32_t domid)
{
	struct daemon *d = arg;

	/* During units_open() there are none to visit. */
	if (d->guests)
		guests_visit(d->guests, domid);
}

static void on_resized(void *arg, dev_t dev)
{
	struct daemon *d = arg;

	guests_resized(d->guests, dev);
}

static int on_uevent(sd_event_source *s, int fd, uint32_t events, void *arg)
{
	int ret = uevent_take(fd, on_resized, arg);

	(void)events;
	if (!ret)
		return 0;
	log_err(NULL, "the kernel's messages about block devices: %s: use 'xen-virtio resize' when a disk has grown", strerror(-ret));
	return sd_event_source_set_enabled(s, SD_EVENT_OFF);
}

/* After whatever was done, and when time has come. */
static int on_post(sd_event_source *s, void *arg)
{
	struct daemon *d = arg;
	uint64_t due;

	(void)s;
	guests_tick(d->guests);
	show_status(d);
	due = guests_next(d->guests);
	if (due == UINT64_MAX)
		return sd_event_source_set_enabled(d->timer, SD_EVENT_OFF);
	sd_event_source_set_time(d->timer, due * 1000);
	return sd_event_source_set_enabled(d->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *s, uint64_t usec, void *arg)
{
	(void)s;
	(void)usec;
	(void)arg;
	return 0;	/* on_post() does it */
}

static int on_hup(sd_event_source *s, const struct signalfd_siginfo *si, void *arg)
{
	struct daemon *d = arg;

	(void)s;
	(void)si;
	if (scan(d))
		return sd_event_exit(d->ev, EXIT_FAILURE);
	guests_resized(d->guests, 0);
	return 0;
}

static int setup_signals(struct daemon *d)
{
	sigset_t set;
	int ret;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	/* Before any thread is made (libxenstore makes one): all inherit it. */
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	ret = sd_event_default(&d->ev);
	/* Without a handler of ours they end the loop with status 0. */
	if (ret >= 0)
		ret = sd_event_add_signal(d->ev, NULL, SIGTERM, NULL, NULL);
	if (ret >= 0)
		ret = sd_event_add_signal(d->ev, NULL, SIGINT, NULL, NULL);
	return ret;
}

/*
 * xenstored may need longer than the unit that starts it says.  Waiting here
 * is one line in the log; being restarted all the time would be hundreds.
 */
static struct xs_handle *xenstore_open(struct daemon *d)
{
	struct xs_handle *xs = xs_open(0);
	int saved = errno;

	if (!xs)
		log_notice(NULL, "waiting for xenstored");
	for (unsigned int ms = 0; !xs && ms < XENSTORE_WAIT_MS; ms += XENSTORE_RETRY_MS) {
		if (sd_event_run(d->ev, XENSTORE_RETRY_MS * 1000) < 0 ||
		    sd_event_get_state(d->ev) == SD_EVENT_FINISHED)
			break;
		xs = xs_open(0);
		saved = errno;
	}
	errno = saved;
	return xs;
}

static int setup(struct daemon *d)
{
	struct guests_env env = { .st = &d->st, .now = now_ms };
	struct xs_handle *xs = xenstore_open(d);
	int ret;

	if (!xs) {
		log_err(NULL, "no connection to xenstored: %s: is this a domain of a running Xen?", strerror(errno));
		return -ENODEV;
	}
	ret = vd_store_init(&d->st, xs);
	if (ret)
		return ret;
	d->units = units_open(d->ev, on_unit, d);
	if (!d->units) {
		log_err(NULL, "no connection to systemd: %s: is D-Bus' system bus running?", strerror(errno));
		return -ENOTCONN;
	}
	env.ev = d->ev;
	env.units = d->units;
	d->guests = guests_new(&env);
	return d->guests ? vd_events_watch(&d->st) : -ENOMEM;
}

/* Without them disks do not grow by themselves; all else works. */
static int listen_uevents(struct daemon *d)
{
	sd_event_source *s = NULL;
	int fd = uevent_open(), ret;

	if (fd < 0) {
		log_warn(NULL, "the kernel's messages about block devices cannot be had: %s: use 'xen-virtio resize' when a disk has grown",
			 strerror(-fd));
		return 0;
	}
	ret = sd_event_add_io(d->ev, &s, fd, EPOLLIN, on_uevent, d);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	sd_event_source_set_io_fd_own(s, 1);
	sd_event_source_set_floating(s, 1);
	sd_event_source_unref(s);
	return 0;
}

static int setup_sources(struct daemon *d)
{
	int ret = sd_event_add_io(d->ev, NULL, xs_fileno(d->st.xs), EPOLLIN, on_xenstore, d);

	if (ret >= 0)
		ret = sd_event_add_signal(d->ev, NULL, SIGHUP, on_hup, d);
	if (ret >= 0)
		ret = listen_uevents(d);
	if (ret >= 0)
		ret = sd_event_add_time(d->ev, &d->timer, CLOCK_MONOTONIC, UINT64_MAX, 1000,
					on_timer, d);
	if (ret >= 0)
		ret = sd_event_add_post(d->ev, NULL, on_post, d);
	if (ret >= 0)
		ret = sd_event_set_watchdog(d->ev, 1);
	return ret < 0 ? ret : 0;
}

static int run_daemon(void)
{
	struct daemon d = { .shown_guests = ~0u };
	int ret = setup_signals(&d);

	if (ret >= 0)
		ret = setup(&d);
	if (!ret)
		ret = setup_sources(&d);
	/* First look before READY: what xendomains starts next finds us ready. */
	if (!ret)
		ret = scan(&d);
	if (ret < 0) {
		log_err(NULL, "cannot start: %s", strerror(-ret));
		return EXIT_FAILURE;
	}
	on_post(NULL, &d);
	sd_notify(0, "READY=1");
	ret = sd_event_loop(d.ev);
	sd_notify(0, "STOPPING=1");
	guests_free(d.guests);
	units_close(d.units);
	xs_close(d.st.xs);
	sd_event_source_unref(d.timer);
	sd_event_unref(d.ev);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

static int domid_of(const char *text, uint32_t *domid)
{
	uint64_t n;

	if (xsh_parse_uint(text, DOMID_LIMIT - 1, &n)) {
		log_err(NULL, "'%s' is no domain number", text);
		return -EINVAL;
	}
	*domid = (uint32_t)n;
	return 0;
}

int main(int argc, char **argv)
{
	struct options o = { .qemu = VD_QEMU };
	uint32_t domid;
	int ret;

	log_open("xen-virtiod", log_journal_wanted() ? log_sink_journal : NULL, LOG_INFO);
	ret = options(argc, argv, &o);
	if (ret >= 0)
		return ret;
	if (!o.backend && !o.ended)
		return run_daemon();
	if (domid_of(o.backend ? o.backend : o.ended, &domid))
		return 2;
	return o.backend ? backend_run(domid, o.qemu) : backend_ended(domid);
}
