// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-virtiod: starts and feeds the backends of virtio over XenBus. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-event.h>
#include <unistd.h>
#include <xenstore.h>

#include "backend.h"
#include "base/log.h"
#include "daemon/service.h"
#include "daemon/sink_journal.h"
#include "daemon/watches.h"
#include "events.h"
#include "guests.h"
#include "uevent.h"
#include "units.h"
#include "xen/domain.h"
#include "xen/xs_util.h"

struct daemon {
	struct service service;
	struct vd_store st;
	struct units *units;
	struct guests *guests;
	struct vd_events events;
};

struct options {
	const char *backend, *ended, *qemu;
};

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
	int c;

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
			if (service_log_level(optarg))
				return 2;
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

static int scan(struct daemon *d)
{
	int ret = guests_scan(d->guests);

	if (ret)
		log_err(NULL, "xenstore cannot be read: %s", strerror(-ret));
	return ret;
}

static int on_xenstore(void *arg)
{
	struct daemon *d = arg;
	struct vd_events *ev = &d->events;
	int ret = vd_events_take(&d->st, ev);
	int dom = 0;

	if (ret) {
		log_err(NULL, "lost xenstored: %s", strerror(-ret));
		return ret;
	}
	while ((dom = domid_set_take(&ev->marked, (uint32_t)dom)) >= 0)
		guests_visit(d->guests, (uint32_t)dom);
	if (ev->scan)
		ret = scan(d);
	if (!ret && ev->release)
		guests_release(d->guests);
	ev->scan = ev->release = false;
	return ret;
}

static void on_unit(void *arg, uint32_t domid)
{
	struct daemon *d = arg;

	/* During units_open() no guest is known yet. */
	if (d->guests)
		guests_unit(d->guests, domid);
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

static int on_reload(void *arg)
{
	struct daemon *d = arg;
	int ret = scan(d);

	if (!ret)
		guests_resized(d->guests, 0);
	return ret;
}

static uint64_t on_tick(void *arg)
{
	struct daemon *d = arg;
	unsigned int guests, devices, bad;

	guests_tick(d->guests);
	guests_count(d->guests, &guests, &devices, &bad);
	service_status(&d->service, "%u guest%s, %u device%s, %u failed", guests,
		       guests == 1 ? "" : "s", devices, devices == 1 ? "" : "s", bad);
	return guests_next(d->guests);
}

static int setup(struct daemon *d)
{
	struct guests_env env = { .st = &d->st, .now = service_now, .ev = d->service.ev };
	struct xs_handle *xs = service_xenstore(&d->service);
	int ret;

	if (!xs) {
		log_err(NULL, "no connection to xenstored: %s: is this a domain of a running Xen?", strerror(errno));
		return -ENODEV;
	}
	ret = vd_store_init(&d->st, xs);
	if (ret)
		return ret;
	d->units = units_open(d->service.ev, on_unit, d);
	if (!d->units) {
		log_err(NULL, "no connection to systemd: %s: is D-Bus' system bus running?", strerror(errno));
		return -ENOTCONN;
	}
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
		log_warn(NULL, "cannot receive the kernel's messages about block devices: %s: use 'xen-virtio resize' when a disk has grown",
			 strerror(-fd));
		return 0;
	}
	ret = sd_event_add_io(d->service.ev, &s, fd, EPOLLIN, on_uevent, d);
	if (ret < 0) {
		close(fd);
		return ret;
	}
	sd_event_source_set_io_fd_own(s, 1);
	sd_event_source_set_floating(s, 1);
	sd_event_source_unref(s);
	return 0;
}

static int run_daemon(void)
{
	static const struct service_ops ops = {
		.xenstore = on_xenstore, .reload = on_reload, .tick = on_tick,
	};
	struct daemon d = { .units = NULL };
	int ret = service_init(&d.service, &ops, &d);

	if (!ret)
		ret = setup(&d);
	if (!ret)
		ret = listen_uevents(&d);
	/* First look before READY: what xendomains starts next finds us ready. */
	if (!ret)
		ret = scan(&d);
	if (!ret)
		ret = service_attach(&d.service, d.st.xs);
	if (ret < 0) {
		log_err(NULL, "cannot start: %s", strerror(-ret));
		return EXIT_FAILURE;
	}
	ret = service_run(&d.service);
	guests_free(d.guests);
	units_close(d.units);
	xs_close(d.st.xs);
	service_end(&d.service);
	return ret;
}

static int domid_of(const char *text, uint32_t *domid)
{
	uint64_t n;

	if (xsu_parse_uint(text, DOMID_LIMIT - 1, &n)) {
		log_err(NULL, "'%s' is not a domain number", text);
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
