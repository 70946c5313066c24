// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/cdrom.c src/stubdom/init/contract.c src/stubdom/init/text.c src/stubdom/init/vbd.c src/lib/xen/domain.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c */
/* test-pkgs: json-c */
/*
 * What QEMU, which a guest may have taken over, says of its fdsets when a CD comes or goes:
 * the input's lines are its answers.  Whatever they are, commands are those that are meant,
 * a descriptor goes with add-fd alone, and each change comes to its end.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fake_xenstore.h"
#include "stubdom/init/cdrom.h"
#include "stubdom/init/failure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHANGES 3

struct log_about init_about = { .domid = -1 };

int init_fail(int err, const char *fmt, ...)
{
	(void)fmt;
	return err;
}

/* One command waits for its answer at a time: that is cdrom.c's. */
static qmp_reply_fn *waits;
static void *waits_arg;
static unsigned int sent;

static void must(bool is)
{
	if (!is)
		abort();
}

int monitor_send(struct monitor *m, const char *command, struct json_object *args, int fd,
		 qmp_reply_fn *fn, void *arg)
{
	bool add = !strcmp(command, "add-fd");

	(void)m;
	must(add || !strcmp(command, "query-fdsets") || !strcmp(command, "remove-fd"));
	must(add == (fd >= 0));
	must(!fn || !waits);
	json_object_put(args);
	if (fd >= 0)
		close(fd);
	sent++;
	if (fn) {
		waits = fn;
		waits_arg = arg;
	}
	return 0;
}

static void answer(const char *line)
{
	struct json_object *o = json_tokener_parse(line);
	qmp_reply_fn *fn = waits;

	waits = NULL;
	fn(waits_arg, o, o ? NULL : line);
	json_object_put(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct vbd_event ev = { .devid = 51728, .dev = "null" };
	char *text = malloc(size + 1), *p = text, *line;
	struct cdrom cd;

	memcpy(text, data, size);
	text[size] = '\0';
	log_open("fuzz", NULL, LOG_EMERG);
	fake_xs_reset();
	fake_xs_set("device/vbd/51728/device-type", "cdrom");
	waits = NULL;
	cdrom_init(&cd, xs_open(0), NULL);
	for (int i = 0; i < CHANGES; i++)
		cdrom_event(&cd, &ev, i & 1 ? -1 : 1);
	while (waits && (line = strsep(&p, "\n")))
		answer(line);
	while (waits)
		answer("{}");
	must(!cd.count);
	free(text);
	return 0;
}
