// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/cli/sbom.c src/stubdom/cli/license.c src/stubdom/cli/origin.c src/stubdom/cli/outdated.c src/lib/cli/process.c src/lib/image/manifest.c src/lib/cli/findings.c src/lib/cli/host.c src/lib/base/file.c src/lib/base/log.c */
/* test-pkgs: json-c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stubdom/cli/cli.h"
#include "cli/process.h"
#include "stubdom/cli/outdated.h"
#include "stubdom/cli/license.h"
#include "stubdom/cli/origin.h"
#include "stubdom/cli/sbom.h"

#define SHA_K "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_L "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define SHA_R "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

/* All but where the inputs are from. */
#define PLAIN "xen-stubdom-manifest 1\n" \
	"xen 4.20\n" \
	"key " SHA_R "\n" \
	"qemu 10.0.13\n" \
	"kernel-version 6.12.107\n" \
	"memory-min 112\n" \
	"generator 0.1.0 program:x module:y zstd:1.5.4\n" \
	"debug 0\n" \
	"input " SHA_K " /usr/lib/xen-extras/stubdom/vmlinuz\n" \
	"input " SHA_L " /usr/lib/x86_64-linux-gnu/libz.so.1\n" \
	"output kernel " SHA_K " 2118656\n" \
	"output rootfs " SHA_R " 4223552\n"
#define ORIGIN \
	"package xen-stubdom-kernel 0.1.0-1 amd64 xen-extras 0.1.0-1\n" \
	"package zlib1g 1:1.3+b1 amd64 zlib 1:1.3\n" \
	"owner xen-stubdom-kernel /usr/lib/xen-extras/stubdom/vmlinuz\n" \
	"owner zlib1g /usr/lib/x86_64-linux-gnu/libz.so.1\n" \
	"built-using xen-stubdom-kernel linux 6.12.107-1\n"

/* Programs of the host, as the test wants them. */
static char dir[64];

static int setup(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/test-cli-XXXXXX");
	return mkdtemp(dir) && !setenv("PATH", dir, 1) ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin", 1);
	return host_rmtree(dir);
}

static void program(const char *name, const char *script)
{
	char *path = xasprintf("%s/%s", dir, name);
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fprintf(f, "#!/bin/sh\n%s\n", script);
	fclose(f);
	chmod(path, 0755);
	free(path);
}

static void read_manifest(struct manifest *m, const char *text)
{
	assert_int_equal(manifest_parse(m, text, NULL), 0);
}

static void commands(void **state)
{
	static const char *const says[] = { "says", "a b", NULL };
	static const char *const nobody[] = { "nobody", NULL };
	char *out = (char *)1;

	(void)state;
	program("says", "echo \"[$1] $LC_ALL\"; echo error >&2; exit 3");
	assert_int_equal(command_run(says, 100, &out), 3);
	assert_string_equal(out, "[a b] C\n");
	free(out);
	assert_int_equal(command_run(says, 0, NULL), 3);
	assert_int_equal(command_run(says, 5, &out), -EFBIG);
	assert_null(out);
	assert_int_equal(command_run(nobody, 100, &out), -ENOENT);
	assert_null(out);
	program("says", "kill -9 $$");
	assert_int_equal(command_run(says, 100, &out), -ECHILD);
	assert_null(out);
}

/* Origin */

static void manifest_of_packages(void **state)
{
	static const char *const wrong[] = {
		"package zlib1g 1 amd64 zlib\n",
		"package zlib1g 1 amd64 zlib 1 more\n",
		"package zlib1g  1 amd64 zlib\n",
		"package zlib1g 1 amd64 zlib 1\x1b\n",
		"owner zlib1g /usr/lib/not-an-input\n",
		"owner zlib1g\n",
		"owner a /usr/lib/x86_64-linux-gnu/libz.so.1\nowner b /usr/lib/x86_64-linux-gnu/libz.so.1\n",
		"built-using a b\n",
	};
	struct manifest m;
	char *text;

	(void)state;
	read_manifest(&m, PLAIN ORIGIN);
	assert_int_equal(m.n_package, 2);
	assert_string_equal(m.package[1].source_version, "1:1.3");
	assert_string_equal(m.input[1].owner, "zlib1g");
	assert_string_equal(m.use[0].version, "6.12.107-1");
	text = manifest_format(&m);
	assert_string_equal(text, PLAIN ORIGIN);
	free(text);
	manifest_free(&m);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		text = xasprintf(PLAIN "%s", wrong[i]);
		assert_int_equal(manifest_parse(&m, text, NULL), -EINVAL);
		manifest_free(&m);
		free(text);
	}
}

static void origin(void **state)
{
	struct manifest m, again;
	char *text;

	(void)state;
	/* dpkg's database is not of one mind about /usr; one of two architectures. */
	program("dpkg-query", "case $* in\n"
		"*--search*) echo 'diversion by x from: /usr/lib/x86_64-linux-gnu/libz.so.1'\n"
		"  echo 'zlib1g:amd64: /lib/x86_64-linux-gnu/libz.so.1'\n"
		"  echo 'xen-stubdom-kernel, other: /usr/lib/xen-extras/stubdom/vmlinuz'; exit 1 ;;\n"
		"*--show*xen-stubdom-kernel*) printf 'zlib1g 1:1.3 i386 zlib 1:1.3\\t, \\n'\n"
		"  printf 'zlib1g 1:1.3+b1 amd64 zlib 1:1.3\\t, \\n'\n"
		"  printf 'xen-stubdom-kernel 0.1.0-1 amd64 xen-extras 0.1.0-1\\tlinux (= 6.12.107-1), linux (= 6.12.107-1)\\n' ;;\n"
		"esac");
	read_manifest(&m, PLAIN);
	origin_find(&m);
	text = manifest_format(&m);
	assert_string_equal(text, PLAIN ORIGIN);
	free(text);
	read_manifest(&again, PLAIN ORIGIN);
	assert_true(origin_same(&m, &again));
	again.package[1].version[0] = '2';
	assert_false(origin_same(&m, &again));
	manifest_free(&again);
	manifest_free(&m);

	/* No dpkg, no origin; that is no error. */
	program("dpkg-query", "exit 127");
	read_manifest(&m, PLAIN);
	origin_find(&m);
	assert_int_equal(m.n_package, 0);
	assert_null(m.input[0].owner);
	manifest_free(&m);
}

static void built_using_field(void **state)
{
	static const char field[] = "linux (= 6.12.107-1), qemu (= 1:10.0.13+ds-0+deb13u1)";
	char *v = built_using(field, "qemu");

	(void)state;
	assert_string_equal(v, "1:10.0.13+ds-0+deb13u1");
	free(v);
	v = built_using(field, "linux");
	assert_string_equal(v, "6.12.107-1");
	free(v);
	assert_null(built_using(field, "lin"));
	assert_null(built_using("", "qemu"));
	assert_null(built_using("qemu", "qemu"));
}

/* Licences */

static void licenses(void **state)
{
	static const struct {
		const char *dep5, *spdx;
	} t[] = {
		{ "GPL-2+", "GPL-2.0-or-later" },
		{ "GPL-2", "GPL-2.0-only" },
		{ "LGPL-2.1+", "LGPL-2.1-or-later" },
		{ "lgpl-2.0+", "LGPL-2.0-or-later" },
		{ "GPL-9", "LicenseRef-GPL-9" },
		{ "Expat", "MIT" },
		{ "BSD-3-clause", "BSD-3-Clause" },
		{ "public-domain", "LicenseRef-public-domain" },
		{ "GPL-2+ or Artistic", "(GPL-2.0-or-later OR Artistic-1.0-Perl)" },
		{ "Expat and Zlib or ISC", "((MIT AND Zlib) OR ISC)" },
		{ "GPL-2 or Expat, and BSD-3-clause", "((GPL-2.0-only OR MIT) AND BSD-3-Clause)" },
		{ "GPL-3+ with GCC-3.1 exception", "GPL-3.0-or-later WITH GCC-exception-3.1" },
		{ "GPL-2 with OpenSSL exception", "LicenseRef-GPL-2-with-OpenSSL-exception" },
		{ "a/b (c)", "LicenseRef-a-b--c-" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		char *s = license_expression(t[i].dep5);

		assert_string_equal(s, t[i].spdx);
		free(s);
	}
	assert_null(license_expression(""));
	assert_null(license_expression(" , "));
}

static void copyright(void **state)
{
	char *s;

	(void)state;
	s = license_of_copyright("Format: https://www.example.org/1.0/\n\nFiles: debian/*\n"
				 "License: ISC\n\nFiles: *\nCopyright: x\nLicense: Zlib\n text\n");
	assert_string_equal(s, "Zlib");
	free(s);
	/* The paragraph ends at the empty line. */
	assert_null(license_of_copyright("Format: x\n\nFiles: *\nCopyright: x\n\nLicense: ISC\n"));
	assert_null(license_of_copyright("This package was made by somebody.\nLicense: ISC\n"));
	assert_null(license_of_copyright(""));
}

/* SBOM */

static char *license_stub(const struct manifest_package *p)
{
	return strcmp(p->name, "zlib1g") ? NULL : license_expression("Zlib or mine");
}

static const char *text_at(json_object *o, const char *key)
{
	return json_object_get_string(json_object_object_get(o, key));
}

static json_object *package_called(json_object *doc, const char *name)
{
	json_object *list = json_object_object_get(doc, "packages");

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *p = json_object_array_get_idx(list, i);

		if (!strcmp(text_at(p, "name"), name))
			return p;
	}
	fail_msg("no package %s", name);
	return NULL;
}

static bool related(json_object *doc, const char *a, const char *type, const char *b)
{
	json_object *list = json_object_object_get(doc, "relationships");

	for (size_t i = 0; i < json_object_array_length(list); i++) {
		json_object *r = json_object_array_get_idx(list, i);

		if (!strcmp(text_at(r, "spdxElementId"), a) &&
		    !strcmp(text_at(r, "relationshipType"), type) &&
		    !strcmp(text_at(r, "relatedSpdxElement"), b))
			return true;
	}
	return false;
}

static void document(void **state)
{
	json_object *doc, *again, *p, *own;
	struct manifest m;

	(void)state;
	read_manifest(&m, PLAIN ORIGIN);
	doc = sbom_make(&m, 86400, "debian", license_stub);
	assert_string_equal(text_at(doc, "spdxVersion"), "SPDX-2.3");
	assert_string_equal(text_at(json_object_object_get(doc, "creationInfo"), "created"),
			    "1970-01-02T00:00:00Z");
	assert_string_equal(text_at(doc, "documentNamespace"),
			    "urn:uuid:01234567-89ab-8cde-af01-0123456789ab");
	p = package_called(doc, "zlib1g");
	assert_string_equal(text_at(p, "versionInfo"), "1:1.3+b1");
	assert_string_equal(text_at(p, "licenseDeclared"), "(Zlib OR LicenseRef-mine)");
	p = json_object_array_get_idx(json_object_object_get(p, "externalRefs"), 0);
	assert_string_equal(text_at(p, "referenceLocator"),
			    "pkg:deb/debian/zlib1g@1%3A1.3%2Bb1?arch=amd64");
	own = json_object_object_get(doc, "hasExtractedLicensingInfos");
	assert_int_equal(json_object_array_length(own), 1);
	assert_string_equal(text_at(json_object_array_get_idx(own, 0), "licenseId"),
			    "LicenseRef-mine");
	p = package_called(doc, "xen-stubdom-kernel");
	assert_string_equal(text_at(p, "licenseDeclared"), "NOASSERTION");
	p = package_called(doc, "/usr/lib/x86_64-linux-gnu/libz.so.1");
	p = json_object_array_get_idx(json_object_object_get(p, "checksums"), 0);
	assert_string_equal(text_at(p, "checksumValue"), SHA_L);
	assert_true(related(doc, "SPDXRef-DOCUMENT", "DESCRIBES", "SPDXRef-Image"));
	assert_true(related(doc, "SPDXRef-Image", "CONTAINS", "SPDXRef-rootfs"));
	assert_true(related(doc, "SPDXRef-rootfs", "CONTAINS",
			    "SPDXRef-File-usr-lib-x86-64-linux-gnu-libz.so.1"));
	/* The kernel is none of the ramdisk's files. */
	assert_true(related(doc, "SPDXRef-kernel", "COPY_OF",
			    "SPDXRef-File-usr-lib-xen-extras-stubdom-vmlinuz"));
	assert_false(related(doc, "SPDXRef-rootfs", "CONTAINS",
			     "SPDXRef-File-usr-lib-xen-extras-stubdom-vmlinuz"));
	assert_true(related(doc, "SPDXRef-Package-xen-stubdom-kernel", "GENERATED_FROM",
			    "SPDXRef-Source-linux-6.12.107-1"));
	again = sbom_make(&m, 86400, "debian", license_stub);
	assert_string_equal(json_object_to_json_string(doc), json_object_to_json_string(again));
	json_object_put(doc);
	json_object_put(again);
	manifest_free(&m);

	/* Of a developer's image nothing is known; the document is none the worse. */
	read_manifest(&m, PLAIN);
	doc = sbom_make(&m, 0, "debian", license_stub);
	assert_int_equal(json_object_array_length(json_object_object_get(doc, "packages")), 5);
	assert_null(json_object_object_get(doc, "hasExtractedLicensingInfos"));
	json_object_put(doc);
	manifest_free(&m);
}

/* Freshness */

static void candidates(void **state)
{
	char *v = apt_candidate("qemu-system-xen:\n  Installed: (none)\n  Candidate: 1:10.0.13+ds-0+deb13u1+b2\n"
				"  Version table:\n");

	(void)state;
	assert_string_equal(v, "1:10.0.13+ds-0+deb13u1");
	free(v);
	v = apt_candidate("x:\n  Candidate: 6.12.107+b\n");
	assert_string_equal(v, "6.12.107+b");
	free(v);
	assert_null(apt_candidate("x:\n  Installed: 1\n  Candidate: (none)\n"));
	assert_null(apt_candidate("N: Unable to locate package\n"));
	assert_null(apt_candidate(""));
}

/* What is said about @id, or NULL. */
static const struct finding *said(struct findings *fs, const char *id)
{
	for (size_t i = 0; i < fs->n; i++)
		if (!strcmp(fs->f[i].id, id))
			return &fs->f[i];
	return NULL;
}

static void fresh(const char *installed, const char *candidate, struct findings *fs)
{
	struct manifest m;
	char *script;

	script = xasprintf("case $* in *qemu-system-xen*) echo '%s' ;; *) exit 1 ;; esac", installed);
	program("dpkg-query", script);
	free(script);
	script = xasprintf("case $* in *'policy qemu-system-xen') printf 'q:\\n  Candidate: %s\\n' ;; "
			   "*'policy linux-source-6.12') printf 'l:\\n  Candidate: 6.12.9-1\\n' ;; esac", candidate);
	program("apt-cache", script);
	free(script);
	/* As dpkg compares, for the numbers used here. */
	program("dpkg", "[ \"$1 $3\" = '--compare-versions lt' ] && [ \"$2\" != \"$4\" ] && "
		"[ \"$(printf '%s\\n%s\\n' \"$2\" \"$4\" | /usr/bin/sort -V | /usr/bin/head -n 1)\" = \"$2\" ]");
	read_manifest(&m, PLAIN "built-using qemu-xen-extras qemu 1:10.0.13\n"
		      "built-using xen-stubdom-kernel linux 6.12.8-1\n");
	outdated_check(fs, &m);
	manifest_free(&m);
}

static void freshness(void **state)
{
	struct findings fs = { 0 };
	const struct finding *f;

	(void)state;
	fresh("installed 1:10.0.13", "1:10.0.13", &fs);
	assert_int_equal(said(&fs, "qemu-source")->level, FINE);
	f = said(&fs, "kernel-source");
	assert_int_equal(f->level, ADVICE);
	assert_non_null(strstr(f->text, "of source linux 6.12.8-1, and this release has 6.12.9-1"));
	assert_non_null(f->fix);
	findings_free(&fs);
	/* apt's lists are older than what is installed, or newer */
	fresh("installed 1:10.0.14", "1:10.0.13", &fs);
	f = said(&fs, "qemu-source");
	assert_int_equal(f->level, ADVICE);
	assert_non_null(strstr(f->text, "1:10.0.14"));
	findings_free(&fs);
	fresh("installed 1:10.0.13", "1:10.0.15", &fs);
	assert_int_equal(said(&fs, "qemu-source")->level, ADVICE);
	findings_free(&fs);
	/* removed, its configuration is left */
	fresh("config-files 1:10.0.14", "(none)", &fs);
	assert_null(said(&fs, "qemu-source"));
	findings_free(&fs);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(commands),
		T(manifest_of_packages),
		T(origin),
		T(built_using_field),
		T(licenses),
		T(copyright),
		T(document),
		T(candidates),
		T(freshness),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
