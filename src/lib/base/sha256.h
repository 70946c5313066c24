/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 of a file or of memory, as the image manifest states it.
 *
 * libcrypto does the arithmetic: every dom0 has it already (systemd, ssh and
 * dpkg's own tools link it), it uses the processor's SHA instructions, and it
 * gets its security updates from the distribution.  The kernel's AF_ALG socket
 * was the alternative: it would put one more address family into the daemon's
 * sandbox and needs a module that hardened hosts switch off.
 *
 * Link with libcrypto.
 */
#ifndef XE_SHA256FILE_H
#define XE_SHA256FILE_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_HEX_LEN 64

/*
 * @hex: 64 lower-case hex digits and a NUL
 * @size: bytes hashed; may be NULL
 * @max: a longer file is not read to its end: -EFBIG
 *
 * -EINVAL when @path is not a regular file (symlinks are followed), -ENOMEM,
 * or what open(2) and read(2) say.
 */
int sha256_file(const char *path, uint64_t max, char hex[SHA256_HEX_LEN + 1],
		uint64_t *size);

/* The same for an open descriptor, from its current offset to its end. */
int sha256_fd(int fd, uint64_t max, char hex[SHA256_HEX_LEN + 1],
	      uint64_t *size);

/* The same for @len bytes in memory; -EIO when libcrypto cannot. */
int sha256_buf(const void *buf, size_t len, char hex[SHA256_HEX_LEN + 1]);

#endif
