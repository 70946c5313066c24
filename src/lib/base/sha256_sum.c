// SPDX-License-Identifier: GPL-2.0-or-later
#include "sha256_sum.h"

#include <endian.h>
#include <string.h>

/* FIPS 180-4, 4.2.2 */
static const uint32_t k[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
	0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
	0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
	0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
	0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
	0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
	0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2,
};

static uint32_t ror(uint32_t x, unsigned int n)
{
	return x >> n | x << (32 - n);
}

/* 6.2.2, step 1 */
static void schedule(uint32_t w[64], const uint8_t *block)
{
	for (int i = 0; i < 16; i++) {
		memcpy(&w[i], block + 4 * i, 4);
		w[i] = be32toh(w[i]);
	}
	for (int i = 16; i < 64; i++) {
		uint32_t a = w[i - 15], b = w[i - 2];

		w[i] = w[i - 16] + (ror(a, 7) ^ ror(a, 18) ^ a >> 3) +
		       w[i - 7] + (ror(b, 17) ^ ror(b, 19) ^ b >> 10);
	}
}

/* 6.2.2, step 3: one round.  Eight of them, each with its names one further, move nothing. */
#define ROUND(a, b, c, d, e, f, g, h, i) do {						\
	uint32_t t1 = h + (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) + ((e & f) ^ (~e & g)) + k[i] + w[i];	\
											\
	d += t1;									\
	h = t1 + (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));	\
} while (0)

/* 6.2.2, steps 2 to 4 */
static void one_block(uint32_t sum[8], const uint8_t *block)
{
	uint32_t a = sum[0], b = sum[1], c = sum[2], d = sum[3];
	uint32_t e = sum[4], f = sum[5], g = sum[6], h = sum[7];
	uint32_t w[64];

	schedule(w, block);
	for (int i = 0; i < 64; i += 8) {
		ROUND(a, b, c, d, e, f, g, h, i);
		ROUND(h, a, b, c, d, e, f, g, i + 1);
		ROUND(g, h, a, b, c, d, e, f, i + 2);
		ROUND(f, g, h, a, b, c, d, e, i + 3);
		ROUND(e, f, g, h, a, b, c, d, i + 4);
		ROUND(d, e, f, g, h, a, b, c, i + 5);
		ROUND(c, d, e, f, g, h, a, b, i + 6);
		ROUND(b, c, d, e, f, g, h, a, i + 7);
	}
	sum[0] += a;
	sum[1] += b;
	sum[2] += c;
	sum[3] += d;
	sum[4] += e;
	sum[5] += f;
	sum[6] += g;
	sum[7] += h;
}

void sha256_sum_init(struct sha256_sum *s)
{
	static const uint32_t start[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(s->h, start, sizeof(start));
	s->bytes = 0;
}

void sha256_sum_add(struct sha256_sum *s, const void *data, size_t len)
{
	size_t have = s->bytes % sizeof(s->rest), n;
	const uint8_t *p = data;

	s->bytes += len;
	if (have) {
		n = sizeof(s->rest) - have < len ? sizeof(s->rest) - have : len;
		memcpy(s->rest + have, p, n);
		p += n;
		len -= n;
		if (have + n < sizeof(s->rest))
			return;
		one_block(s->h, s->rest);
	}
	for (; len >= sizeof(s->rest); p += sizeof(s->rest), len -= sizeof(s->rest))
		one_block(s->h, p);
	if (len)
		memcpy(s->rest, p, len);
}

void sha256_sum_end(struct sha256_sum *s, uint8_t out[SHA256_LEN])
{
	static const uint8_t pad[64] = { 0x80 };
	uint64_t bits = htobe64(s->bytes * 8);
	size_t have = s->bytes % 64;

	/* One bit, zeros, and the length in the last 8 bytes of a block. */
	sha256_sum_add(s, pad, (have < 56 ? 56 : 120) - have);
	sha256_sum_add(s, &bits, sizeof(bits));
	for (int i = 0; i < 8; i++) {
		uint32_t be = htobe32(s->h[i]);

		memcpy(out + 4 * i, &be, 4);
	}
}

void sha256_sum_of(const void *data, size_t len, uint8_t out[SHA256_LEN])
{
	struct sha256_sum s;

	sha256_sum_init(&s);
	sha256_sum_add(&s, data, len);
	sha256_sum_end(&s, out);
}
