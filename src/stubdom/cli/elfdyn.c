// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfdyn.h"

#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

/* A program has about a dozen program headers; 65535 means "look elsewhere". */
#define PHDR_MAX 256

struct elf_file {
	const uint8_t *buf;
	size_t len;
	Elf64_Ehdr eh;
};

static bool inside(const struct elf_file *f, uint64_t off, uint64_t size)
{
	return off <= f->len && size <= f->len - off;
}

static bool read_phdr(const struct elf_file *f, unsigned int i, Elf64_Phdr *ph)
{
	uint64_t off = f->eh.e_phoff + (uint64_t)i * sizeof(*ph);

	if (off < f->eh.e_phoff || !inside(f, off, sizeof(*ph)))
		return false;
	memcpy(ph, f->buf + off, sizeof(*ph));
	return true;
}

static int read_ehdr(struct elf_file *f)
{
	if (f->len < sizeof(f->eh))
		return -ENOEXEC;
	memcpy(&f->eh, f->buf, sizeof(f->eh));
	if (memcmp(f->eh.e_ident, ELFMAG, SELFMAG) ||
	    f->eh.e_ident[EI_CLASS] != ELFCLASS64 ||
	    f->eh.e_ident[EI_DATA] != ELFDATA2LSB)
		return -ENOEXEC;
	if (f->eh.e_phnum > PHDR_MAX ||
	    (f->eh.e_phnum && f->eh.e_phentsize != sizeof(Elf64_Phdr)))
		return -EINVAL;
	return 0;
}

/* Where the @size bytes at address @vaddr lie in the file. */
static int to_offset(const struct elf_file *f, uint64_t vaddr, uint64_t size,
		     uint64_t *off)
{
	Elf64_Phdr ph;

	for (unsigned int i = 0; i < f->eh.e_phnum; i++) {
		if (!read_phdr(f, i, &ph))
			return -EINVAL;
		if (ph.p_type != PT_LOAD || vaddr < ph.p_vaddr ||
		    vaddr - ph.p_vaddr > ph.p_filesz ||
		    size > ph.p_filesz - (vaddr - ph.p_vaddr))
			continue;
		*off = ph.p_offset + (vaddr - ph.p_vaddr);
		return *off >= ph.p_offset && inside(f, *off, size) ? 0
								    : -EINVAL;
	}
	return -EINVAL;
}

static const char *string_at(const struct elf_file *f, uint64_t tab,
			     uint64_t size, uint64_t at)
{
	if (at >= size || !memchr(f->buf + tab + at, '\0', size - at))
		return NULL;
	return (const char *)f->buf + tab + at;
}

static int read_string_table(const struct elf_file *f, const Elf64_Phdr *ph,
			     uint64_t *tab, uint64_t *size)
{
	uint64_t vaddr = 0;
	Elf64_Dyn d;

	*size = 0;
	for (uint64_t o = 0; o + sizeof(d) <= ph->p_filesz; o += sizeof(d)) {
		memcpy(&d, f->buf + ph->p_offset + o, sizeof(d));
		if (d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_STRTAB)
			vaddr = d.d_un.d_ptr;
		if (d.d_tag == DT_STRSZ)
			*size = d.d_un.d_val;
	}
	return to_offset(f, vaddr, *size, tab);
}

static int add_needed(struct elf_dyn *out, const char *s)
{
	if (!s || !*s)
		return -EINVAL;
	if (out->count == ELF_NEEDED_MAX)
		return -E2BIG;
	out->needed[out->count++] = s;
	return 0;
}

static int read_dynamic(const struct elf_file *f, const Elf64_Phdr *ph,
			struct elf_dyn *out)
{
	uint64_t tab, size;
	Elf64_Dyn d;
	int ret;

	if (!inside(f, ph->p_offset, ph->p_filesz))
		return -EINVAL;
	ret = read_string_table(f, ph, &tab, &size);
	for (uint64_t o = 0; !ret && o + sizeof(d) <= ph->p_filesz;
	     o += sizeof(d)) {
		memcpy(&d, f->buf + ph->p_offset + o, sizeof(d));
		if (d.d_tag == DT_NULL)
			break;
		if (d.d_tag == DT_NEEDED)
			ret = add_needed(out, string_at(f, tab, size, d.d_un.d_val));
	}
	return ret;
}

int elf_dyn_parse(const void *buf, size_t len, struct elf_dyn *out)
{
	struct elf_file f = { .buf = buf, .len = len };
	Elf64_Phdr ph;
	int ret = read_ehdr(&f);

	memset(out, 0, sizeof(*out));
	if (ret)
		return ret;
	out->machine = f.eh.e_machine;
	for (unsigned int i = 0; !ret && i < f.eh.e_phnum; i++) {
		if (!read_phdr(&f, i, &ph))
			return -EINVAL;
		if (ph.p_type == PT_INTERP) {
			if (!inside(&f, ph.p_offset, ph.p_filesz))
				return -EINVAL;
			out->interp = string_at(&f, ph.p_offset, ph.p_filesz, 0);
			if (!out->interp || !*out->interp)
				return -EINVAL;
		} else if (ph.p_type == PT_DYNAMIC) {
			ret = read_dynamic(&f, &ph, out);
		}
	}
	return ret;
}
