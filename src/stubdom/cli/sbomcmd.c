// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-stubdom sbom */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "args.h"
#include "cli.h"
#include "cli/options.h"
#include "image/store.h"
#include "image/verify.h"
#include "license.h"
#include "sbom.h"
#include "xendirs.h"

static const char usage[] =
"usage: xen-stubdom sbom [--xen V | DIRECTORY]\n"
"Print what an image is made of, as an SPDX 2.3 document (JSON).\n"
"\n"
"  --xen V      the image of this Xen version (default: of the Xen that runs, or\n"
"               the only one there is)\n"
"  DIRECTORY    of an image made with 'build --output'\n";

#define COPYRIGHT_MAX (4u << 20)

static char *license(const struct manifest_package *p)
{
	char *path = host_path("/usr/share/doc/%s/copyright", p->name), *text = NULL;
	char *expr = NULL;

	if (!host_slurp(path, COPYRIGHT_MAX, &text, NULL))
		expr = license_of_copyright(text);
	free(text);
	free(path);
	return expr;
}

/* ID= of os-release, "debian" */
static char *distro(void)
{
	char *path = host_path("/etc/os-release"), *text = NULL, *id = NULL, *p;

	if (!host_slurp(path, 64 << 10, &text, NULL)) {
		p = strncmp(text, "ID=", 3) ? strstr(text, "\nID=") : text - 1;
		if (p)
			id = strndup(p + 4, strspn(p + 4, "abcdefghijklmnopqrstuvwxyz0123456789"));
	}
	free(text);
	free(path);
	return id && *id ? id : xstrdup("debian");
}

/* When it was built; what builds packages says when that is to be. */
static time_t created(const char *manifest)
{
	const char *epoch = getenv("SOURCE_DATE_EPOCH");
	struct stat st;

	if (epoch && *epoch && !epoch[strspn(epoch, "0123456789")])
		return (time_t)strtoll(epoch, NULL, 10);
	return stat(manifest, &st) ? 0 : st.st_mtime;
}

static int print(const char *path)
{
	char *id = distro();
	struct manifest m;
	json_object *o;
	int ret = manifest_read(path, &m, NULL);

	if (ret) {
		log_err(NULL, "%s: %s", path, ret == -ENOENT ? "is missing"
			: "no manifest of an image, or a damaged one");
	} else {
		o = sbom_make(&m, created(path), id, license);
		puts(json_object_to_json_string_ext(o, JSON_C_TO_STRING_PRETTY |
						    JSON_C_TO_STRING_NOSLASHESCAPE));
		json_object_put(o);
		if (fflush(stdout) || ferror(stdout))
			ret = -EIO;
	}
	manifest_free(&m);
	free(id);
	return ret;
}

/* The version whose image is meant; to free(). */
static char *choose(const char *xen)
{
	char *running = xen ? NULL : xen_running(), **v, *found = NULL;
	size_t n;

	if (xen)
		return xstrdup(xen);
	store_versions(&v, &n);
	for (size_t i = 0; i < n; i++) {
		if (n == 1 || (running && !strcmp(running, v[i])))
			found = xstrdup(v[i]);
		free(v[i]);
	}
	free(v);
	free(running);
	if (!found)
		log_err(NULL, n ? "there are images for more than one Xen: choose with --xen" : "no image: run 'xen-stubdom register'");
	return found;
}

int cmd_sbom(int argc, char **argv)
{
	const char *xen = NULL;
	const struct opt options[] = { { "xen", 0, NULL, &xen }, { NULL, 0, NULL, NULL } };
	const struct opts o = { usage, options, 0, 1, false };
	char *path, *place, *version, **dir;
	int ret = opts_parse(&o, argc, argv, &dir);

	if (!ret)
		ret = args_xen_valid(xen);
	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	if (xen && *dir) {
		log_err(NULL, "--xen and a directory exclude each other");
		return EXIT_USAGE;
	}
	if (*dir) {
		path = xasprintf("%s/manifest", *dir);
	} else {
		version = choose(xen);
		if (!version)
			return EXIT_FAILURE;
		place = store_place(version);
		path = host_path("%s/manifest", place);
		free(place);
		free(version);
	}
	ret = print(path);
	free(path);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
