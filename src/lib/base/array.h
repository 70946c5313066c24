/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An array that grows by one element at a time. */
#ifndef XE_ARRAY_H
#define XE_ARRAY_H

#include <stdlib.h>

/*
 * Room for one more than the @n elements of @size bytes: the array, perhaps at
 * another place; NULL when out of memory, and the old one stays.  Start with NULL.
 */
static inline void *array_grow(void *array, size_t n, size_t size)
{
	/* Full exactly when n is 0 or a power of two from 8 on. */
	if (n && (n < 8 || (n & (n - 1))))
		return array;
	return reallocarray(array, n ? n * 2 : 8, size);
}

#endif
