// SPDX-License-Identifier: GPL-2.0-or-later
#include "origin.h"

#include <stdlib.h>
#include <string.h>

#include "cli.h"
#include "cli/process.h"

#define ANSWER_MAX (1u << 20)
#define FORMAT "${Package} ${Version} ${Architecture} ${source:Package} " \
	       "${source:Version}\\t${Built-Using}, ${Static-Built-Using}\\n"

static struct manifest_input *input_of(struct manifest *m, const char *path)
{
	/* Debian 12's dpkg knows /lib/..., where /usr/lib/... is meant. */
	for (size_t i = 0; i < m->n_input; i++)
		if (!strcmp(m->input[i].path, path) ||
		    (!strncmp(m->input[i].path, "/usr/", 5) &&
		     !strcmp(m->input[i].path + 4, path)))
			return &m->input[i];
	return NULL;
}

/* "libc6:amd64" without the architecture: it stands in a field of its own. */
static char *bare_name(const char *name)
{
	return strndup(name, strcspn(name, ":"));
}

void origin_parse_owners(struct manifest *m, const char *text)
{
	char *copy = xstrdup(text), *save;

	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		char *path = strstr(l, ": /");
		struct manifest_input *in;

		if (!path || !strncmp(l, "diversion by ", 13))
			continue;
		*path = '\0';
		in = input_of(m, path + 2);
		/* The first one, when packages share a file. */
		l[strcspn(l, ",")] = '\0';
		if (in && !in->owner && !strchr(l, ' '))
			in->owner = bare_name(l);
	}
	free(copy);
}

char *built_using(const char *field, const char *name)
{
	size_t len = strlen(name);

	for (const char *p = field; *p;) {
		p += strspn(p, ", ");
		if (!strncmp(p, name, len) && !strncmp(p + len, " (= ", 4)) {
			p += len + 4;
			return strndup(p, strcspn(p, " )"));
		}
		p += strcspn(p, ",");
	}
	return NULL;
}

static void add_uses(struct manifest *m, const char *name, char *field)
{
	char *save;

	for (char *w = strtok_r(field, ",", &save); w; w = strtok_r(NULL, ",", &save)) {
		struct manifest_use *u;
		char source[128], version[128];
		bool twice = false;

		if (sscanf(w, " %127[^ \t(] (= %127[^ \t)])", source, version) != 2)
			continue;
		for (size_t i = 0; i < m->n_use; i++)
			twice |= !strcmp(m->use[i].package, name) &&
				 !strcmp(m->use[i].source, source);
		if (twice)
			continue;
		m->use = xgrow(m->use, m->n_use, sizeof(*u));
		u = &m->use[m->n_use++];
		u->package = xstrdup(name);
		u->source = xstrdup(source);
		u->version = xstrdup(version);
	}
}

static int by_package(const void *a, const void *b)
{
	return strcmp(((const struct manifest_package *)a)->name,
		      ((const struct manifest_package *)b)->name);
}

static int by_use(const void *a, const void *b)
{
	const struct manifest_use *x = a, *y = b;
	int ret = strcmp(x->package, y->package);

	return ret ? ret : strcmp(x->source, y->source);
}

/* A library may be installed for more than one architecture. */
static bool foreign(const struct manifest *m, const char *name, const char *arch)
{
	if (strcmp(arch, "amd64") && strcmp(arch, "all"))
		return true;
	for (size_t i = 0; i < m->n_package; i++)
		if (!strcmp(m->package[i].name, name))
			return true;
	return false;
}

void origin_parse_packages(struct manifest *m, const char *text)
{
	char *copy = xstrdup(text), *save;

	for (char *l = strtok_r(copy, "\n", &save); l; l = strtok_r(NULL, "\n", &save)) {
		struct manifest_package *p;
		char name[128], version[128], arch[32], source[128], sversion[128];
		char *uses = strchr(l, '\t');

		if (uses)
			*uses++ = '\0';
		if (sscanf(l, "%127s %127s %31s %127s %127s", name, version, arch,
			   source, sversion) != 5 || foreign(m, name, arch))
			continue;
		m->package = xgrow(m->package, m->n_package, sizeof(*p));
		p = &m->package[m->n_package++];
		*p = (struct manifest_package){ xstrdup(name), xstrdup(version),
			xstrdup(arch), xstrdup(source), xstrdup(sversion) };
		if (uses)
			add_uses(m, name, uses);
	}
	if (m->n_package)
		qsort(m->package, m->n_package, sizeof(*m->package), by_package);
	if (m->n_use)
		qsort(m->use, m->n_use, sizeof(*m->use), by_use);
	free(copy);
}

static char *admindir(void)
{
	return xasprintf("--admindir=%s/var/lib/dpkg", host_root());
}

static void find_owners(struct manifest *m)
{
	const char **argv = xcalloc(m->n_input * 2 + 5, sizeof(*argv));
	char *dir = admindir(), *text;
	size_t n = 0;

	argv[n++] = "dpkg-query";
	argv[n++] = dir;
	argv[n++] = "--search";
	argv[n++] = "--";
	for (size_t i = 0; i < m->n_input; i++) {
		/* To dpkg that would be a pattern. */
		if (strpbrk(m->input[i].path, "*?[\\"))
			continue;
		argv[n++] = m->input[i].path;
		if (!strncmp(m->input[i].path, "/usr/", 5))
			argv[n++] = m->input[i].path + 4;
	}
	/* 1: it knows some of them only */
	if (command_run(argv, ANSWER_MAX, &text) >= 0 && text)
		origin_parse_owners(m, text);
	free(text);
	free(dir);
	free(argv);
}

static void find_packages(struct manifest *m)
{
	const char **argv = xcalloc(m->n_input + 6, sizeof(*argv));
	char *dir = admindir(), *text;
	size_t n = 0, first;

	argv[n++] = "dpkg-query";
	argv[n++] = dir;
	argv[n++] = "--show";
	argv[n++] = "--showformat=" FORMAT;
	first = n;
	for (size_t i = 0; i < m->n_input; i++) {
		bool twice = !m->input[i].owner;

		for (size_t k = first; !twice && k < n; k++)
			twice = !strcmp(argv[k], m->input[i].owner);
		if (!twice)
			argv[n++] = m->input[i].owner;
	}
	if (n > first && command_run(argv, ANSWER_MAX, &text) >= 0) {
		if (text)
			origin_parse_packages(m, text);
		free(text);
	}
	free(dir);
	free(argv);
}

void origin_find(struct manifest *m)
{
	find_owners(m);
	find_packages(m);
}

static bool same(const char *a, const char *b)
{
	return !a || !b ? a == b : !strcmp(a, b);
}

bool origin_same(const struct manifest *a, const struct manifest *b)
{
	if (a->n_input != b->n_input || a->n_package != b->n_package ||
	    a->n_use != b->n_use)
		return false;
	for (size_t i = 0; i < a->n_input; i++)
		if (!same(a->input[i].owner, b->input[i].owner))
			return false;
	for (size_t i = 0; i < a->n_package; i++)
		if (!same(a->package[i].name, b->package[i].name) ||
		    !same(a->package[i].version, b->package[i].version))
			return false;
	for (size_t i = 0; i < a->n_use; i++)
		if (!same(a->use[i].source, b->use[i].source) ||
		    !same(a->use[i].version, b->use[i].version))
			return false;
	return true;
}
