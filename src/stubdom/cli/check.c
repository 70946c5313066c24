// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdom check: what is missing, and the command that fixes it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xenstore.h>

#include "cli.h"
#include "cli/findings.h"
#include "cli/options.h"
#include "guests.h"
#include "hostcheck.h"
#include "xlcfg.h"

static const char usage[] =
"usage: xen-stubdom check [--json] [GUEST | CONFIG-FILE]\n"
"Find out why a Linux stubdomain would not start here.  Each line says 'ok',\n"
"'note' or 'FAIL', and what to do about it.  Exits with 1 after a FAIL.\n"
"\n"
"  GUEST          look at this running guest too\n"
"  CONFIG-FILE    look at this xl.cfg(5) file too\n"
"  --json         for scripts\n";

#define CONFIG_MAX (1u << 20)
/* Less than this left over, and the kernel may have to kill QEMU. */
#define FREE_MIN_KIB (8u << 10)

static void check_guest(struct findings *fs, const struct guest *g)
{
	char fix[256];

	snprintf(fix, sizeof(fix), "run 'xen-stubdom logs %s'",
		 *g->id.name ? g->id.name : "NAME");
	if (*g->error)
		found(fs, BROKEN, "guest-error", fix, "guest %s: %s", g->id.name,
		      g->error);
	if (strcmp(g->state, "running"))
		found(fs, BROKEN, "guest-state", fix, "guest %s: its device model is not running (state '%s', stage '%s')", g->id.name, g->state,
		      g->stage);
	else
		found(fs, FINE, "guest-state", NULL,
		      "guest %s: its device model runs in domain %u", g->id.name,
		      g->id.stub);
	if (g->mem_available && g->mem_available < FREE_MIN_KIB)
		found(fs, ADVICE, "guest-memory", "raise stubdomain_memory in its config", "guest %s: only %llu KiB are free in its stubdomain",
		      g->id.name, (unsigned long long)g->mem_available);
}

static void check_running(struct findings *fs, const char *name)
{
	struct xs_handle *xs = xs_open(XS_OPEN_READONLY);
	struct guest *g = NULL;
	char text[128];
	size_t n = 0;
	int ret = xs ? guests_read(xs, name, &g, &n) : -errno;

	clean(text, sizeof(text), name);
	if (xs)
		xs_close(xs);
	if (ret == -ENOENT && xs)
		found(fs, BROKEN, "guest", "give its config file to 'xen-stubdom check'", "guest %s: does not run with a Linux stubdomain",
		      text);
	else if (ret)
		found(fs, BROKEN, "xenstore", "run it as root in dom0",
		      "guest %s: xenstore cannot be read: %s", text, strerror(-ret));
	for (size_t i = 0; i < n; i++)
		check_guest(fs, &g[i]);
	free(g);
}

static void check_config(struct findings *fs, const char *path,
			 const struct xlcfg_host *host)
{
	char *text = NULL;
	size_t len;
	int ret = host_slurp(path, CONFIG_MAX, &text, &len);

	if (ret)
		found(fs, BROKEN, "cfg-file", "give a readable file",
		      "%s: %s", path, strerror(-ret));
	else
		xlcfg_check(fs, path, text, len, host);
	free(text);
}

/* A name with a slash, or of a file that is there, is a file. */
static bool is_file(const char *what)
{
	struct stat st;

	return strchr(what, '/') || (!stat(what, &st) && S_ISREG(st.st_mode));
}

int cmd_check(int argc, char **argv)
{
	bool json = false;
	const struct opt options[] = { { "json", 0, &json, NULL }, { NULL, 0, NULL, NULL } };
	const struct opts o = { usage, options, 0, 1, false };
	struct findings fs = { 0 };
	struct xlcfg_host host;
	char **what;
	int ret = opts_parse(&o, argc, argv, &what);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	hostcheck(&fs, &host);
	if (*what && is_file(*what))
		check_config(&fs, *what, &host);
	else if (*what)
		check_running(&fs, *what);
	findings_print(&fs, json);
	ret = findings_worst(&fs) == BROKEN ? EXIT_FAILURE : EXIT_SUCCESS;
	findings_free(&fs);
	return ret;
}
