// SPDX-License-Identifier: GPL-2.0-or-later
#include "outdated.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli/process.h"

#define ANSWER_MAX (64u << 10)

/* A rebuild has the source of what it rebuilds. */
static void strip_rebuild(char *version)
{
	char *b = strrchr(version, '+');

	if (b && b[1] == 'b' && b[2] && !b[2 + strspn(b + 2, "0123456789")])
		*b = '\0';
}

char *apt_candidate(const char *policy)
{
	static const char key[] = "\n  Candidate: ";
	const char *p = strstr(policy, key);
	char *v;

	if (!p)
		return NULL;
	p += sizeof(key) - 1;
	v = strndup(p, strcspn(p, " \n"));
	if (!v || !*v || *v == '(') {
		free(v);
		return NULL;
	}
	strip_rebuild(v);
	return v;
}

static char *ask_apt(const char *package)
{
	char *root = xasprintf("RootDir=%s/", host_root()), *text, *v = NULL;
	const char *argv[] = { "apt-cache", "-o", root, "policy", package, NULL };

	if (!command_run(argv, ANSWER_MAX, &text))
		v = apt_candidate(text);
	free(text);
	free(root);
	return v;
}

static char *ask_dpkg(const char *package)
{
	char *dir = xasprintf("--admindir=%s/var/lib/dpkg", host_root());
	const char *argv[] = { "dpkg-query", dir, "--show",
		"--showformat=${db:Status-Status} ${source:Version}\\n", package, NULL };
	char *text, *v = NULL;

	if (!command_run(argv, ANSWER_MAX, &text) && !strncmp(text, "installed ", 10))
		v = strndup(text + 10, strcspn(text + 10, "\n"));
	free(text);
	free(dir);
	return v;
}

static bool older(const char *a, const char *b)
{
	const char *argv[] = { "dpkg", "--compare-versions", a, "lt", b, NULL };

	return !command_run(argv, 0, NULL);
}

static void compare(struct findings *fs, const struct manifest_use *u,
		    const char *what, const char *id, const char *package)
{
	char *have = ask_dpkg(package), *apt = ask_apt(package);
	const char *newest = have && (!apt || older(apt, have)) ? have : apt;

	if (newest && older(u->version, newest)) {
		char *fix = xasprintf("run 'apt update' and 'apt upgrade'; while %s stays as it is, its maintainers have not followed yet", u->package);

		found(fs, ADVICE, id, fix, "%s in the image is of source %s %s, and this release has %s by now: fixes may be missing", what,
		      u->source, u->version, newest);
		free(fix);
	} else if (newest) {
		found(fs, FINE, id, NULL, "%s in the image is of this release's newest source (%s %s)", what, u->source, u->version);
	}
	free(have);
	free(apt);
}

void outdated_check(struct findings *fs, const struct manifest *m)
{
	for (size_t i = 0; i < m->n_use; i++) {
		const struct manifest_use *u = &m->use[i];

		if (!strcmp(u->source, "qemu")) {
			compare(fs, u, "QEMU", "qemu-source", "qemu-system-xen");
		} else if (!strncmp(u->source, "linux", 5) &&
			   !strcmp(u->package, "xen-stubdom-kernel")) {
			/* "6.12.107-1" is of linux-source-6.12 */
			size_t major = strcspn(u->version, ".");
			size_t len = u->version[major] ? major + 1 +
				strspn(u->version + major + 1, "0123456789") : major;
			char *package = xasprintf("linux-source-%.*s", (int)len,
						  u->version);

			compare(fs, u, "the kernel", "kernel-source", package);
			free(package);
		}
	}
}
