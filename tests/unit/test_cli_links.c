// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/cli/links.c src/stubdom/cli/xendirs.c src/lib/xen/version.c src/lib/image/store.c src/lib/image/verify.c src/lib/image/manifest.c src/lib/cli/host.c src/lib/cli/interrupt.c src/lib/base/file.c src/lib/base/error.c src/lib/base/log.c src/lib/base/sha256.c */
/* test-pkgs: libcrypto */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/sha256.h"
#include "stubdom/cli/cli.h"
#include "stubdom/cli/links.h"
#include "image/store.h"
#include "stubdom/cli/xendirs.h"

#define BOOT "/usr/lib/xen-4.20/boot"
#define KERNEL BOOT "/" STUBDOM_LINK_KERNEL
#define ROOTFS BOOT "/" STUBDOM_LINK_ROOTFS

static char last[1024];		/* what was logged last */
static char root[64];

static void sink(int level, const struct log_about *about, const char *line)
{
	(void)level;
	(void)about;
	snprintf(last, sizeof(last), "%s", line);
}

static int setup(void **state)
{
	(void)state;
	log_open("test", sink, LOG_DEBUG);
	strcpy(root, "/tmp/test-cli-XXXXXX");
	last[0] = '\0';
	return mkdtemp(root) ? host_set_root(root) : -1;
}

static int teardown(void **state)
{
	(void)state;
	return host_rmtree(root);
}

static void make(const char *path, const char *text)
{
	char *host = host_path("%s", path), *dir = xstrdup(host);
	FILE *f;

	*strrchr(dir, '/') = '\0';
	assert_int_equal(host_mkdirs(dir), 0);
	f = fopen(host, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	free(dir);
	free(host);
}

static void make_link(const char *path, const char *target)
{
	char *host = host_path("%s", path), *dir = xstrdup(host);

	*strrchr(dir, '/') = '\0';
	assert_int_equal(host_mkdirs(dir), 0);
	assert_int_equal(symlink(target, host), 0);
	free(dir);
	free(host);
}

/* Where a link points, "file", or NULL. */
static const char *at(const char *path)
{
	static char target[4096];
	char *host = host_path("%s", path);
	ssize_t n = readlink(host, target, sizeof(target) - 1);
	struct stat st;
	const char *ret = NULL;

	if (n > 0) {
		target[n] = '\0';
		ret = target;
	} else if (!lstat(host, &st)) {
		ret = "file";
	}
	free(host);
	return ret;
}

static bool is_there(const char *path)
{
	return at(path) != NULL;
}

/* Xen directories */

static void xen_table(void **state)
{
	static const struct {
		const char *path, *version;
	} want[] = {
		{ "/usr/lib/xen-4.17/boot", "4.17" },
		{ "/usr/lib/xen-4.20/boot", "4.20" },
		{ "/usr/libexec/xen/boot", "4.21" },
		{ "/usr/local/lib/xen/boot", "4.19" },
	};
	struct xen_dir *d;
	size_t n;

	(void)state;
	make("/usr/lib/xen-4.20/boot/hvmloader", "");
	make("/usr/lib/xen-4.17/boot/hvmloader", "");
	make("/usr/lib/xen-4.18/boot/xen-shim", "");	/* no hvmloader */
	make("/usr/lib/xen-common/boot/hvmloader", "");	/* no version */
	/* Fedora: one Xen, its version by libxenctrl; /usr/lib/xen leads there */
	make("/usr/libexec/xen/boot/hvmloader", "");
	make_link("/usr/lib/xen", "../libexec/xen");
	make("/usr/lib64/libxenctrl.so.4.21.0", "");
	make_link("/usr/lib64/libxenctrl.so.4.21", "libxenctrl.so.4.21.0");
	make("/usr/lib64/libxenctrl.so.4.9", "");	/* older, by number */
	make("/usr/local/lib/xen/boot/hvmloader", "");
	make("/usr/local/lib/libxenctrl.so.4.19.0", "");
	assert_int_equal(xendirs_find(&d, &n), 0);
	assert_int_equal(n, 4);
	for (size_t i = 0; i < n; i++) {
		assert_string_equal(d[i].path, want[i].path);
		assert_string_equal(d[i].version, want[i].version);
	}
	xendirs_free(d, n);
}

static void xen_of_no_version(void **state)
{
	struct xen_dir *d;
	size_t n;

	(void)state;
	make("/usr/libexec/xen/boot/hvmloader", "");
	assert_int_equal(xendirs_find(&d, &n), 0);
	assert_int_equal(n, 0);
	assert_non_null(strstr(last, "unknown Xen version"));
	xendirs_free(d, n);
}

static void xen_match(void **state)
{
	char *v = xendirs_match("/usr/lib/xen-*/boot", "/usr/lib/xen-4.20/boot");

	(void)state;
	assert_string_equal(v, "4.20");
	free(v);
	assert_null(xendirs_match("/usr/lib/xen-*/boot", "/usr/lib/xen-/boot"));
	assert_null(xendirs_match("/usr/lib/xen-*/boot", "/usr/lib/xen-4.20/bin"));
	assert_null(xendirs_match("/usr/lib/xen-*/boot", "/usr/lib/xen-4.20.1/boot"));
	assert_null(xendirs_match("/usr/lib/xen-*/boot", "/usr/lib/xen-x/../4.20/boot"));
	assert_null(xendirs_match("/usr/lib/xen/boot", "/usr/lib/xen/boot"));
}

static void xen_that_runs(void **state)
{
	char *v;

	(void)state;
	assert_null(xen_running());
	make("/sys/hypervisor/type", "xen\n");
	make("/sys/hypervisor/version/major", "4\n");
	make("/sys/hypervisor/version/minor", "20\n");
	v = xen_running();
	assert_string_equal(v, "4.20");
	free(v);
}

/* Links */

static int make_links(const char *xen)
{
	struct error *err = NULL;
	struct links l;
	int ret;

	assert_int_equal(links_load(&l, NULL), 0);
	ret = links_make(&l, BOOT, xen, &err);
	error_log(LOG_ERR, err);
	error_free(&err);
	assert_int_equal(links_save(&l, NULL), 0);
	links_free(&l);
	return ret;
}

static void links_made_and_removed(void **state)
{
	struct links l;

	(void)state;
	make(BOOT "/hvmloader", "");
	make(STUBDOM_STATE_DIR "/4.20/current/kernel", "");
	assert_int_equal(make_links("4.20"), 0);
	assert_string_equal(at(KERNEL), STUBDOM_STATE_DIR "/4.20/current/kernel");
	assert_string_equal(at(ROOTFS), STUBDOM_STATE_DIR "/4.20/current/rootfs");
	/* again: nothing to do, nothing lost */
	assert_int_equal(make_links("4.20"), 0);
	assert_int_equal(links_load(&l, NULL), 0);
	assert_int_equal(l.n, 2);
	assert_int_equal(links_remove(&l, "4.17", NULL), 0);
	assert_true(is_there(KERNEL));
	assert_int_equal(links_remove(&l, "4.20", NULL), 0);
	assert_int_equal(links_save(&l, NULL), 0);
	links_free(&l);
	assert_false(is_there(KERNEL));
	assert_false(is_there(ROOTFS));
	assert_false(is_there(STUBDOM_STATE_DIR "/links"));
	assert_true(is_there(BOOT "/hvmloader"));
}

static void links_follow_the_version(void **state)
{
	(void)state;
	make(BOOT "/hvmloader", "");
	make(STUBDOM_STATE_DIR "/x", "");
	assert_int_equal(make_links("4.19"), 0);
	/* ours, so it may be changed */
	assert_int_equal(make_links("4.20"), 0);
	assert_string_equal(at(KERNEL), STUBDOM_STATE_DIR "/4.20/current/kernel");
}

static void links_of_a_package(void **state)
{
	struct links l;

	(void)state;
	make(STUBDOM_STATE_DIR "/x", "");
	make_link(KERNEL, STUBDOM_STATE_DIR "/4.20/current/kernel");
	make_link(ROOTFS, STUBDOM_STATE_DIR "/4.20/current/rootfs");
	assert_int_equal(make_links("4.20"), 0);
	assert_false(is_there(STUBDOM_STATE_DIR "/links"));
	assert_int_equal(links_load(&l, NULL), 0);
	assert_int_equal(links_remove(&l, NULL, NULL), 0);
	links_free(&l);
	assert_true(is_there(KERNEL));
}

static void links_of_others(void **state)
{
	(void)state;
	make(STUBDOM_STATE_DIR "/x", "");
	make(KERNEL, "mine");
	make_link(ROOTFS, "/srv/my-rootfs");
	assert_int_equal(make_links("4.20"), -EEXIST);
	assert_non_null(strstr(last, "a link to /srv/my-rootfs"));
	assert_string_equal(at(KERNEL), "file");
	assert_string_equal(at(ROOTFS), "/srv/my-rootfs");
	assert_false(is_there(STUBDOM_STATE_DIR "/links"));
}

static void links_replaced_by_others(void **state)
{
	struct links l;
	char *host;

	(void)state;
	make(BOOT "/hvmloader", "");
	make(STUBDOM_STATE_DIR "/x", "");
	assert_int_equal(make_links("4.20"), 0);
	host = host_path(KERNEL);
	unlink(host);
	free(host);
	make(KERNEL, "mine now");
	assert_int_equal(make_links("4.20"), -EEXIST);
	assert_int_equal(links_load(&l, NULL), 0);
	assert_int_equal(links_remove(&l, NULL, NULL), 0);
	assert_int_equal(links_save(&l, NULL), 0);
	links_free(&l);
	assert_string_equal(at(KERNEL), "file");
	assert_false(is_there(ROOTFS));
}

static void links_of_a_xen_that_is_gone(void **state)
{
	const char *dirs[] = { "/usr/lib/xen-4.21/boot" };
	struct links l;

	(void)state;
	make(STUBDOM_STATE_DIR "/x", "");
	make(BOOT "/hvmloader", "");
	assert_int_equal(make_links("4.20"), 0);
	{
		char *f = host_path(BOOT "/hvmloader");

		unlink(f);
		free(f);
	}
	assert_int_equal(links_load(&l, NULL), 0);
	assert_int_equal(links_prune(&l, dirs, 1, NULL), 0);
	assert_int_equal(links_save(&l, NULL), 0);
	links_free(&l);
	assert_false(is_there("/usr/lib/xen-4.20"));
	assert_true(is_there("/usr/lib"));
}

static void links_record_is_not_trusted(void **state)
{
	struct links l;

	(void)state;
	make("/etc/passwd", "root");
	make_link("/srv/" STUBDOM_LINK_KERNEL, "/elsewhere");
	make(STUBDOM_STATE_DIR "/links",
	     "/etc/passwd\n\nrelative/" STUBDOM_LINK_KERNEL "\n"
	     "/a/../srv/" STUBDOM_LINK_KERNEL "\n/srv/" STUBDOM_LINK_KERNEL "\n");
	assert_int_equal(links_load(&l, NULL), 0);
	assert_int_equal(l.n, 1);
	assert_int_equal(links_remove(&l, NULL, NULL), 0);
	links_free(&l);
	assert_true(is_there("/etc/passwd"));
	assert_true(is_there("/srv/" STUBDOM_LINK_KERNEL));
}

/* Store */

#define KEY_1 "1111111111111111111111111111111111111111111111111111111111111111"
#define KEY_2 "2222222222222222222222222222222222222222222222222222222222222222"
#define KEY_3 "3333333333333333333333333333333333333333333333333333333333333333"
#define DIR_420 STUBDOM_STATE_DIR "/4.20"

static void commit(const char *key, const char *content)
{
	struct manifest m = {
		.xen = (char *)"4.20", .qemu = (char *)"1", .generator = (char *)"g",
		.kernel_version = (char *)"6",
	};
	char *tmp, *file;
	struct store s;

	assert_int_equal(store_open(&s, "4.20", NULL), 0);
	assert_int_equal(store_new(&s, &tmp, NULL), 0);
	for (int i = 0; i < 2; i++) {
		FILE *f;

		file = xasprintf("%s/%s", tmp, i ? "rootfs" : "kernel");
		f = fopen(file, "w");
		fputs(content, f);
		fclose(f);
		sha256_file(file, 100, i ? m.rootfs.sha : m.kernel.sha,
			    i ? &m.rootfs.size : &m.kernel.size);
		free(file);
	}
	memcpy(m.key, key, sizeof(m.key));
	assert_int_equal(store_write_manifest(tmp, &m, NULL), 0);
	assert_int_equal(store_commit(&s, tmp, key, NULL), 0);
	assert_int_not_equal(access(tmp, F_OK), 0);
	free(tmp);
	store_close(&s);
}

static void store_generations(void **state)
{
	struct manifest m;

	(void)state;
	assert_int_equal(store_manifest("4.20", &m, NULL), -ENOENT);
	commit(KEY_1, "one");
	assert_string_equal(at(DIR_420 "/current"), "gen-" KEY_1);
	assert_int_equal(store_manifest("4.20", &m, NULL), 0);
	assert_int_equal(store_verify("4.20", &m), 0);
	manifest_free(&m);
	commit(KEY_2, "two");
	assert_true(is_there(DIR_420 "/gen-" KEY_1));
	commit(KEY_3, "three");
	assert_string_equal(at(DIR_420 "/current"), "gen-" KEY_3);
	assert_true(is_there(DIR_420 "/gen-" KEY_2));
	assert_false(is_there(DIR_420 "/gen-" KEY_1));
	/* back to what it was: both are still known */
	commit(KEY_2, "two");
	assert_string_equal(at(DIR_420 "/current"), "gen-" KEY_2);
	assert_true(is_there(DIR_420 "/gen-" KEY_3));
}

static void store_same_key_again(void **state)
{
	struct manifest m;

	(void)state;
	commit(KEY_1, "one");
	commit(KEY_2, "two");
	make(DIR_420 "/gen-" KEY_2 "/rootfs", "damaged");
	assert_int_equal(store_manifest("4.20", &m, NULL), 0);
	assert_int_equal(store_verify("4.20", &m), -EBADMSG);
	manifest_free(&m);
	commit(KEY_2, "two");
	assert_int_equal(store_manifest("4.20", &m, NULL), 0);
	assert_int_equal(store_verify("4.20", &m), 0);
	manifest_free(&m);
	/* the one before it is what it was, not the damaged one */
	assert_true(is_there(DIR_420 "/gen-" KEY_1));
}

/* A package's image comes first, its link within /usr may be relative. */
static void store_prebuilt(void **state)
{
	struct manifest m;
	struct links l;
	char **v, *place;
	size_t n;

	(void)state;
	commit(KEY_1, "built here");
	make_link(KERNEL, "/var/lib/xen-stubdom/4.20/current/kernel");
	assert_false(store_is_prebuilt("4.20"));
	make(STUBDOM_PREBUILT_DIR "/4.20/kernel", "k");
	make(STUBDOM_PREBUILT_DIR "/4.20/rootfs", "r");
	make(STUBDOM_PREBUILT_DIR "/4.20/manifest", "no manifest");
	make(STUBDOM_PREBUILT_DIR "/4.21/manifest", "");
	assert_true(store_is_prebuilt("4.20"));
	place = store_place("4.20");
	assert_string_equal(place, STUBDOM_PREBUILT_DIR "/4.20");
	free(place);
	/* not that of the one that was built here */
	assert_int_not_equal(store_manifest("4.20", &m, NULL), 0);
	manifest_free(&m);
	assert_int_equal(store_versions(&v, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(v[0], "4.20");
	assert_string_equal(v[1], "4.21");
	free(v[0]);
	free(v[1]);
	free(v);
	make_link(ROOTFS, "../../xen-extras/prebuilt/4.20/rootfs");
	assert_int_equal(links_load(&l, NULL), 0);
	assert_int_equal(links_make(&l, BOOT, "4.20", NULL), -EEXIST);	/* KERNEL */
	assert_string_equal(at(ROOTFS), "../../xen-extras/prebuilt/4.20/rootfs");
	assert_int_equal(l.n, 0);
	assert_int_equal(links_make(&l, "/usr/local/lib/xen/boot", "4.20", NULL), -ENOENT);
	links_free(&l);
}

static void store_other_manifest(void **state)
{
	struct manifest m, again;
	struct store s;

	(void)state;
	commit(KEY_1, "built here");
	assert_int_equal(store_manifest("4.20", &m, NULL), 0);
	free(m.generator);
	m.generator = xstrdup("another");
	assert_int_equal(store_open(&s, "4.20", NULL), 0);
	assert_int_equal(store_replace_manifest(&s, &m, NULL), 0);
	store_close(&s);
	assert_int_equal(store_manifest("4.20", &again, NULL), 0);
	assert_string_equal(again.generator, "another");
	assert_int_equal(store_verify("4.20", &again), 0);
	manifest_free(&again);
	manifest_free(&m);
}

static void store_leaves_nothing(void **state)
{
	struct store s;

	(void)state;
	assert_int_equal(store_open(&s, "4.20", NULL), 0);
	assert_true(is_there(DIR_420));
	store_close(&s);
	assert_false(is_there(STUBDOM_STATE_DIR));
	/* what a killed build left goes with the next one */
	make(DIR_420 "/.new-abc/work/tmp/x", "");
	make_link(DIR_420 "/.new-current", "nowhere");
	assert_int_equal(store_open(&s, "4.20", NULL), 0);
	store_close(&s);
	assert_false(is_there(STUBDOM_STATE_DIR));
}

static void store_manifest_of_another(void **state)
{
	struct manifest m;
	char *v0, *a, *b;

	(void)state;
	commit(KEY_1, "one");
	a = host_path(DIR_420);
	b = host_path(STUBDOM_STATE_DIR "/4.17");
	assert_int_equal(rename(a, b), 0);
	free(a);
	free(b);
	assert_int_equal(store_manifest("4.17", &m, NULL), -EINVAL);
	manifest_free(&m);
	v0 = host_path(STUBDOM_STATE_DIR "/4.17/current/manifest");
	assert_int_equal(truncate(v0, 30), 0);
	free(v0);
	assert_int_equal(store_manifest("4.17", &m, NULL), -EINVAL);
	manifest_free(&m);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(xen_table),
		T(xen_of_no_version),
		T(xen_match),
		T(xen_that_runs),
		T(links_made_and_removed),
		T(links_follow_the_version),
		T(links_of_a_package),
		T(links_of_others),
		T(links_replaced_by_others),
		T(links_of_a_xen_that_is_gone),
		T(links_record_is_not_trusted),
		T(store_generations),
		T(store_same_key_again),
		T(store_prebuilt),
		T(store_other_manifest),
		T(store_leaves_nothing),
		T(store_manifest_of_another),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
