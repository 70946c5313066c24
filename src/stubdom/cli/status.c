// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdom status: guests with a stubdomain, and the images. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <xenstore.h>

#include "cli.h"
#include "cli/options.h"
#include "fit.h"
#include "guests.h"
#include "image/store.h"

static const char usage[] =
"usage: xen-stubdom status [--json] [GUEST]\n"
"Show each guest whose device model runs in a Linux stubdomain, and the images\n"
"new stubdomains start from.\n"
"\n"
"  --json    for scripts; memory in KiB, times in seconds since 1970\n";

struct image_state {
	struct manifest m;
	time_t built;
	enum image_fit fit;
	bool damaged;
	struct error *err;	/* no manifest, or why its fit is not known */
};

static int image_state(const char *xen, struct image_state *s)
{
	char *place = store_place(xen), *path = host_path("%s/manifest", place), *detail;
	struct stat st;
	int ret;

	memset(s, 0, sizeof(*s));
	if (!stat(path, &st))
		s->built = st.st_mtime;
	free(path);
	free(place);
	ret = store_manifest(xen, &s->m, &s->err);
	if (ret)
		return ret;
	s->damaged = store_verify(xen, &s->m) != 0;
	s->fit = image_fits(&s->m, &detail, &s->err);
	free(detail);
	return 0;
}

static void image_state_free(struct image_state *s)
{
	manifest_free(&s->m);
	error_free(&s->err);
}

/* JSON: names are stable; unknown numbers and texts are null. */

static json_object *text_or_null(const char *s)
{
	return *s ? json_object_new_string(s) : NULL;
}

static json_object *number_or_null(uint64_t n)
{
	return n ? json_object_new_int64((int64_t)n) : NULL;
}

static json_object *guest_json(const struct guest *g)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "name", text_or_null(g->id.name));
	json_object_object_add(o, "domid", json_object_new_int64(g->id.guest));
	json_object_object_add(o, "stubdom", json_object_new_int64(g->id.stub));
	json_object_object_add(o, "state", text_or_null(g->state));
	json_object_object_add(o, "stage", text_or_null(g->stage));
	json_object_object_add(o, "error", text_or_null(g->error));
	json_object_object_add(o, "qemu", text_or_null(g->qemu));
	json_object_object_add(o, "version", text_or_null(g->version));
	json_object_object_add(o, "memory_kib", number_or_null(g->mem_xen));
	json_object_object_add(o, "mem_total_kib", number_or_null(g->mem_total));
	json_object_object_add(o, "mem_available_kib",
			       number_or_null(g->mem_available));
	return o;
}

static json_object *image_json(const char *xen, const struct image_state *s,
			       int err)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "xen", json_object_new_string(xen));
	if (err) {
		json_object_object_add(o, "error", json_object_new_string(s->err->text));
		return o;
	}
	json_object_object_add(o, "key", json_object_new_string(s->m.key));
	json_object_object_add(o, "qemu", json_object_new_string(s->m.qemu));
	json_object_object_add(o, "kernel",
			       json_object_new_string(s->m.kernel_version));
	json_object_object_add(o, "kernel_bytes",
			       json_object_new_int64((int64_t)s->m.kernel.size));
	json_object_object_add(o, "rootfs_bytes",
			       json_object_new_int64((int64_t)s->m.rootfs.size));
	json_object_object_add(o, "memory_min_mib",
			       json_object_new_int64(s->m.memory_min));
	json_object_object_add(o, "debug", json_object_new_boolean(s->m.debug));
	json_object_object_add(o, "built", json_object_new_int64(s->built));
	json_object_object_add(o, "intact",
			       json_object_new_boolean(!s->damaged));
	json_object_object_add(o, "prebuilt",
			       json_object_new_boolean(store_is_prebuilt(xen)));
	json_object_object_add(o, "up_to_date",
		s->fit == FIT_UNKNOWN || s->fit == FIT_KEPT ? NULL
		: json_object_new_boolean(s->fit == FIT_CURRENT ||
					  s->fit == FIT_PREBUILT));
	return o;
}

/* Tables */

static void print_mib(uint64_t kib)
{
	if (kib)
		printf("%9.1f", (double)kib / 1024);
	else
		printf("%9s", "-");
}

static const char *or_dash(const char *s)
{
	return *s ? s : "-";
}

static void print_guests(const struct guest *g, size_t n)
{
	if (!n) {
		puts("No guest has a Linux stubdomain.");
		return;
	}
	printf("%-24s %5s %7s %9s %9s %9s  %-10s %-9s %s\n", "GUEST", "DOMID",
	       "STUBDOM", "MEM(MiB)", "TOTAL", "FREE", "QEMU", "STATE", "STAGE");
	for (size_t i = 0; i < n; i++) {
		printf("%-24s %5u %7u ", or_dash(g[i].id.name), g[i].id.guest,
		       g[i].id.stub);
		print_mib(g[i].mem_xen);
		putchar(' ');
		print_mib(g[i].mem_total);
		putchar(' ');
		print_mib(g[i].mem_available);
		printf("  %-10s %-9s %s\n", or_dash(g[i].qemu),
		       or_dash(g[i].state), or_dash(g[i].stage));
		if (*g[i].error)
			printf("    error: %s\n", g[i].error);
	}
}

static void format_age(time_t built, char *out, size_t max)
{
	long s = built ? (long)(time(NULL) - built) : -1;

	if (s < 0)
		snprintf(out, max, "-");
	else if (s < 3600)
		snprintf(out, max, "%ld min", s / 60);
	else if (s < 48 * 3600)
		snprintf(out, max, "%ld h", s / 3600);
	else
		snprintf(out, max, "%ld days", s / 86400);
}

static void print_state(const char *xen, const struct image_state *s)
{
	static const char *const fit[] = {
		[FIT_CURRENT] = "up to date",
		[FIT_OUTDATED] = "outdated: run 'xen-stubdom register'",
		[FIT_KEPT] = "kept until that Xen is gone",
		[FIT_PREBUILT] = "prebuilt",
		[FIT_PREBUILT_OLD] = "prebuilt, older than what is installed",
	};

	if (s->damaged)
		printf("%s", store_is_prebuilt(xen) ? "damaged: reinstall its package"
						    : "damaged: run 'xen-stubdom build'");
	else if (s->fit == FIT_UNKNOWN && s->err)
		printf("%s%s%s", s->err->text, s->err->fix ? ": " : "",
		       s->err->fix ? s->err->fix : "");
	else
		printf("%s", fit[s->fit] ? fit[s->fit] : "-");
	puts(s->m.debug ? " (debug)" : "");
}

static void print_image(const char *xen, const struct image_state *s, int err)
{
	char age[32];

	if (err == -ENOENT) {
		printf("%-6s %-14s no image: run 'xen-stubdom register'\n", xen, "-");
		return;
	}
	if (err) {
		printf("%-6s %-14s ", xen, "-");
	} else {
		format_age(s->built, age, sizeof(age));
		printf("%-6s %-14.12s %-10s %-22s %8.1f %-9s ", xen, s->m.key,
		       s->m.qemu, s->m.kernel_version,
		       (double)(s->m.kernel.size + s->m.rootfs.size) / (1 << 20), age);
	}
	print_state(xen, s);
}

static int show_images(json_object *list)
{
	char **v;
	size_t n;
	int ret = store_versions(&v, &n);

	if (!list && n)
		printf("\n%-6s %-14s %-10s %-22s %8s %-9s %s\n", "XEN", "IMAGE",
		       "QEMU", "LINUX", "SIZE/MiB", "AGE", "STATE");
	else if (!list)
		puts("\nNo image: run 'xen-stubdom register'.");
	for (size_t i = 0; i < n; i++) {
		struct image_state s;
		int err = image_state(v[i], &s);

		if (list)
			json_object_array_add(list, image_json(v[i], &s, err));
		else
			print_image(v[i], &s, err);
		image_state_free(&s);
		free(v[i]);
	}
	free(v);
	return ret;
}

static int read_guests(const char *what, struct guest **g, size_t *n)
{
	struct xs_handle *xs = xs_open(XS_OPEN_READONLY);
	int ret;

	*g = NULL;
	*n = 0;
	if (!xs) {
		/* The images can be shown on a host that does not run Xen now. */
		log_msg(what ? LOG_ERR : LOG_WARNING, NULL, "xenstore cannot be opened: %s: run it as root in dom0 under Xen (see 'xen-stubdom check')", strerror(errno));
		return what ? -ENOTCONN : 0;
	}
	ret = guests_read(xs, what, g, n);
	xs_close(xs);
	if (ret == -ENOENT && what)
		log_err(NULL, "guest %s: does not run with a Linux stubdomain: see 'xl list' and 'xen-stubdom check CONFIG-FILE'",
			what);
	else if (ret)
		log_err(NULL, "xenstore cannot be read: %s", strerror(-ret));
	guests_memory(*g, *n);
	return ret;
}

static int show_json(const struct guest *g, size_t n, bool with_images)
{
	json_object *top = json_object_new_object();
	json_object *guests = json_object_new_array();
	json_object *images = json_object_new_array();
	int ret = 0;

	for (size_t i = 0; i < n; i++)
		json_object_array_add(guests, guest_json(&g[i]));
	json_object_object_add(top, "guests", guests);
	if (with_images)
		ret = show_images(images);
	json_object_object_add(top, "images", images);
	puts(json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY |
					    JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(top);
	return ret;
}

int cmd_status(int argc, char **argv)
{
	bool json = false;
	const struct opt options[] = { { "json", 0, &json, NULL }, { NULL, 0, NULL, NULL } };
	const struct opts o = { usage, options, 0, 1, false };
	struct guest *g;
	char **what;
	size_t n;
	int ret = opts_parse(&o, argc, argv, &what);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	if (read_guests(*what, &g, &n))
		return EXIT_FAILURE;
	if (json) {
		ret = show_json(g, n, !*what);
	} else {
		print_guests(g, n);
		ret = *what ? 0 : show_images(NULL);
	}
	free(g);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
