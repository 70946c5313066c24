// SPDX-License-Identifier: GPL-2.0-or-later
#include "diag.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xen/sched.h>

#include "base/log.h"
#include "stubdom.h"
#include "xen/xenbus.h"
#include "xen/xs_util.h"

/* ---- collecting ---- */

static unsigned int read_mib(struct xs_handle *xs, uint32_t domid, const char *node)
{
	uint64_t kib;

	return xsu_read_uint(xs, XBT_NULL, &kib, UINT64_C(1) << 40,
			     "/local/domain/%u/memory/%s", domid, node) ? 0 : kib >> 10;
}

/* What the backend's driver or its hotplug script left as an explanation. */
static void dev_error(struct xs_handle *xs, const char *back, struct diag_dev *d)
{
	const char *rest;

	xsu_text(xs, d->error, sizeof(d->error), "%s/hotplug-error", back);
	/* /local/domain/B/backend/... -> /local/domain/B/error/backend/... */
	rest = strstr(back, "/backend/");
	if (d->error[0] || !rest)
		return;
	xsu_text(xs, d->error, sizeof(d->error), "%.*s/error%s/error", (int)(rest - back), back, rest);
}

/* The backend's path comes from /libxl: the frontend's is the stubdomain's to write. */
static bool dev_bad(struct xs_handle *xs, uint32_t stub, const char *kind,
		    const char *devid, struct diag_dev *d)
{
	char back[128];
	uint64_t n;

	xsu_text(xs, back, sizeof(back), "/libxl/%u/device/%s/%.10s/backend", stub, kind, devid);
	if (!back[0] || xsu_parse_uint(devid, UINT32_MAX, &n))
		return false;
	d->devid = n;
	d->state = -1;
	if (!xsu_read_uint(xs, XBT_NULL, &n, XenbusStateReconfigured, "%s/state", back))
		d->state = n;
	if (d->state == XenbusStateConnected)
		return false;
	snprintf(d->kind, sizeof(d->kind), "%s", kind);
	xsu_text(xs, d->what, sizeof(d->what), "%s/%s", back, strcmp(kind, "vif") ? "params" : "mac");
	dev_error(xs, back, d);
	return true;
}

static void find_bad_dev(struct xs_handle *xs, uint32_t stub, struct diag_dev *d)
{
	static const char *const kinds[] = { "vbd", "vif" };

	memset(d, 0, sizeof(*d));
	for (int k = 0; k < 2; k++) {
		unsigned int n;
		bool bad = false;
		char **names;

		if (xsu_list(xs, XBT_NULL, &names, &n, "/libxl/%u/device/%s", stub, kinds[k]))
			continue;
		for (unsigned int i = 0; i < n && !bad; i++)
			bad = dev_bad(xs, stub, kinds[k], names[i], d);
		free(names);
		if (bad)
			return;
	}
	d->kind[0] = '\0';
}

/*
 * libxl names the log after the guest as it was called then: an incoming
 * migration's has another name afterwards.
 */
static void find_log(struct xs_handle *xs, struct diag *d)
{
	char out[sizeof(d->log)];

	xsu_text(xs, out, sizeof(out), "/local/domain/%u/console/output", d->id.stub);
	if (!strncmp(out, "file:/", 6))
		snprintf(d->log, sizeof(d->log), "%s", out + 5);
	else
		snprintf(d->log, sizeof(d->log), "/var/log/xen/qemu-dm-%s.log", d->id.name);
}

static void find_image(struct xs_handle *xs, struct diag *d)
{
	char vm[64];

	/* libxl writes down what it was built from when it has been built. */
	if (d->kind == DIAG_UNBUILT || d->kind == DIAG_REMOVED) {
		/* A package's own image comes before one that was built here. */
		snprintf(d->kernel, sizeof(d->kernel), STUBDOM_PREBUILT_DIR "/%s/kernel", d->xen);
		snprintf(d->rootfs, sizeof(d->rootfs), STUBDOM_PREBUILT_DIR "/%s/rootfs", d->xen);
		if (!access(d->kernel, F_OK))
			return;
		snprintf(d->kernel, sizeof(d->kernel), STUBDOM_STATE_DIR "/%s/current/kernel", d->xen);
		snprintf(d->rootfs, sizeof(d->rootfs), STUBDOM_STATE_DIR "/%s/current/rootfs", d->xen);
		return;
	}

	xsu_text(xs, vm, sizeof(vm), "/local/domain/%u/vm", d->id.stub);
	xsu_text(xs, d->kernel, sizeof(d->kernel), "%s/image/kernel", vm);
	xsu_text(xs, d->rootfs, sizeof(d->rootfs), "%s/image/ramdisk", vm);
}

void diag_collect(struct xs_handle *xs, struct hv *hv, const struct stub_id *id,
		  enum diag_kind kind, const struct hv_dom *dom, struct diag *out)
{
	memset(out, 0, sizeof(*out));
	out->id = *id;
	out->kind = kind;
	out->gone = dom && !dom->shutdown && kind < DIAG_UNBUILT;
	out->reason = dom ? dom->reason : 0;
	xsu_text(xs, out->stage, sizeof(out->stage), "/local/domain/%u/" STUBDOM_DATA "/stage", id->stub);
	xsu_text(xs, out->error, sizeof(out->error), "/local/domain/%u/" STUBDOM_DATA "/error", id->stub);
	out->mem_mib = read_mib(xs, id->stub, "static-max");
	/* libxl writes that down when it has built it, Xen knows its limit before. */
	if (!out->mem_mib && dom)
		out->mem_mib = dom->max_kib >> 10;
	out->video_mib = read_mib(xs, id->guest, "videoram");
	find_bad_dev(xs, id->stub, &out->dev);
	find_log(xs, out);
	hv_version(hv, out->xen, sizeof(out->xen));
	find_image(xs, out);
}

/* ---- explaining ---- */

static bool unbuilt(const struct diag *d)
{
	return d->kind == DIAG_UNBUILT || d->kind == DIAG_REMOVED;
}

bool diag_wants_image(const struct diag *d)
{
	return d->kind != DIAG_ENDED && !d->gone &&
	       d->kernel[0] == '/' && d->rootfs[0] == '/';
}

static const char *ended_how(const struct diag *d)
{
	if (d->gone)
		return "was destroyed";
	switch (d->reason) {
	case SHUTDOWN_crash: return "crashed";
	case SHUTDOWN_watchdog: return "was ended by its watchdog";
	case SHUTDOWN_reboot: return "rebooted, which it cannot,";
	default: return "powered off";
	}
}

static int text_head(const struct diag *d, char *buf, size_t size)
{
	if (d->kind == DIAG_SLOW)
		return snprintf(buf, size, "stubdomain %u has not started its device model in 20 s: ", d->id.stub);
	if (d->kind == DIAG_UNBUILT)
		return snprintf(buf, size, "domain %u, with %u MB, is left of a stubdomain that xl could not build: run 'xl destroy %u': ",
				d->id.stub, d->mem_mib, d->id.stub);
	if (d->kind == DIAG_REMOVED)
		return snprintf(buf, size, "xl could not build its stubdomain %u, and left it; destroyed it: ", d->id.stub);
	if (d->kind == DIAG_FAILED)
		return snprintf(buf, size, "stubdomain %u %s before its device model ran: ", d->id.stub, ended_how(d));
	return snprintf(buf, size, "its device model is gone: stubdomain %u %s: ", d->id.stub, ended_how(d));
}

/* Returns false when the image is not at fault. */
static bool text_image(const struct diag *d, char *buf, size_t size)
{
	const struct image *im = &d->image;

	switch (im->state) {
	case IMAGE_MISSING:
		snprintf(buf, size, "%s cannot be read: run 'xen-stubdom build'", im->file);
		return true;
	case IMAGE_DAMAGED:
		snprintf(buf, size, "%s is damaged (it is not what its manifest says): run 'xen-stubdom build --force'", im->file);
		return true;
	case IMAGE_OTHER_XEN:
		snprintf(buf, size, "its image was built for Xen %s, and Xen %s runs: run 'xen-stubdom build'", im->xen, d->xen);
		return true;
	default:
		return false;
	}
}

/* libxl adds the video memory to stubdomain_memory (libxl__spawn_stub_dm). */
static bool text_memory(const struct diag *d, char *buf, size_t size)
{
	unsigned int need = d->image.need_mib;

	if (!need || !d->mem_mib || d->mem_mib >= need)
		return false;
	need -= d->video_mib < need ? d->video_mib : 0;
	snprintf(buf, size, "stubdomain_memory is too small (it has %u MB, its image needs %u MB): set stubdomain_memory to at least %u in the guest's configuration",
		 d->mem_mib, d->image.need_mib, need);
	return true;
}

static bool text_dev(const struct diag *d, char *buf, size_t size)
{
	const struct diag_dev *v = &d->dev;

	if (!v->kind[0] || d->kind == DIAG_ENDED || unbuilt(d))
		return false;
	snprintf(buf, size, "its %s %u (%s) is not connected (backend state %d%s%s): %s",
		 strcmp(v->kind, "vif") ? "disk" : "NIC", v->devid,
		 v->what[0] ? v->what : "nothing in it", v->state,
		 v->error[0] ? ": " : "", v->error,
		 strcmp(v->kind, "vif") ?
		 "check that its target exists and that nothing else uses it" :
		 "check that its bridge exists");
	return true;
}

static void text_rest(const struct diag *d, char *buf, size_t size)
{
	const char *doing = "";

	if (unbuilt(d)) {
		snprintf(buf, size, "what xl said then has the reason");
		return;
	}
	if (d->gone) {
		snprintf(buf, size, "without its guest: destroy or reboot the guest instead");
		return;
	}
	if (d->kind != DIAG_ENDED && !d->stage[0])
		doing = "its init reported nothing: ";
	else if (!strcmp(d->stage, STUBDOM_STAGE_QEMU))
		doing = "its QEMU was started: ";
	else if (!strcmp(d->stage, STUBDOM_STAGE_WIRE))
		doing = "it was setting up disks and NICs: ";
	snprintf(buf, size, "%ssee %s", doing, d->log);
}

void diag_text(const struct diag *d, char *buf, size_t size)
{
	size_t n = text_head(d, buf, size);

	if (n >= size)
		return;
	buf += n;
	size -= n;
	/* A damaged image may say anything; its own words are for later. */
	if (text_image(d, buf, size))
		return;
	if (d->error[0] && !d->gone)
		snprintf(buf, size, "it says: %s: see %s", d->error, d->log);
	else if (!text_memory(d, buf, size) && !text_dev(d, buf, size))
		text_rest(d, buf, size);
}

/* ---- saying ---- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t idle = PTHREAD_COND_INITIALIZER;
static pthread_mutex_t reading = PTHREAD_MUTEX_INITIALIZER;
static unsigned int jobs;

static void finish(struct diag *d)
{
	struct log_about about = {
		.guest = d->id.name[0] ? d->id.name : NULL,
		.domid = d->id.guest ? (int)d->id.guest : -1, .stubdom = (int)d->id.stub,
	};
	char text[900];

	if (diag_wants_image(d)) {
		pthread_mutex_lock(&reading);	/* one image at a time */
		image_check(d->kernel, d->rootfs, d->xen, &d->image);
		pthread_mutex_unlock(&reading);
	}
	diag_text(d, text, sizeof(text));
	log_err(&about, "%s", text);
	free(d);
}

static void *job(void *d)
{
	finish(d);
	pthread_mutex_lock(&lock);
	if (!--jobs)
		pthread_cond_broadcast(&idle);
	pthread_mutex_unlock(&lock);
	return NULL;
}

void diag_wait(void)
{
	pthread_mutex_lock(&lock);
	while (jobs)
		pthread_cond_wait(&idle, &lock);
	pthread_mutex_unlock(&lock);
}

void diag_say_collected(struct diag *d)
{
	pthread_t thread;

	if (!diag_wants_image(d)) {
		finish(d);
		return;
	}
	pthread_mutex_lock(&lock);
	jobs++;
	pthread_mutex_unlock(&lock);
	if (pthread_create(&thread, NULL, job, d))
		job(d);
	else
		pthread_detach(thread);
}

void diag_say(struct xs_handle *xs, struct hv *hv, const struct stub_id *id,
	      enum diag_kind kind, const struct hv_dom *dom)
{
	struct diag *d = malloc(sizeof(*d));

	if (!d)
		return;
	diag_collect(xs, hv, id, kind, dom, d);
	diag_say_collected(d);
}
