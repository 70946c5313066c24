/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The manifest: one text file beside each image that says what is in it.
 *
 *   xen-stubdom-manifest 1
 *   xen 4.20
 *   key <sha256 over all inputs>
 *   qemu 10.0.13
 *   kernel-version 6.12.107
 *   memory-min 112			MiB the stubdomain needs at least
 *   generator 0.1.0 <what assembled it>
 *   debug 0
 *   input <sha256> <path>		sorted by path
 *   output kernel <sha256> <bytes>
 *   output rootfs <sha256> <bytes>
 *   package <name> <version> <architecture> <source> <source version>
 *   owner <name> <path>		the package an input is from
 *   built-using <name> <source> <version>
 *
 * The last three say where the inputs are from (sorted; only where dpkg knows):
 * no byte of the image depends on them, so the key does not either.
 *
 * A reader skips words it does not know, so that a later version may add some.
 */
#ifndef XE_MANIFEST_H
#define XE_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"

/* A file above this size is no part of an image. */
#define FILE_MAX_BYTES (512ull << 20)
#define MANIFEST_MAX (1u << 20)
#define MANIFEST_INPUTS_MAX 4096

struct manifest_input {
	char sha[SHA256_HEX_LEN + 1];
	char *path;
	char *owner;		/* the name of its package, or NULL */
};

struct manifest_package {
	char *name, *version, *arch, *source, *source_version;
};

/* A package contains what was made of the source of another. */
struct manifest_use {
	char *package, *source, *version;
};

struct manifest_output {
	char sha[SHA256_HEX_LEN + 1];
	uint64_t size;
};

struct manifest {
	char *xen, *qemu, *kernel_version, *generator;
	char key[SHA256_HEX_LEN + 1];
	unsigned int memory_min;
	bool debug;
	struct manifest_input *input;
	size_t n_input;
	struct manifest_package *package;
	size_t n_package;
	struct manifest_use *use;
	size_t n_use;
	struct manifest_output kernel, rootfs;
};

/*
 * @text: NUL-terminated
 * @line: where it went wrong, from 1; 0 when something is missing; may be NULL
 *
 * -EPROTO for another format or version of it, -EINVAL for a line that is
 * wrong, stands twice, or a manifest that is not complete; -ENOMEM.
 * manifest_free() in any case.
 */
int manifest_parse(struct manifest *m, const char *text, unsigned int *line);
/* The text, to free(). */
char *manifest_format(const struct manifest *m);
void manifest_free(struct manifest *m);

/* "4.20": digits, a dot, digits; nothing that could be a path. */
bool xen_version_valid(const char *v);

#endif
