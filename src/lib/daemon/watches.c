// SPDX-License-Identifier: GPL-2.0-or-later
#include "watches.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "xen/xs_util.h"

void domid_set_add(struct domid_set *s, uint32_t domid)
{
	uint64_t bit = UINT64_C(1) << (domid % 64);

	if (!(s->words[domid / 64] & bit))
		s->count++;
	s->words[domid / 64] |= bit;
}

int domid_set_take(struct domid_set *s, uint32_t from)
{
	for (uint32_t d = from; d < DOMID_LIMIT && s->count; d++) {
		uint64_t word = s->words[d / 64] >> (d % 64);

		if (!word) {
			d |= 63;
			continue;
		}
		d += (uint32_t)__builtin_ctzll(word);
		s->words[d / 64] &= ~(UINT64_C(1) << (d % 64));
		s->count--;
		return (int)d;
	}
	return -1;
}

int watches_domid(const char *path, const char *directory, uint32_t *domid, const char **rest)
{
	size_t len = strlen(directory), n;
	char digits[8];
	uint64_t value;

	if (strncmp(path, directory, len))
		return -1;
	path += len;
	if (!*path)
		return 0;
	n = strcspn(path + 1, "/");
	if (*path != '/' || n >= sizeof(digits))
		return -1;
	memcpy(digits, path + 1, n);
	digits[n] = '\0';
	if (xsu_parse_uint(digits, DOMID_LIMIT - 1, &value))
		return -1;
	*domid = (uint32_t)value;
	*rest = path + 1 + n;
	return 1;
}

int watches_take(struct xs_handle *xs, watches_fn *fn, void *arg)
{
	for (int i = 0; i < WATCHES_ROUND; i++) {
		char **v = xs_check_watch(xs);

		if (!v)
			return errno == EAGAIN ? 0 : errno ? -errno : -EIO;
		fn(arg, v[XS_WATCH_PATH], v[XS_WATCH_TOKEN]);
		free(v);
	}
	return 0;
}
