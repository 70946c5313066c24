// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/state/header.c src/lib/state/words.c src/lib/base/sha256_sum.c src/lib/base/log.c src/lib/xen/xs_util.c tests/unit/fake_xenstore.c */
/*
 * A state disk's header, the file that libxl brings, and the nodes' texts.  The first byte
 * of the input says which; with 1 the header's sums are made right, so that what is
 * behind them is reached.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256_sum.h"
#include "state/header.h"
#include "state/words.h"

#define LIMIT 4096

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int is)
{
	if (!is)
		abort();
}

static void check_reason(const char *why)
{
	must(*why && strlen(why) <= STATE_DISK_REASON_MAX);
	for (; *why; why++)
		must(*why >= ' ' && *why <= '~');
}

static void check_name(const char name[STATE_DISK_NAME_LEN])
{
	must(memchr(name, '\0', STATE_DISK_NAME_LEN) != NULL);
	for (; *name; name++)
		must(*name > ' ' && *name <= '~');
}

static void header(const uint8_t *data, size_t size, int sign)
{
	char why[STATE_DISK_REASON_MAX + 1] = "";
	struct state_disk_header h = { .version = 0 }, again;
	struct state_info info;

	memcpy(&h, data, size < sizeof(h) ? size : sizeof(h));
	if (sign)
		sha256_sum_of(&h, offsetof(struct state_disk_header, check), h.check);
	if (state_header_check(&h, LIMIT, &info, why)) {
		check_reason(why);
		return;
	}
	must(info.length && info.length <= LIMIT);
	check_name(info.qemu);
	check_name(info.machine);
	/* There is one way to write a header. */
	state_header_make(&info, &again);
	must(!memcmp(&h, &again, sizeof(h)));
}

static void file(const uint8_t *data, size_t size)
{
	char why[STATE_DISK_REASON_MAX + 1] = "";
	struct state_info info;
	bool bare;

	if (state_file_check(data, size, LIMIT, &info, &bare, why))
		check_reason(why);
	else
		must(info.length <= size && info.length <= LIMIT && !memcmp(data, STATE_DISK_QEVM, 4));
}

static void words(const uint8_t *data, size_t size)
{
	char tag[STATE_DISK_TAG_LEN + 1], *text = malloc(size + 1);
	struct state_restore r;
	struct state_disk d;
	const char *reason;

	memcpy(text, data, size);
	text[size] = '\0';
	if (!state_want_parse(text, tag))
		must(state_is_tag(tag));
	if (!state_disk_parse(text, &d))
		must(state_is_tag(d.tag) && state_is_devid(d.devid) && d.limit);
	if (!state_result_parse(text, tag, &reason) && reason)
		check_reason(reason);
	if (!state_restore_parse(text, &r) && r.kind == STATE_RESTORE_REFUSED)
		check_reason(r.reason);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (!size)
		return 0;
	switch (data[0] % 4) {
	case 0:
	case 1:
		header(data + 1, size - 1, data[0] % 4);
		break;
	case 2:
		file(data + 1, size - 1);
		break;
	default:
		words(data + 1, size - 1);
	}
	return 0;
}
