// SPDX-License-Identifier: GPL-2.0-or-later
#include "license.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli.h"

/*
 * Debian's short names (copyright-format 1.0, section 7) whose SPDX name is
 * another; a "+" at the end of the GNU ones is told apart below.
 */
static const struct {
	const char *dep5, *spdx;
} names[] = {
	{ "Apache-2.0", "Apache-2.0" },
	{ "Artistic", "Artistic-1.0-Perl" },
	{ "BSD-2-clause", "BSD-2-Clause" },
	{ "BSD-3-clause", "BSD-3-Clause" },
	{ "BSD-4-clause", "BSD-4-Clause" },
	{ "BSD-0-clause", "0BSD" },
	{ "0BSD", "0BSD" },
	{ "BSL-1.0", "BSL-1.0" },
	{ "CC0", "CC0-1.0" },
	{ "CC0-1.0", "CC0-1.0" },
	{ "Expat", "MIT" },
	{ "MIT", "MIT" },
	{ "ISC", "ISC" },
	{ "MPL-1.1", "MPL-1.1" },
	{ "MPL-2.0", "MPL-2.0" },
	{ "Zlib", "Zlib" },
	{ "Unicode", "Unicode-DFS-2016" },
};

static const char *const gnu[] = { "GPL", "LGPL", "AGPL", "GFDL", NULL };
static const char *const gnu_versions[] = { "1", "2", "2.1", "3", "1.1", "1.2", "1.3", NULL };

/* "LGPL-2.1+" -> "LGPL-2.1-or-later", "GPL-2" -> "GPL-2.0-only" */
static char *gnu_name(const char *s)
{
	size_t stem = strcspn(s, "-"), len;
	const char *const *g = gnu, *const *v = gnu_versions;
	bool later;

	while (*g && (strlen(*g) != stem || strncasecmp(*g, s, stem)))
		g++;
	if (!*g || s[stem] != '-')
		return NULL;
	s += stem + 1;
	len = strlen(s);
	later = len && s[len - 1] == '+';
	len -= later;
	if (len > 2 && !strncmp(s + len - 2, ".0", 2))
		len -= 2;
	while (*v && (strlen(*v) != len || strncmp(*v, s, len)))
		v++;
	if (!*v)
		return NULL;
	return xasprintf("%s-%s%s-%s", *g, *v, strchr(*v, '.') ? "" : ".0",
			 later ? "or-later" : "only");
}

/* SPDX allows letters, digits, "-" and "." in a name of one's own. */
static char *own_name(const char *s)
{
	char *ref = xasprintf("LicenseRef-%s", s);

	for (char *p = ref; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '.')
			*p = '-';
	return ref;
}

static char *one_name(const char *s)
{
	char *g;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!strcasecmp(names[i].dep5, s))
			return xstrdup(names[i].spdx);
	g = gnu_name(s);
	return g ? g : own_name(s);
}

/* "GPL-3+ with GCC-3.1 exception": the exceptions that SPDX knows. */
static char *one_license(char *s)
{
	static const struct {
		const char *dep5, *spdx;
	} exceptions[] = {
		{ "Autoconf exception", "Autoconf-exception-generic" },
		{ "Font exception", "Font-exception-2.0" },
		{ "GCC exception", "GCC-exception-3.1" },
		{ "GCC-3.1 exception", "GCC-exception-3.1" },
		{ "GCC-exception-3.1", "GCC-exception-3.1" },
	};
	char *with = strcasestr(s, " with "), *base, *whole;

	if (!with)
		return one_name(s);
	for (size_t i = 0; i < sizeof(exceptions) / sizeof(exceptions[0]); i++) {
		if (strcasecmp(with + 6, exceptions[i].dep5))
			continue;
		*with = '\0';
		base = one_name(s);
		whole = xasprintf("%s WITH %s", base, exceptions[i].spdx);
		free(base);
		return whole;
	}
	return own_name(s);
}

static char *trim(char *s)
{
	size_t len;

	s += strspn(s, " \t,");
	len = strlen(s);
	while (len && strchr(" \t,", s[len - 1]))
		s[--len] = '\0';
	return s;
}

/* Split at @word; NULL when it is not there.  The first one ends there. */
static char *split_at(char *s, const char *word)
{
	char *p = strcasestr(s, word);

	if (!p)
		return NULL;
	*p = '\0';
	return p + strlen(word);
}

/* Commas bind least: "GPL-2+ or Artistic, and BSD-3-clause". */
static char *joined(char *s, int level)
{
	static const struct {
		const char *word, *op;
	} by[] = { { ", and ", "AND" }, { ", or ", "OR" }, { " or ", "OR" }, { " and ", "AND" } };
	char *rest, *a, *b, *all;

	s = trim(s);
	if (level == 4)
		return one_license(s);
	rest = split_at(s, by[level].word);
	if (!rest)
		return joined(s, level + 1);
	a = joined(s, level + 1);
	b = joined(rest, level);
	/* Brackets always: right whatever binds tighter. */
	all = xasprintf("(%s %s %s)", a, by[level].op, b);
	free(a);
	free(b);
	return all;
}

char *license_expression(const char *dep5)
{
	char *copy = xstrdup(dep5), *s = trim(copy), *ret = NULL;

	if (*s && strlen(s) < 256)
		ret = joined(s, 0);
	free(copy);
	return ret;
}

static bool field_is(const char *line, const char *name, char *value, size_t max)
{
	size_t len = strlen(name), n;

	if (strncasecmp(line, name, len) || line[len] != ':')
		return false;
	line += len + 1;
	line += strspn(line, " \t");
	n = strcspn(line, "\r\n");
	snprintf(value, max, "%.*s", (int)(n < max ? n : max - 1), line);
	return true;
}

char *license_of_copyright(const char *text)
{
	bool ours = false;
	char value[300];

	/* The form is named in the first line. */
	if (strncasecmp(text, "Format:", 7))
		return NULL;
	for (const char *p = text; *p;) {
		const char *end = strchrnul(p, '\n');

		if (end == p)
			ours = false;
		else if (field_is(p, "Files", value, sizeof(value)))
			ours = !strcmp(trim(value), "*");
		else if (ours && field_is(p, "License", value, sizeof(value)))
			return license_expression(value);
		p = *end ? end + 1 : end;
	}
	return NULL;
}
