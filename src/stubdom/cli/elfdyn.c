// SPDX-License-Identifier: GPL-2.0-or-later
#include "elfdyn.h"

#include <errno.h>
#include <gelf.h>
#include <string.h>

/* A program has about a dozen program headers; 65535 means "look elsewhere". */
#define PHDR_MAX 256

struct elf_file {
	Elf *elf;
	const char *buf;
	size_t len;
	int n_phdr;
};

/* The string at file offset @off, which ends before @end; NULL: it does not, or is empty. */
static const char *string_at(const struct elf_file *f, uint64_t off, uint64_t end)
{
	if (off >= end || end > f->len || !f->buf[off] || !memchr(f->buf + off, '\0', end - off))
		return NULL;
	return f->buf + off;
}

/* The offset in the file of the byte at address @vaddr, and the end of its segment there. */
static int to_offset(const struct elf_file *f, uint64_t vaddr, uint64_t *off, uint64_t *end)
{
	GElf_Phdr ph;

	for (int i = 0; i < f->n_phdr; i++) {
		if (!gelf_getphdr(f->elf, i, &ph))
			return -EINVAL;
		if (ph.p_type != PT_LOAD || vaddr < ph.p_vaddr || vaddr - ph.p_vaddr >= ph.p_filesz)
			continue;
		if (ph.p_offset > f->len || ph.p_filesz > f->len - ph.p_offset)
			return -EINVAL;
		*off = ph.p_offset + (vaddr - ph.p_vaddr);
		*end = ph.p_offset + ph.p_filesz;
		return 0;
	}
	return -EINVAL;
}

/* The value of the first @tag; -ENOENT. */
static int find_tag(Elf_Data *data, int64_t tag, uint64_t *value)
{
	GElf_Dyn d;

	for (int i = 0; gelf_getdyn(data, i, &d) && d.d_tag != DT_NULL; i++) {
		if (d.d_tag == tag) {
			*value = d.d_un.d_val;
			return 0;
		}
	}
	return -ENOENT;
}

static int read_dynamic(const struct elf_file *f, const GElf_Phdr *ph, struct elf_dyn *out)
{
	Elf_Data *data = elf_getdata_rawchunk(f->elf, (int64_t)ph->p_offset, ph->p_filesz, ELF_T_DYN);
	uint64_t vaddr, size, tab, end;
	GElf_Dyn d;

	if (!data || find_tag(data, DT_STRTAB, &vaddr) || find_tag(data, DT_STRSZ, &size) ||
	    to_offset(f, vaddr, &tab, &end) || size > end - tab)
		return -EINVAL;
	for (int i = 0; gelf_getdyn(data, i, &d) && d.d_tag != DT_NULL; i++) {
		const char *s;

		if (d.d_tag != DT_NEEDED)
			continue;
		s = d.d_un.d_val < size ? string_at(f, tab + d.d_un.d_val, tab + size) : NULL;
		if (!s)
			return -EINVAL;
		if (out->count == ELF_NEEDED_MAX)
			return -E2BIG;
		out->needed[out->count++] = s;
	}
	return 0;
}

static int read_segments(const struct elf_file *f, struct elf_dyn *out)
{
	GElf_Phdr ph;
	int ret = 0;

	for (int i = 0; !ret && i < f->n_phdr; i++) {
		if (!gelf_getphdr(f->elf, i, &ph))
			return -EINVAL;
		if (ph.p_type == PT_DYNAMIC)
			ret = read_dynamic(f, &ph, out);
		if (ph.p_type != PT_INTERP)
			continue;
		if (ph.p_offset > f->len || ph.p_filesz > f->len - ph.p_offset)
			return -EINVAL;
		out->interp = string_at(f, ph.p_offset, ph.p_offset + ph.p_filesz);
		if (!out->interp)
			return -EINVAL;
	}
	return ret;
}

int elf_dyn_parse(const void *buf, size_t len, struct elf_dyn *out)
{
	struct elf_file f = { .buf = buf, .len = len };
	const char *ident;
	GElf_Ehdr eh;
	int ret = -ENOEXEC;

	memset(out, 0, sizeof(*out));
	elf_version(EV_CURRENT);
	/* It does not write to it. */
	f.elf = elf_memory((char *)buf, len);
	ident = f.elf ? elf_getident(f.elf, NULL) : NULL;
	if (ident && elf_kind(f.elf) == ELF_K_ELF && gelf_getclass(f.elf) == ELFCLASS64 &&
	    ident[EI_DATA] == ELFDATA2LSB && gelf_getehdr(f.elf, &eh)) {
		out->machine = eh.e_machine;
		f.n_phdr = eh.e_phnum;
		ret = eh.e_phnum > PHDR_MAX ? -EINVAL : read_segments(&f, out);
	}
	elf_end(f.elf);
	return ret;
}
