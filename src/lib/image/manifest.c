// SPDX-License-Identifier: GPL-2.0-or-later
#include "manifest.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/array.h"

#define MAGIC "xen-stubdom-manifest 1"
#define LINE_MAX_LEN 4096

bool xen_version_valid(const char *v)
{
	size_t major = strspn(v, "0123456789");
	size_t minor;

	if (!major || major > 3 || v[major] != '.')
		return false;
	minor = strspn(v + major + 1, "0123456789");
	return minor && minor <= 3 && !v[major + 1 + minor];
}

static bool is_hex(const char *s)
{
	return strspn(s, "0123456789abcdef") == SHA256_HEX_LEN;
}

static bool printable(const char *s)
{
	for (; *s; s++)
		if (!isprint((unsigned char)*s))
			return false;
	return true;
}

static int set_text(char **dst, const char *value)
{
	if (*dst || !*value || strlen(value) > 256 || !printable(value))
		return -EINVAL;
	*dst = strdup(value);
	return *dst ? 0 : -ENOMEM;
}

static int set_number(uint64_t *dst, const char *value, uint64_t max)
{
	char *end;

	/* strtoull() would take spaces and a sign. */
	if (!isdigit((unsigned char)*value))
		return -EINVAL;
	errno = 0;
	*dst = strtoull(value, &end, 10);
	return errno || *end || *dst > max ? -EINVAL : 0;
}

static int set_hex(char *dst, const char *value)
{
	if (*dst || !is_hex(value) || value[SHA256_HEX_LEN])
		return -EINVAL;
	memcpy(dst, value, SHA256_HEX_LEN);
	return 0;
}

/* @array with one more element, all zero, as its last; NULL: out of memory. */
static void *add(void *array, size_t *n, size_t size)
{
	char *grown = array_grow(array, *n, size);

	if (grown)
		memset(grown + (*n)++ * size, 0, size);
	return grown;
}

static int parse_input(struct manifest *m, const char *v)
{
	struct manifest_input *in;

	if (!is_hex(v) || v[SHA256_HEX_LEN] != ' ' || v[SHA256_HEX_LEN + 1] != '/')
		return -EINVAL;
	if (m->n_input == MANIFEST_INPUTS_MAX)
		return -EINVAL;
	in = add(m->input, &m->n_input, sizeof(*in));
	if (!in)
		return -ENOMEM;
	m->input = in;
	in += m->n_input - 1;
	memcpy(in->sha, v, SHA256_HEX_LEN);
	in->path = strdup(v + SHA256_HEX_LEN + 1);
	return in->path ? 0 : -ENOMEM;
}

static int parse_output(struct manifest *m, const char *v)
{
	struct manifest_output *out;

	if (!strncmp(v, "kernel ", 7))
		out = &m->kernel;
	else if (!strncmp(v, "rootfs ", 7))
		out = &m->rootfs;
	else
		return 0;
	v += 7;
	if (*out->sha || !is_hex(v) || v[SHA256_HEX_LEN] != ' ')
		return -EINVAL;
	memcpy(out->sha, v, SHA256_HEX_LEN);
	return set_number(&out->size, v + SHA256_HEX_LEN + 1, FILE_MAX_BYTES);
}

/* Exactly @n words; each to free(). */
static int split(const char *v, char **word, size_t n)
{
	size_t got = 0;
	int ret = 0;

	while (!ret && *v) {
		size_t len = strcspn(v, " ");

		if (got == n || !len || len > 256) {
			ret = -EINVAL;
			break;
		}
		word[got] = strndup(v, len);
		if (!word[got++])
			ret = -ENOMEM;
		v += len + (v[len] == ' ');
	}
	if (!ret && got < n)
		ret = -EINVAL;
	while (ret && got)
		free(word[--got]);
	return ret;
}

static int parse_package(struct manifest *m, const char *v)
{
	struct manifest_package *p;
	char *w[5];
	int ret;

	if (m->n_package == MANIFEST_INPUTS_MAX || !printable(v))
		return -EINVAL;
	p = add(m->package, &m->n_package, sizeof(*p));
	if (!p)
		return -ENOMEM;
	m->package = p;
	ret = split(v, w, 5);
	if (!ret)
		p[m->n_package - 1] = (struct manifest_package){ w[0], w[1], w[2], w[3], w[4] };
	return ret;
}

static int parse_use(struct manifest *m, const char *v)
{
	struct manifest_use *u;
	char *w[3];
	int ret;

	if (m->n_use == MANIFEST_INPUTS_MAX || !printable(v))
		return -EINVAL;
	u = add(m->use, &m->n_use, sizeof(*u));
	if (!u)
		return -ENOMEM;
	m->use = u;
	ret = split(v, w, 3);
	if (!ret)
		u[m->n_use - 1] = (struct manifest_use){ w[0], w[1], w[2] };
	return ret;
}

/* The input stands above it. */
static int parse_owner(struct manifest *m, const char *v)
{
	const char *path = strchr(v, ' ');

	if (!path || path == v || !printable(v))
		return -EINVAL;
	for (size_t i = 0; i < m->n_input; i++) {
		if (strcmp(m->input[i].path, path + 1))
			continue;
		if (m->input[i].owner)
			return -EINVAL;
		m->input[i].owner = strndup(v, (size_t)(path - v));
		return m->input[i].owner ? 0 : -ENOMEM;
	}
	return -EINVAL;
}

static int parse_line(struct manifest *m, const char *key, const char *v)
{
	uint64_t n;
	int ret = 0;

	if (!strcmp(key, "xen"))
		return xen_version_valid(v) ? set_text(&m->xen, v) : -EINVAL;
	if (!strcmp(key, "qemu"))
		return set_text(&m->qemu, v);
	if (!strcmp(key, "kernel-version"))
		return set_text(&m->kernel_version, v);
	if (!strcmp(key, "generator"))
		return set_text(&m->generator, v);
	if (!strcmp(key, "key"))
		return set_hex(m->key, v);
	if (!strcmp(key, "input"))
		return parse_input(m, v);
	if (!strcmp(key, "output"))
		return parse_output(m, v);
	if (!strcmp(key, "package"))
		return parse_package(m, v);
	if (!strcmp(key, "owner"))
		return parse_owner(m, v);
	if (!strcmp(key, "built-using"))
		return parse_use(m, v);
	if (!strcmp(key, "memory-min")) {
		ret = set_number(&n, v, 1u << 20);
		m->memory_min = ret ? 0 : (unsigned int)n;
	} else if (!strcmp(key, "debug")) {
		ret = set_number(&n, v, 1);
		m->debug = !ret && n;
	}
	return ret;
}

static bool complete(const struct manifest *m)
{
	return m->xen && m->qemu && m->kernel_version && m->generator &&
	       *m->key && *m->kernel.sha && *m->rootfs.sha;
}

int manifest_parse(struct manifest *m, const char *text, unsigned int *line)
{
	char buf[LINE_MAX_LEN];
	unsigned int n = 0;
	int ret = 0;

	memset(m, 0, sizeof(*m));
	for (const char *p = text, *end; !ret && *p; p = *end ? end + 1 : end) {
		size_t len;
		char *sp;

		n++;
		end = strchrnul(p, '\n');
		len = (size_t)(end - p);
		if (len >= sizeof(buf)) {
			ret = -EINVAL;
			break;
		}
		memcpy(buf, p, len);
		buf[len] = '\0';
		if (n == 1) {
			ret = strcmp(buf, MAGIC) ? -EPROTO : 0;
			continue;
		}
		sp = strchr(buf, ' ');
		if (!sp) {
			ret = -EINVAL;
			break;
		}
		*sp = '\0';
		ret = parse_line(m, buf, sp + 1);
	}
	if (!n)
		ret = -EPROTO;
	if (line)
		*line = ret ? n : 0;
	return ret ? ret : complete(m) ? 0 : -EINVAL;
}

char *manifest_format(const struct manifest *m)
{
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);

	if (!f)
		return NULL;
	fprintf(f, MAGIC "\nxen %s\nkey %s\nqemu %s\nkernel-version %s\n"
		"memory-min %u\ngenerator %s\ndebug %d\n",
		m->xen, m->key, m->qemu, m->kernel_version, m->memory_min,
		m->generator, m->debug);
	for (size_t i = 0; i < m->n_input; i++)
		fprintf(f, "input %s %s\n", m->input[i].sha, m->input[i].path);
	fprintf(f, "output kernel %s %llu\noutput rootfs %s %llu\n",
		m->kernel.sha, (unsigned long long)m->kernel.size,
		m->rootfs.sha, (unsigned long long)m->rootfs.size);
	for (size_t i = 0; i < m->n_package; i++)
		fprintf(f, "package %s %s %s %s %s\n", m->package[i].name,
			m->package[i].version, m->package[i].arch,
			m->package[i].source, m->package[i].source_version);
	for (size_t i = 0; i < m->n_input; i++)
		if (m->input[i].owner)
			fprintf(f, "owner %s %s\n", m->input[i].owner,
				m->input[i].path);
	for (size_t i = 0; i < m->n_use; i++)
		fprintf(f, "built-using %s %s %s\n", m->use[i].package,
			m->use[i].source, m->use[i].version);
	if (fclose(f)) {
		free(text);
		return NULL;
	}
	return text;
}

void manifest_free(struct manifest *m)
{
	free(m->xen);
	free(m->qemu);
	free(m->kernel_version);
	free(m->generator);
	for (size_t i = 0; i < m->n_input; i++) {
		free(m->input[i].path);
		free(m->input[i].owner);
	}
	free(m->input);
	for (size_t i = 0; i < m->n_package; i++) {
		free(m->package[i].name);
		free(m->package[i].version);
		free(m->package[i].arch);
		free(m->package[i].source);
		free(m->package[i].source_version);
	}
	free(m->package);
	for (size_t i = 0; i < m->n_use; i++) {
		free(m->use[i].package);
		free(m->use[i].source);
		free(m->use[i].version);
	}
	free(m->use);
	memset(m, 0, sizeof(*m));
}
