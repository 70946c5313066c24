// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/contract.c src/stubdom/init/text.c src/lib/xen/domain.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c */
/*
 * What stubdom-init finds in xenstore: of libxl, of a backend in another domain, of the
 * guest's name.  One length byte before each value; 255 is "no such node".
 */
#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fake_xenstore.h"
#include "stubdom/init/contract.h"
#include "stubdom/init/failure.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define VM "/vm/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
#define ARGV VM "/image/dm-argv"

struct log_about init_about = { .domid = -1 };

static const char *const nodes[] = {
	ARGV "/001", ARGV "/002", ARGV "/003",
	"device/vif/0/backend", "/local/domain/3/backend/vif/8/0/state",
	"/local/domain/3/backend/vif/8/0/hotplug-error",
	"/local/domain/7/name", "domid", "target", "/local/domain/7/vm",
};

static void must(bool is)
{
	if (!is)
		abort();
}

static void printable(const char *text)
{
	for (; *text; text++)
		must(*text >= 0x20 && *text < 0x7f);
}

int init_fail(int err, const char *fmt, ...)
{
	char said[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
	printable(said);
	must(err < 0);
	return err;
}

/* What comes first in the input is what most can be done with. */
static void world(const uint8_t *data, size_t size)
{
	char name[64];

	fake_xs_reset();
	fake_xs_set("domid", "8");
	fake_xs_set("target", "7");
	fake_xs_set("/local/domain/7/vm", VM);
	fake_xs_set("device/vif/0/backend", "/local/domain/3/backend/vif/8/0");
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]) && size; i++) {
		size_t len = *data++;

		size--;
		if (len == 255)
			continue;
		len = len < size ? len : size;
		fake_xs_set_raw(nodes[i], data, len);
		data += len;
		size -= len;
	}
	/* The rest are names below directories that are listed. */
	for (; size > 1; data += 2, size -= 2) {
		snprintf(name, sizeof(name), data[0] & 1 ? "device/vif/%u%c" : ARGV "/%u%c", data[0] >> 1, data[1] % 58 + 48);
		fake_xs_set(name, "x");
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xs_handle *xs;
	struct contract c;
	unsigned int *ids, n;
	char text[256];

	log_open("fuzz", NULL, LOG_EMERG);
	init_about = (struct log_about){ .domid = -1 };
	world(data, size);
	xs = xs_open(0);
	if (!contract_read(xs, &c)) {
		must(c.argc && c.guest < DOMID_LIMIT && c.self < DOMID_LIMIT);
		must(strlen(c.guest_name) < sizeof(c.guest_name));
		for (unsigned int i = 0; i < c.argc; i++)
			must(c.argv[i]);
		printable(c.guest_name);
	}
	contract_free(&c);
	if (!contract_devices(xs, "vif", &ids, &n))
		for (unsigned int i = 0; i < n; i++)
			must(ids[i] <= INT32_MAX);
	free(ids);
	for (unsigned int room = 1; room <= sizeof(text); room *= 4) {
		contract_backend(xs, "vif", 0, text, room);
		must(strlen(text) < room);
		printable(text);
	}
	return 0;
}
