// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The bill of materials of an image: SPDX 2.3 as JSON.
 *
 * Everything is a "package" there, files as those of purpose FILE: an SPDX
 * "file" has to have a SHA-1, which nothing here computes.
 */
#include "sbom.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "cli.h"

#define NONE "NOASSERTION"
#define IMAGE_ID "SPDXRef-Image"

static void put(json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

/* Letters, digits, "." and "-" are what an identifier may have. */
static char *id_of(const char *kind, const char *name)
{
	char *id = xasprintf("SPDXRef-%s-%s", kind, name);

	for (char *p = id; *p; p++)
		if (!isalnum((unsigned char)*p) && *p != '.')
			*p = '-';
	return id;
}

static json_object *new_package(json_object *list, const char *id, const char *name,
				const char *version, const char *purpose)
{
	json_object *o = json_object_new_object();

	put(o, "SPDXID", id);
	put(o, "name", name);
	if (version)
		put(o, "versionInfo", version);
	put(o, "downloadLocation", NONE);
	json_object_object_add(o, "filesAnalyzed", json_object_new_boolean(0));
	put(o, "licenseConcluded", NONE);
	put(o, "copyrightText", NONE);
	if (purpose)
		put(o, "primaryPackagePurpose", purpose);
	json_object_array_add(list, o);
	return o;
}

static void add_sha(json_object *o, const char *sha)
{
	json_object *list = json_object_new_array(), *c = json_object_new_object();

	put(c, "algorithm", "SHA256");
	put(c, "checksumValue", sha);
	json_object_array_add(list, c);
	json_object_object_add(o, "checksums", list);
}

/* pkg:deb/debian/NAME@VERSION?arch=ARCH, as vulnerability scanners look it up */
static void add_purl(json_object *o, const char *distro, const char *name,
		     const char *version, const char *arch)
{
	json_object *list = json_object_new_array(), *ref = json_object_new_object();
	char *url, enc[600];
	size_t n = 0;

	for (const char *p = version; *p && n < sizeof(enc) - 4; p++)
		n += (size_t)(isalnum((unsigned char)*p) || strchr(".-~_", *p)
			? snprintf(enc + n, 2, "%c", *p)
			: snprintf(enc + n, 4, "%%%02X", (unsigned char)*p));
	enc[n] = '\0';
	url = xasprintf("pkg:deb/%s/%s@%s?arch=%s", distro, name, enc, arch);
	put(ref, "referenceCategory", "PACKAGE-MANAGER");
	put(ref, "referenceType", "purl");
	put(ref, "referenceLocator", url);
	json_object_array_add(list, ref);
	json_object_object_add(o, "externalRefs", list);
	free(url);
}

static void relate(json_object *list, const char *a, const char *type, const char *b)
{
	json_object *o = json_object_new_object();

	put(o, "spdxElementId", a);
	put(o, "relationshipType", type);
	put(o, "relatedSpdxElement", b);
	json_object_array_add(list, o);
}

/* Licences that SPDX has no name for have to be told in the document itself. */
static void note_own_names(json_object *list, const char *expression)
{
	for (const char *p = expression; (p = strstr(p, "LicenseRef-"));) {
		size_t len = strcspn(p, " ()");
		char *id = strndup(p, len), *text;
		json_object *o;
		bool have = false;

		p += len;
		for (size_t i = 0; i < json_object_array_length(list); i++) {
			json_object *e = json_object_array_get_idx(list, i);

			have |= !strcmp(id, json_object_get_string(
				json_object_object_get(e, "licenseId")));
		}
		if (!have) {
			o = json_object_new_object();
			text = xasprintf("The licence that Debian's copyright files call \"%s\"; its text is in /usr/share/doc/PACKAGE/copyright.", id + 11);
			put(o, "licenseId", id);
			put(o, "name", id + 11);
			put(o, "extractedText", text);
			json_object_array_add(list, o);
			free(text);
		}
		free(id);
	}
}

static void add_debs(const struct manifest *m, const char *distro, json_object *packages,
		     json_object *own, char *(*license)(const struct manifest_package *))
{
	for (size_t i = 0; i < m->n_package; i++) {
		const struct manifest_package *p = &m->package[i];
		char *id = id_of("Package", p->name), *lic = license(p), *info;
		json_object *o = new_package(packages, id, p->name, p->version, "LIBRARY");

		put(o, "licenseDeclared", lic ? lic : NONE);
		if (lic) {
			note_own_names(own, lic);
			put(o, "licenseComments", "of \"Files: *\" in the package's copyright file, which may name more for some files");
		}
		info = xasprintf("built from source package %s %s", p->source,
				 p->source_version);
		put(o, "sourceInfo", info);
		add_purl(o, distro, p->name, p->version, p->arch);
		free(info);
		free(lic);
		free(id);
	}
}

static void add_sources(const struct manifest *m, const char *distro,
			json_object *packages, json_object *rel)
{
	for (size_t i = 0; i < m->n_use; i++) {
		const struct manifest_use *u = &m->use[i];
		char *name = xasprintf("%s-%s", u->source, u->version);
		char *id = id_of("Source", name), *deb = id_of("Package", u->package);
		bool first = true;

		for (size_t k = 0; k < i; k++)
			first &= strcmp(m->use[k].source, u->source) ||
				 strcmp(m->use[k].version, u->version);
		if (first) {
			json_object *o = new_package(packages, id, u->source, u->version,
						     "SOURCE");

			put(o, "licenseDeclared", NONE);
			add_purl(o, distro, u->source, u->version, "source");
		}
		relate(rel, deb, "GENERATED_FROM", id);
		free(name);
		free(deb);
		free(id);
	}
}

static void add_inputs(const struct manifest *m, json_object *packages, json_object *rel)
{
	for (size_t i = 0; i < m->n_input; i++) {
		const struct manifest_input *in = &m->input[i];
		char *id = id_of("File", in->path + strspn(in->path, "/"));
		json_object *o = new_package(packages, id, in->path, NULL, "FILE");

		put(o, "packageFileName", in->path);
		put(o, "licenseDeclared", NONE);
		add_sha(o, in->sha);
		/* The kernel is a copy of its input, the ramdisk is made of the rest. */
		if (!strcmp(in->sha, m->kernel.sha))
			relate(rel, "SPDXRef-kernel", "COPY_OF", id);
		else
			relate(rel, "SPDXRef-rootfs", "CONTAINS", id);
		if (in->owner) {
			char *deb = id_of("Package", in->owner);

			relate(rel, deb, "CONTAINS", id);
			free(deb);
		}
		free(id);
	}
}

static void add_image(const struct manifest *m, json_object *packages, json_object *rel)
{
	char *name = xasprintf("xen-stubdom-image-%s", m->xen);
	json_object *o = new_package(packages, IMAGE_ID, name, m->key, "OPERATING-SYSTEM");

	put(o, "summary", "Linux device model stubdomain for Xen");
	put(o, "licenseDeclared", NONE);
	relate(rel, "SPDXRef-DOCUMENT", "DESCRIBES", IMAGE_ID);
	o = new_package(packages, "SPDXRef-kernel", "kernel", m->kernel_version, "FILE");
	put(o, "packageFileName", "kernel");
	put(o, "licenseDeclared", "GPL-2.0-only");
	add_sha(o, m->kernel.sha);
	o = new_package(packages, "SPDXRef-rootfs", "rootfs", m->key, "FILE");
	put(o, "packageFileName", "rootfs");
	put(o, "licenseDeclared", NONE);
	add_sha(o, m->rootfs.sha);
	relate(rel, IMAGE_ID, "CONTAINS", "SPDXRef-kernel");
	relate(rel, IMAGE_ID, "CONTAINS", "SPDXRef-rootfs");
	free(name);
}

static json_object *creation(time_t created)
{
	json_object *o = json_object_new_object(), *by = json_object_new_array();
	struct tm tm;
	char when[32];

	gmtime_r(&created, &tm);
	strftime(when, sizeof(when), "%Y-%m-%dT%H:%M:%SZ", &tm);
	put(o, "created", when);
	json_object_array_add(by, json_object_new_string("Tool: xen-stubdom-" XE_VERSION));
	json_object_object_add(o, "creators", by);
	return o;
}

json_object *sbom_make(const struct manifest *m, time_t created, const char *distro,
		       char *(*license)(const struct manifest_package *p))
{
	json_object *top = json_object_new_object(), *packages = json_object_new_array();
	json_object *rel = json_object_new_array(), *own = json_object_new_array();
	char *name = xasprintf("xen-stubdom-image-%s-%.12s", m->xen, m->key);
	/* One document, one name: a UUID made of the digest (RFC 9562, version 8). */
	const char *h = m->rootfs.sha;
	char *ns = xasprintf("urn:uuid:%.8s-%.4s-8%.3s-a%.3s-%.12s", h, h + 8, h + 12,
			     h + 15, m->key);

	put(top, "spdxVersion", "SPDX-2.3");
	put(top, "dataLicense", "CC0-1.0");
	put(top, "SPDXID", "SPDXRef-DOCUMENT");
	put(top, "name", name);
	put(top, "documentNamespace", ns);
	json_object_object_add(top, "creationInfo", creation(created));
	add_image(m, packages, rel);
	add_debs(m, distro, packages, own, license);
	add_sources(m, distro, packages, rel);
	add_inputs(m, packages, rel);
	json_object_object_add(top, "packages", packages);
	json_object_object_add(top, "relationships", rel);
	if (json_object_array_length(own))
		json_object_object_add(top, "hasExtractedLicensingInfos", own);
	else
		json_object_put(own);
	free(name);
	free(ns);
	return top;
}
