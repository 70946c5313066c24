/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a program or library needs at run time, read from its ELF headers.
 *
 * Not ldd(1): that trusts /etc/ld.so.cache, which is stale in the middle of an
 * upgrade (dpkg runs our trigger before libc's), follows the host's
 * /etc/ld.so.conf to places the ramdisk's loader never looks at, and runs code
 * of the file it is asked about.
 */
#ifndef XE_ELFDYN_H
#define XE_ELFDYN_H

#include <stddef.h>
#include <stdint.h>

#define ELF_NEEDED_MAX 256

/* Pointers go into the buffer that was read; each is a terminated string. */
struct elf_dyn {
	uint16_t machine;	/* EM_X86_64, ... */
	const char *interp;	/* NULL: a library, or static */
	unsigned int count;
	const char *needed[ELF_NEEDED_MAX];
};

/*
 * libelf reads it.  -ENOEXEC when it is not a 64-bit little-endian ELF file, -EINVAL when its
 * headers point outside of it, -E2BIG above ELF_NEEDED_MAX libraries.
 */
int elf_dyn_parse(const void *buf, size_t len, struct elf_dyn *out);

#endif
