/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SHA-256 in portable C, bytes as they come.
 *
 * For stubdom-init and xen-state-disk, which hash some MB once and carry no
 * libcrypto: the one for its image's size, the other for what a confined process
 * need not have.  Everything else uses sha256.h.
 */
#ifndef XE_SHA256_SUM_H
#define XE_SHA256_SUM_H

#include <stddef.h>
#include <stdint.h>

#define SHA256_LEN 32

struct sha256_sum {
	uint32_t h[8];
	uint64_t bytes;
	uint8_t rest[64];	/* bytes % 64 of them */
};

void sha256_sum_init(struct sha256_sum *s);
void sha256_sum_add(struct sha256_sum *s, const void *data, size_t len);
/* The sum of all that was added; @s is used up. */
void sha256_sum_end(struct sha256_sum *s, uint8_t out[SHA256_LEN]);

/* All at once. */
void sha256_sum_of(const void *data, size_t len, uint8_t out[SHA256_LEN]);

#endif
