/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What every daemon here does alike: one sd-event loop that serves xenstore's
 * watches, a timer and signals, and tells systemd that it is ready, alive and
 * what it looks after.  SIGTERM and SIGINT end the loop.
 *
 *	service_init(), service_xenstore(), the daemon's own set-up and first look,
 *	service_attach(), service_run(), the daemon's own end, service_end()
 */
#ifndef XE_SERVICE_H
#define XE_SERVICE_H

#include <stdint.h>
#include <systemd/sd-event.h>
#include <xenstore.h>

struct service_ops {
	/* Watch events are queued.  Negative errno, already logged: the daemon ends. */
	int (*xenstore)(void *arg);
	/* SIGHUP: look at everything again.  Returns as xenstore(). */
	int (*reload)(void *arg);
	/*
	 * After whatever was done, and when time has come.  Returns when to come
	 * again, in milliseconds of service_now(); UINT64_MAX: at the next event.
	 */
	uint64_t (*tick)(void *arg);
};

struct service {
	sd_event *ev;
	sd_event_source *timer;
	const struct service_ops *ops;
	void *arg;
	char status[96];	/* what systemd was told last */
};

/* CLOCK_MONOTONIC in milliseconds. */
uint64_t service_now(void);

/* The argument of --log-level; -EINVAL, with a log line, when it is unknown. */
int service_log_level(const char *text);

/* Before any thread is made (libxenstore makes one).  Negative errno. */
int service_init(struct service *s, const struct service_ops *ops, void *arg);
/*
 * A connection to xenstored, which is waited for: it may need longer than the
 * unit that starts it says, and waiting is one line in the log where being
 * restarted all the time would be hundreds.  NULL with errno.
 */
struct xs_handle *service_xenstore(const struct service *s);
/* Serve @xs, signals, timer and watchdog from now on; the first tick().  Negative errno. */
int service_attach(struct service *s, struct xs_handle *xs);
/* READY=1, until the daemon ends; returns its exit status. */
int service_run(struct service *s);
void service_end(struct service *s);

/* What `systemctl status` shows; told when it has changed. */
void service_status(struct service *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
