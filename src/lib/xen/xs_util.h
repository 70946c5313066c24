/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Small helpers over libxenstore, used by every program here.
 *
 * They add what its C API leaves to the caller: paths by format, numbers that
 * are checked, negative errno, and a bound on what another domain may have
 * written.  Unit tests link a fake libxenstore (tests/unit/fake_xenstore.c)
 * instead of the real one; nothing else is replaced.
 *
 * Each function takes the transaction @t, or XBT_NULL.
 */
#ifndef XE_XS_UTIL_H
#define XE_XS_UTIL_H

#include <stdbool.h>
#include <stdint.h>
#include <xenstore.h>

/* xenstored refuses longer values and paths (xs_wire.h: XENSTORE_PAYLOAD_MAX,
 * XENSTORE_ABS_PATH_MAX). */
#define XSU_VALUE_MAX 4096
#define XSU_PATH_MAX 3072

/* No list longer than this is read from another domain. */
#define XSU_LIST_MAX 1024

/*
 * Read a node.  *@out is a NUL-terminated copy, owned by the caller, @out_len
 * (may be NULL) its length without the terminator.  -ENOENT when there is no
 * such node, -E2BIG when longer than XSU_VALUE_MAX, -EILSEQ when it holds a
 * NUL byte inside.
 */
int xsu_read(struct xs_handle *xs, xs_transaction_t t, char **out,
	     size_t *out_len, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Text of another domain, printable and cut to fit; "" when it cannot be read. */
void xsu_text(struct xs_handle *xs, char *buf, size_t size, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* Read a decimal number, at most @max; -EINVAL when it is anything else. */
int xsu_read_uint(struct xs_handle *xs, xs_transaction_t t, uint64_t *out,
		  uint64_t max, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/* Write a node; its parents come into being with it. */
int xsu_write(struct xs_handle *xs, xs_transaction_t t, const char *value,
	      const char *fmt, ...) __attribute__((format(printf, 4, 5)));

/* Remove a node and all below it; no error when it was not there. */
int xsu_rm(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

bool xsu_exists(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * The names below a node, sorted bytewise (xenstored gives no order).
 * *@names is one allocation to free(); -E2BIG above XSU_LIST_MAX names.
 */
int xsu_list(struct xs_handle *xs, xs_transaction_t t, char ***names,
	     unsigned int *count, const char *fmt, ...)
	__attribute__((format(printf, 5, 6)));

/*
 * Run @fn in a transaction; again, some times, when others were faster.
 * @fn returns 1 to have it committed, 0 when there is nothing to do, or
 * negative errno; so does this.  -EAGAIN: others were always faster.
 */
typedef int xsu_transaction_fn(struct xs_handle *xs, xs_transaction_t t, void *arg);
int xsu_transact(struct xs_handle *xs, xsu_transaction_fn *fn, void *arg);

/* The same for whom it is all one whether there was something to do: 0 or negative errno. */
int xsu_change(struct xs_handle *xs, xsu_transaction_fn *fn, void *arg);

/* "123" and nothing else, at most @max; -EINVAL. */
int xsu_parse_uint(const char *text, uint64_t max, uint64_t *out);

#endif
