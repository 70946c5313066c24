// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: */
/* docs/state-disk.md and src/include/state_disk.h say the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "state_disk.h"

static char *text;

static int read_doc(void **state)
{
	FILE *f = fopen("docs/state-disk.md", "r");
	size_t n;

	(void)state;
	text = calloc(1, 1 << 17);
	if (!f || !text)
		return -1;
	n = fread(text, 1, (1 << 17) - 1, f);
	fclose(f);
	return n ? 0 : -1;
}

static void stands(const char *row)
{
	if (!strstr(text, row))
		fail_msg("docs/state-disk.md lacks: %s", row);
}

static void fields(void **state)
{
#define F(field) { #field, offsetof(struct state_disk_header, field), sizeof(((struct state_disk_header *)0)->field) }
	static const struct { const char *name; size_t at, len; } all[] = {
		F(magic), F(version), F(size), F(length), F(sha256), F(qemu), F(machine), F(reserved), F(check), F(end),
	};
	char row[80];

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		snprintf(row, sizeof(row), "\n| %zu | %zu | %s | ", all[i].at, all[i].len, all[i].name);
		stands(row);
	}
	snprintf(row, sizeof(row), "\n| %u | LENGTH | the state", STATE_DISK_BLOCK);
	stands(row);
}

static void nodes_and_numbers(void **state)
{
	static const char *const nodes[] = {
		STATE_DISK_WANT, STATE_DISK_DONE, STATE_DISK_RESTORED, STATE_DISK_SERVED, STATE_DISK_DISK,
		STATE_DISK_RESULT, STATE_DISK_RESTORE,
	};
	static const struct { const char *who; unsigned int ms; } waits[] = {
		{ "stubdomain", STATE_DISK_ANSWER_MS }, { "stubdomain", STATE_DISK_APPEAR_MS },
		{ "stubdomain", STATE_DISK_STALL_MS }, { "stubdomain", STATE_DISK_RESULT_MS },
		{ "stubdomain", STATE_DISK_PREPARE_MS }, { "daemon", STATE_DISK_READY_MS },
		{ "daemon", STATE_DISK_CONNECT_MS }, { "daemon", STATE_DISK_EARLY_MS }, { "daemon", STATE_DISK_SAVE_MS },
		{ "daemon", STATE_DISK_VERIFY_MS }, { "daemon", STATE_DISK_RESTORE_MS }, { "daemon", STATE_DISK_CLOSE_MS },
	};
	const char *at = text;
	char row[128];

	(void)state;
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		snprintf(row, sizeof(row), "\n| `%s` | ", nodes[i]);
		stands(row);
	}
	snprintf(row, sizeof(row), "%u (`xvdaa`) + %u × n, n = 0 … %u", STATE_DISK_DEVID, STATE_DISK_DEVID_STEP,
		 STATE_DISK_DEVIDS - 1);
	stands(row);
	/* In this order. */
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		char *line;

		snprintf(row, sizeof(row), "\n| %s | ", waits[i].who);
		do {
			line = strstr(at, row);
			assert_non_null(line);
			at = line + 1;
			snprintf(row + 64, 32, " | %u | ", waits[i].ms);
			line = strstr(at, row + 64);
		} while (line && line > strchr(at, '\n'));
		if (!line)
			fail_msg("docs/state-disk.md, section 7, lacks: %s waits %u ms", waits[i].who, waits[i].ms);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(fields), cmocka_unit_test(nodes_and_numbers) };

	return cmocka_run_group_tests(tests, read_doc, NULL);
}
