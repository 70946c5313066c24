// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/text.c src/lib/base/text.c src/stubdom/init/vbd.c src/stubdom/init/lines.c src/lib/base/log.c */
/* The small texts: info file, meminfo, command line, uevents, QEMU's output. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stubdom/init/lines.h"
#include "base/text.h"
#include "stubdom/init/text.h"
#include "stubdom/init/vbd.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void emit(void *arg, const char *line)
{
	(void)arg;
	/* Printable, bounded, never empty. */
	if (!*line || strlen(line) >= LINES_MAX)
		abort();
	for (; *line; line++)
		if (*line < 0x20 || *line > 0x7e)
			abort();
}

static void dropped(void *arg, uint64_t n)
{
	(void)arg;
	if (!n)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct lines l = { .emit = emit, .emit_dropped = dropped };
	char *text = malloc(size + 1), v[32];
	struct vbd_event ev;
	uint64_t n;

	memcpy(text, data, size);
	text[size] = '\0';
	text_value(text, "xen", v, sizeof(v));
	meminfo_get(text, "MemTotal", &n);
	cmdline_get(text, "xen_stubdom.log", v, sizeof(v));
	version_series(text, v, sizeof(v));
	if (vbd_uevent(text, size, &ev) && (!ev.dev[0] || strchr(ev.dev, '/')))
		abort();
	bucket_init(&l.bucket, 3, 1, 0);
	for (size_t at = 0; at < size; at += 7)
		lines_feed(&l, text + at, size - at < 7 ? size - at : 7, at * 100);
	lines_flush(&l, 0);
	free(text);
	return 0;
}
