// SPDX-License-Identifier: GPL-2.0-or-later
#include "xendirs.h"

#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "image/manifest.h"
#include "xen/version.h"

/*
 * Where distributions configure XENFIRMWAREDIR.  A "*" is the version; without
 * one, the one Xen's version is that of its libxenctrl in @libs
 * (the soname changes with every release).
 */
static const struct {
	const char *pattern;
	const char *libs[4];
} table[] = {
	/* Debian: several versions side by side */
	{ "/usr/lib/xen-*/boot", { NULL } },
	/* Fedora; there /usr/lib/xen and /usr/lib64/xen are links to it */
	{ "/usr/libexec/xen/boot", { "/usr/lib64", "/usr/lib" } },
	/* openSUSE, and Xen's own default */
	{ "/usr/lib/xen/boot", { "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib" } },
	/* built by the administrator */
	{ "/usr/local/lib/xen-*/boot", { NULL } },
	{ "/usr/local/lib/xen/boot", { "/usr/local/lib", "/usr/local/lib64" } },
	{ "/usr/local/libexec/xen/boot", { "/usr/local/lib", "/usr/local/lib64" } },
};

char *xendirs_match(const char *pattern, const char *path)
{
	const char *star = strchr(pattern, '*');
	size_t head = star ? (size_t)(star - pattern) : 0;
	size_t tail = star ? strlen(star + 1) : 0;
	size_t len = strlen(path);
	char *v;

	if (!star || len <= head + tail || strncmp(path, pattern, head) ||
	    strcmp(path + len - tail, star + 1))
		return NULL;
	v = strndup(path + head, len - head - tail);
	if (v && xen_version_valid(v))
		return v;
	free(v);
	return NULL;
}

/* The highest X.Y of DIR/libxenctrl.so.X.Y or .X.Y.Z */
static void newest_soname(const char *dir, char **best)
{
	char *pat = host_path("%s/libxenctrl.so.*", dir);
	glob_t g;

	if (!glob(pat, 0, NULL, &g)) {
		for (size_t i = 0; i < g.gl_pathc; i++) {
			const char *v = g.gl_pathv[i] + strlen(pat) - 1;
			size_t major = strcspn(v, ".");
			size_t len = v[major] ? major + 1 +
				     strcspn(v + major + 1, ".") : major;
			char *cut = strndup(v, len);

			if (cut && xen_version_valid(cut) &&
			    (!*best || strverscmp(cut, *best) > 0)) {
				free(*best);
				*best = cut;
			} else {
				free(cut);
			}
		}
		globfree(&g);
	}
	free(pat);
}

static bool is_xen(const char *dir)
{
	char *f = xasprintf("%s/hvmloader", dir);
	struct stat st;
	bool is = !stat(f, &st) && S_ISREG(st.st_mode);

	free(f);
	return is;
}

/* @path: with --root */
static bool seen(const struct xen_dir *dirs, size_t n, const char *path)
{
	struct stat a, b;
	bool same = false;

	if (stat(path, &a))
		return true;
	for (size_t i = 0; !same && i < n; i++) {
		char *p = host_path("%s", dirs[i].path);

		same = !stat(p, &b) && a.st_dev == b.st_dev &&
		       a.st_ino == b.st_ino;
		free(p);
	}
	return same;
}

static char *version_of(size_t row, const char *path)
{
	char *v = NULL;

	if (strchr(table[row].pattern, '*'))
		return xendirs_match(table[row].pattern, path);
	for (size_t i = 0; i < 4 && table[row].libs[i]; i++)
		newest_soname(table[row].libs[i], &v);
	return v;
}

static void add_matches(size_t row, struct xen_dir **dirs, size_t *n)
{
	char *pat = host_path("%s", table[row].pattern);
	size_t prefix = strlen(host_root());
	glob_t g;

	if (!glob(pat, 0, NULL, &g)) {
		for (size_t i = 0; i < g.gl_pathc; i++) {
			const char *path = g.gl_pathv[i] + prefix;
			char *v;

			if (!is_xen(g.gl_pathv[i]) ||
			    seen(*dirs, *n, g.gl_pathv[i]))
				continue;
			v = version_of(row, path);
			if (!v) {
				log_warn(NULL, "%s: unknown Xen version: ignored", path);
				continue;
			}
			*dirs = xgrow(*dirs, *n, sizeof(**dirs));
			(*dirs)[*n].path = xstrdup(path);
			(*dirs)[(*n)++].version = v;
		}
		globfree(&g);
	}
	free(pat);
}

int xendirs_find(struct xen_dir **dirs, size_t *n)
{
	*dirs = NULL;
	*n = 0;
	for (size_t row = 0; row < sizeof(table) / sizeof(table[0]); row++)
		add_matches(row, dirs, n);
	return 0;
}

void xendirs_free(struct xen_dir *dirs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(dirs[i].path);
		free(dirs[i].version);
	}
	free(dirs);
}

char *xen_running(void)
{
	char *sys = host_path("/sys"), *v = NULL;
	unsigned int major, minor;

	if (!xen_version(sys, &major, &minor))
		v = xasprintf("%u.%u", major, minor);
	if (v && !xen_version_valid(v)) {
		free(v);
		v = NULL;
	}
	free(sys);
	return v;
}
