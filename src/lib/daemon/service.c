// SPDX-License-Identifier: GPL-2.0-or-later
#include "service.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <systemd/sd-daemon.h>
#include <time.h>

#include "base/log.h"

#define XENSTORE_WAIT_MS 60000
#define XENSTORE_RETRY_MS 100

uint64_t service_now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

int service_log_level(const char *text)
{
	int level = log_level_parse(text);

	if (level < 0) {
		log_err(NULL, "unknown log level '%s': use err, warning, notice, info or debug", text);
		return -EINVAL;
	}
	log_set_level(level);
	return 0;
}

void service_status(struct service *s, const char *fmt, ...)
{
	char text[sizeof(s->status)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (!strcmp(text, s->status))
		return;
	strcpy(s->status, text);
	sd_notifyf(0, "STATUS=%s", text);
}

int service_init(struct service *s, const struct service_ops *ops, void *arg)
{
	sigset_t set;
	int ret;

	*s = (struct service){ .ops = ops, .arg = arg };
	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	ret = sd_event_default(&s->ev);
	/* Without a handler of ours they end the loop with status 0. */
	if (ret >= 0)
		ret = sd_event_add_signal(s->ev, NULL, SIGTERM, NULL, NULL);
	if (ret >= 0)
		ret = sd_event_add_signal(s->ev, NULL, SIGINT, NULL, NULL);
	return ret < 0 ? ret : 0;
}

struct xs_handle *service_xenstore(const struct service *s)
{
	struct xs_handle *xs = xs_open(0);
	int saved = errno;

	if (!xs)
		log_notice(NULL, "waiting for xenstored");
	for (unsigned int ms = 0; !xs && ms < XENSTORE_WAIT_MS; ms += XENSTORE_RETRY_MS) {
		if (sd_event_run(s->ev, XENSTORE_RETRY_MS * 1000) < 0 ||
		    sd_event_get_state(s->ev) == SD_EVENT_FINISHED)
			break;
		xs = xs_open(0);
		saved = errno;
	}
	errno = saved;
	return xs;
}

static int on_xenstore(sd_event_source *src, int fd, uint32_t events, void *arg)
{
	struct service *s = arg;

	(void)src;
	(void)fd;
	(void)events;
	return s->ops->xenstore(s->arg) ? sd_event_exit(s->ev, EXIT_FAILURE) : 0;
}

static int on_hup(sd_event_source *src, const struct signalfd_siginfo *si, void *arg)
{
	struct service *s = arg;

	(void)src;
	(void)si;
	return s->ops->reload(s->arg) ? sd_event_exit(s->ev, EXIT_FAILURE) : 0;
}

static int on_post(sd_event_source *src, void *arg)
{
	struct service *s = arg;
	uint64_t due = s->ops->tick(s->arg);

	(void)src;
	if (due == UINT64_MAX)
		return sd_event_source_set_enabled(s->timer, SD_EVENT_OFF);
	sd_event_source_set_time(s->timer, due * 1000);
	return sd_event_source_set_enabled(s->timer, SD_EVENT_ONESHOT);
}

static int on_timer(sd_event_source *src, uint64_t usec, void *arg)
{
	(void)src;
	(void)usec;
	(void)arg;
	return 0;	/* on_post() does it */
}

int service_attach(struct service *s, struct xs_handle *xs)
{
	int ret = sd_event_add_io(s->ev, NULL, xs_fileno(xs), EPOLLIN, on_xenstore, s);

	if (ret >= 0)
		ret = sd_event_add_signal(s->ev, NULL, SIGHUP, on_hup, s);
	if (ret >= 0)
		ret = sd_event_add_time(s->ev, &s->timer, CLOCK_MONOTONIC, UINT64_MAX, 1000,
					on_timer, s);
	if (ret >= 0)
		ret = sd_event_add_post(s->ev, NULL, on_post, s);
	if (ret >= 0)
		ret = sd_event_set_watchdog(s->ev, 1);
	if (ret >= 0)
		ret = on_post(NULL, s);
	return ret < 0 ? ret : 0;
}

int service_run(struct service *s)
{
	int ret;

	sd_notify(0, "READY=1");
	ret = sd_event_loop(s->ev);
	sd_notify(0, "STOPPING=1");
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}

void service_end(struct service *s)
{
	s->timer = sd_event_source_unref(s->timer);
	s->ev = sd_event_unref(s->ev);
}
