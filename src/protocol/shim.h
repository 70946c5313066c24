/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the shared code uses of the kernel, for the kernel and for user space. */
#ifndef VX_SHIM_H
#define VX_SHIM_H

#ifdef __KERNEL__
#include <linux/bitops.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/log2.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>

#define vx_get16(v) le16_to_cpu(v)
#define vx_get32(v) le32_to_cpu(v)
#define vx_get64(v) le64_to_cpu(v)

static inline unsigned int vx_lowest(u64 v) { return __ffs64(v); }
#else
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

#define vx_get16(v) le16toh(v)
#define vx_get32(v) le32toh(v)
#define vx_get64(v) le64toh(v)

static inline bool is_power_of_2(unsigned long n) { return n && !(n & (n - 1)); }
/* Number of the lowest bit that is set; there is one. */
static inline unsigned int vx_lowest(u64 v) { return (unsigned int)__builtin_ctzll(v); }
#endif

/* Smallest n with 2^n >= v, for 1 <= v <= 2^31. */
static inline unsigned int vx_order_of(u32 v)
{
	unsigned int n = 0;

	while (n < 31 && (1u << n) < v)
		n++;
	return n;
}

#endif
