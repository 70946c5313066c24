// SPDX-License-Identifier: GPL-2.0-or-later
#include "xs_util.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"

/* A transaction that loses this often against others is not worth more. */
#define TRIES 32

/* Expands the path in the caller's varargs into path[]; returns -ENAMETOOLONG. */
#define XSU_PATH(path, fmt)						\
	do {								\
		va_list ap_;						\
		int n_;							\
		va_start(ap_, fmt);					\
		n_ = vsnprintf(path, sizeof(path), fmt, ap_);		\
		va_end(ap_);						\
		if (n_ < 0 || (size_t)n_ >= sizeof(path))		\
			return -ENAMETOOLONG;				\
	} while (0)

/* libxenstore reports through errno, and once in a while leaves it 0. */
static int xs_errno(void)
{
	return errno ? -errno : -EIO;
}

static int read_path(struct xs_handle *xs, xs_transaction_t t, char **out,
		     size_t *out_len, const char *path)
{
	unsigned int len = 0;
	char *v;

	errno = 0;
	v = xs_read(xs, t, path, &len);
	if (!v)
		return xs_errno();
	if (len > XSU_VALUE_MAX || strnlen(v, len) != len) {
		free(v);
		return len > XSU_VALUE_MAX ? -E2BIG : -EILSEQ;
	}
	*out = v;	/* libxenstore terminates what it returns */
	if (out_len)
		*out_len = len;
	return 0;
}

int xsu_read(struct xs_handle *xs, xs_transaction_t t, char **out,
	     size_t *out_len, const char *fmt, ...)
{
	char path[XSU_PATH_MAX];

	XSU_PATH(path, fmt);
	return read_path(xs, t, out, out_len, path);
}

int xsu_parse_uint(const char *text, uint64_t max, uint64_t *out)
{
	uint64_t n = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		unsigned int digit = (unsigned char)*text - '0';

		if (digit > 9 || n > (max - (digit > max ? max : digit)) / 10)
			return -EINVAL;
		n = n * 10 + digit;
	}
	if (n > max)
		return -EINVAL;
	*out = n;
	return 0;
}

void xsu_text(struct xs_handle *xs, char *buf, size_t size, const char *fmt, ...)
{
	char path[XSU_PATH_MAX], *v;
	va_list ap;
	size_t len;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	buf[0] = '\0';
	if (n < 0 || (size_t)n >= sizeof(path) || read_path(xs, XBT_NULL, &v, &len, path))
		return;
	log_clean(buf, size, v, len);
	free(v);
}

int xsu_read_uint(struct xs_handle *xs, xs_transaction_t t, uint64_t *out,
		  uint64_t max, const char *fmt, ...)
{
	char path[XSU_PATH_MAX], *v;
	int ret;

	XSU_PATH(path, fmt);
	ret = read_path(xs, t, &v, NULL, path);
	if (ret)
		return ret;
	ret = xsu_parse_uint(v, max, out);
	free(v);
	return ret;
}

int xsu_write(struct xs_handle *xs, xs_transaction_t t, const char *value,
	      const char *fmt, ...)
{
	char path[XSU_PATH_MAX];

	XSU_PATH(path, fmt);
	errno = 0;
	return xs_write(xs, t, path, value, strlen(value)) ? 0 : xs_errno();
}

int xsu_rm(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
{
	char path[XSU_PATH_MAX];

	XSU_PATH(path, fmt);
	errno = 0;
	if (xs_rm(xs, t, path) || errno == ENOENT)
		return 0;
	return xs_errno();
}

bool xsu_exists(struct xs_handle *xs, xs_transaction_t t, const char *fmt, ...)
{
	char path[XSU_PATH_MAX];
	unsigned int len;
	va_list ap;
	void *v;

	va_start(ap, fmt);
	vsnprintf(path, sizeof(path), fmt, ap);
	va_end(ap);
	v = xs_read(xs, t, path, &len);
	free(v);
	return v != NULL;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int xsu_list(struct xs_handle *xs, xs_transaction_t t, char ***names,
	     unsigned int *count, const char *fmt, ...)
{
	char path[XSU_PATH_MAX], **list;
	unsigned int n = 0;

	XSU_PATH(path, fmt);
	errno = 0;
	list = xs_directory(xs, t, path, &n);
	if (!list)
		return xs_errno();
	if (n > XSU_LIST_MAX) {
		free(list);
		return -E2BIG;
	}
	qsort(list, n, sizeof(*list), by_name);
	*names = list;
	*count = n;
	return 0;
}

static int transact_once(struct xs_handle *xs, xsu_transaction_fn *fn, void *arg)
{
	xs_transaction_t t;
	int ret;

	errno = 0;
	t = xs_transaction_start(xs);
	if (t == XBT_NULL)
		return xs_errno();
	ret = fn(xs, t, arg);
	errno = 0;
	if (!xs_transaction_end(xs, t, ret <= 0) && ret > 0)
		ret = xs_errno();
	return ret;
}

int xsu_transact(struct xs_handle *xs, xsu_transaction_fn *fn, void *arg)
{
	int ret = -EAGAIN;

	for (int i = 0; i < TRIES && ret == -EAGAIN; i++)
		ret = transact_once(xs, fn, arg);
	return ret;
}

int xsu_change(struct xs_handle *xs, xsu_transaction_fn *fn, void *arg)
{
	int ret = xsu_transact(xs, fn, arg);

	return ret < 0 ? ret : 0;
}
