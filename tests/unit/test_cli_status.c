// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/cli/guests.c src/stubdom/cli/logtext.c src/stubdom/cli/elfdyn.c src/lib/cli/host.c src/lib/xen/stubdomain.c src/lib/xen/xs_util.c src/lib/base/file.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/xen/domain.c */
/* test-pkgs: libelf */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fake_xenstore.h"
#include "stubdom/cli/cli.h"
#include "stubdom/cli/elfdyn.h"
#include "stubdom/cli/guests.h"
#include "stubdom/cli/logtext.h"

static void add_guest(unsigned int guest, unsigned int stub, const char *name)
{
	fake_xs_setf(name, "/local/domain/%u/name", guest);
	fake_xs_setf("qemu_xen", "/libxl/%u/dm-version", guest);
	fake_xs_setf("", "/local/domain/%u/data", stub);
	{
		char n[16];

		snprintf(n, sizeof(n), "%u", guest);
		fake_xs_setf(n, "/local/domain/%u/target", stub);
		snprintf(n, sizeof(n), "%u", stub);
		fake_xs_setf(n, "/local/domain/%u/image/device-model-domid", guest);
	}
}

static int setup(void **state)
{
	(void)state;
	fake_xs_reset();
	fake_xs_set("/local/domain/0/name", "Domain-0");
	fake_xs_set("/local/domain/3/name", "pv");
	add_guest(12, 13, "web2");
	add_guest(7, 9, "web1");
	return 0;
}

static void all_guests(void **state)
{
	struct guest *g;
	size_t n;

	(void)state;
	fake_xs_set("/local/domain/9/data/xen-stubdom/qemu", "10.0.13");
	fake_xs_set("/local/domain/9/data/xen-stubdom/stage", "running");
	fake_xs_set("/local/domain/9/data/xen-stubdom/mem-total", "120000");
	fake_xs_set("/local/domain/9/data/xen-stubdom/mem-available", "64000");
	fake_xs_set("/local/domain/9/device-model/7/state", "running");
	assert_int_equal(guests_read(xs_open(0), NULL, &g, &n), 0);
	assert_int_equal(n, 2);
	assert_string_equal(g[0].id.name, "web1");
	assert_int_equal(g[0].id.guest, 7);
	assert_int_equal(g[0].id.stub, 9);
	assert_string_equal(g[0].qemu, "10.0.13");
	assert_string_equal(g[0].stage, "running");
	assert_string_equal(g[0].state, "running");
	assert_int_equal(g[0].mem_total, 120000);
	assert_int_equal(g[0].mem_available, 64000);
	assert_string_equal(g[1].id.name, "web2");
	assert_string_equal(g[1].stage, "");
	assert_int_equal(g[1].mem_total, 0);
	free(g);
}

static void one_guest(void **state)
{
	struct guest *g;
	size_t n;

	(void)state;
	assert_int_equal(guests_read(xs_open(0), "web2", &g, &n), 0);
	assert_int_equal(n, 1);
	assert_int_equal(g->id.guest, 12);
	free(g);
	assert_int_equal(guests_read(xs_open(0), "7", &g, &n), 0);
	assert_string_equal(g->id.name, "web1");
	free(g);
	assert_int_equal(guests_read(xs_open(0), "pv", &g, &n), -ENOENT);
	free(g);
	assert_int_equal(guests_read(xs_open(0), "9", &g, &n), -ENOENT);
	free(g);
}

/* The stubdomain writes what it likes below its data node. */
static void hostile_text(void **state)
{
	char *big = xcalloc(1, 4097);
	struct guest *g;
	size_t n;

	(void)state;
	memset(big, 'A', 4096);
	fake_xs_set("/local/domain/9/data/xen-stubdom/error", "\x1b]0;owned\x07\nline\t2\xff");
	fake_xs_set("/local/domain/9/data/xen-stubdom/version", big);
	fake_xs_set_raw("/local/domain/9/data/xen-stubdom/qemu", "a\0b", 3);
	fake_xs_set("/local/domain/9/data/xen-stubdom/mem-total", "18446744073709551616");
	fake_xs_set("/local/domain/9/data/xen-stubdom/mem-available", "-5");
	assert_int_equal(guests_read(xs_open(0), "web1", &g, &n), 0);
	for (const char *p = g->error; *p; p++)
		assert_true(*p >= 0x20 && *p < 0x7f);
	assert_non_null(strstr(g->error, "owned"));
	assert_int_equal(strlen(g->version), GUEST_TEXT_MAX - 1);
	assert_string_equal(g->qemu, "");
	assert_int_equal(g->mem_total, 0);
	assert_int_equal(g->mem_available, 0);
	free(g);
	free(big);
}

/* A domain cannot make itself the stubdomain of another guest. */
static void false_stubdomain(void **state)
{
	struct guest *g;
	size_t n;

	(void)state;
	fake_xs_set("/local/domain/3/target", "7");
	assert_int_equal(guests_read(xs_open(0), NULL, &g, &n), 0);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < n; i++)
		assert_int_not_equal(g[i].id.stub, 3);
	free(g);
}

static void console_text(void **state)
{
	static const char raw[] = "a\r\n\x1b[2Jb\tc\x9b\x00\n";
	struct logtext t = { 0 };
	char out[4096], line[1500];
	size_t n;

	(void)state;
	n = logtext_clean(&t, raw, sizeof(raw) - 1, out);
	out[n] = '\0';
	assert_string_equal(out, "a\n?[2Jb\tc?\n");
	memset(line, 'x', sizeof(line));
	n = logtext_clean(&t, line, sizeof(line), out);
	assert_int_equal(n, 1501);
	assert_int_equal(out[LOGTEXT_LINE_MAX], '\n');
	/* the line goes on in the next piece */
	n = logtext_clean(&t, line, 600, out);
	assert_int_equal(out[500], '\n');
}

struct tiny {
	Elf64_Ehdr eh;
	Elf64_Phdr ph[3];
	Elf64_Dyn dyn[8];
	char str[64];
};

#define BASE 0x1000

static void tiny_elf(struct tiny *e)
{
	static const char str[] = "\0libc.so.6\0libz.so.1\0me.so\0/lib/ld.so";

	memset(e, 0, sizeof(*e));
	memcpy(e->eh.e_ident, ELFMAG, SELFMAG);
	e->eh.e_ident[EI_CLASS] = ELFCLASS64;
	e->eh.e_ident[EI_DATA] = ELFDATA2LSB;
	e->eh.e_ident[EI_VERSION] = e->eh.e_version = EV_CURRENT;
	e->eh.e_machine = EM_X86_64;
	e->eh.e_phoff = offsetof(struct tiny, ph);
	e->eh.e_phnum = 3;
	e->eh.e_phentsize = sizeof(Elf64_Phdr);
	memcpy(e->str, str, sizeof(str));
	e->ph[0] = (Elf64_Phdr){ .p_type = PT_LOAD, .p_vaddr = BASE,
				 .p_filesz = sizeof(*e) };
	e->ph[1] = (Elf64_Phdr){ .p_type = PT_INTERP, .p_filesz = 11,
				 .p_offset = offsetof(struct tiny, str) + 27 };
	e->ph[2] = (Elf64_Phdr){ .p_type = PT_DYNAMIC,
				 .p_offset = offsetof(struct tiny, dyn),
				 .p_filesz = sizeof(e->dyn) };
	e->dyn[0] = (Elf64_Dyn){ DT_NEEDED, { 1 } };
	e->dyn[1] = (Elf64_Dyn){ DT_NEEDED, { 11 } };
	e->dyn[2] = (Elf64_Dyn){ DT_SONAME, { 21 } };
	e->dyn[3] = (Elf64_Dyn){ DT_STRTAB, { BASE + offsetof(struct tiny, str) } };
	e->dyn[4] = (Elf64_Dyn){ DT_STRSZ, { 40 } };
}

static int parse(const struct tiny *e, struct elf_dyn *d)
{
	return elf_dyn_parse(e, sizeof(*e), d);
}

static void elf_good(void **state)
{
	struct elf_dyn d;
	struct tiny e;

	(void)state;
	tiny_elf(&e);
	assert_int_equal(parse(&e, &d), 0);
	assert_int_equal(d.machine, EM_X86_64);
	assert_int_equal(d.count, 2);
	assert_string_equal(d.needed[0], "libc.so.6");
	assert_string_equal(d.needed[1], "libz.so.1");
	assert_string_equal(d.interp, "/lib/ld.so");
}

static void elf_bad(void **state)
{
	struct elf_dyn d;
	struct tiny e;

	(void)state;
	assert_int_equal(elf_dyn_parse("#!/bin/sh\n", 10, &d), -ENOEXEC);
	tiny_elf(&e);
	e.eh.e_ident[EI_CLASS] = ELFCLASS32;
	assert_int_equal(parse(&e, &d), -ENOEXEC);
	tiny_elf(&e);
	e.eh.e_phoff = UINT64_MAX - 8;
	assert_int_equal(parse(&e, &d), -EINVAL);
	tiny_elf(&e);
	e.eh.e_phnum = 0xffff;
	assert_int_equal(parse(&e, &d), -EINVAL);
	tiny_elf(&e);
	e.ph[2].p_offset = UINT64_MAX - 4;
	assert_int_equal(parse(&e, &d), -EINVAL);
	tiny_elf(&e);
	e.dyn[0].d_un.d_val = 40;		/* at the end of the table */
	assert_int_equal(parse(&e, &d), -EINVAL);
	tiny_elf(&e);
	e.dyn[4].d_un.d_val = 1 << 20;		/* table behind the end */
	assert_int_equal(parse(&e, &d), -EINVAL);
	tiny_elf(&e);
	e.ph[1].p_filesz = 5;			/* no end in it */
	assert_int_equal(parse(&e, &d), -EINVAL);
	tiny_elf(&e);
	e.ph[0].p_type = PT_NOTE;		/* nothing is loaded */
	assert_int_equal(parse(&e, &d), -EINVAL);
}

/* A real one: this test. */
static void elf_self(void **state)
{
	struct elf_dyn d;
	bool libc = false;
	char *buf;
	size_t len;

	(void)state;
	assert_int_equal(host_slurp("/proc/self/exe", 64 << 20, &buf, &len), 0);
	assert_int_equal(elf_dyn_parse(buf, len, &d), 0);
	assert_non_null(strstr(d.interp, "/ld-"));
	for (unsigned int i = 0; i < d.count; i++)
		libc |= !strcmp(d.needed[i], "libc.so.6");
	assert_true(libc);
	free(buf);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup(f, setup)
	const struct CMUnitTest tests[] = {
		T(all_guests),
		T(one_guest),
		T(hostile_text),
		T(false_stubdomain),
		cmocka_unit_test(console_text),
		cmocka_unit_test(elf_good),
		cmocka_unit_test(elf_bad),
		cmocka_unit_test(elf_self),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
