// SPDX-License-Identifier: GPL-2.0-or-later
#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "image.h"

/* Documentation/arch/x86/boot.rst: the real-mode header. */
#define MAGIC_AT 0x202
#define VERSION_AT 0x20e	/* u16: offset of the text, less 0x200 */

int bzimage_version(const void *buf, size_t len, char *out, size_t max)
{
	const unsigned char *p = buf;
	size_t at, n = 0;

	if (len < VERSION_AT + 2 || memcmp(p + MAGIC_AT, "HdrS", 4))
		return -EINVAL;
	at = 0x200u + (size_t)(p[VERSION_AT] | p[VERSION_AT + 1] << 8);
	while (at + n < len && n < max - 1 && isgraph(p[at + n])) {
		out[n] = (char)p[at + n];
		n++;
	}
	out[n] = '\0';
	return n && isdigit((unsigned char)*out) ? 0 : -EINVAL;
}
