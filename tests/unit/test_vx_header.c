// SPDX-License-Identifier: GPL-2.0-or-later
/* The tables of docs/protocol.md against the header: each row must be there, and nothing else. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "virtio_xenbus.h"

#define DOCUMENT "docs/protocol.md"

struct field {
	const char *structure, *name;
	size_t offset, size;
	bool seen;
};

#define F(s, f) { #s, #f, offsetof(struct s, f), sizeof(((struct s *)0)->f), false }

static struct field fields[] = {
	F(vx_ctrl, magic), F(vx_ctrl, version), F(vx_ctrl, reserved0),
	F(vx_ctrl, pool_pages), F(vx_ctrl, dir_pages), F(vx_ctrl, ro_pages), F(vx_ctrl, reserved1),
	F(vx_ctrl, req_posted), F(vx_ctrl, reserved2), F(vx_ctrl, req),
	F(vx_ctrl, reserved3), F(vx_ctrl, be_magic), F(vx_ctrl, be_version),
	F(vx_ctrl, reserved4), F(vx_ctrl, config_gen), F(vx_ctrl, config_size),
	F(vx_ctrl, device_status), F(vx_ctrl, reserved5), F(vx_ctrl, rsp_posted),
	F(vx_ctrl, reserved6), F(vx_ctrl, rsp), F(vx_ctrl, reserved7),
	F(vx_ctrl, dir), F(vx_ctrl, reserved8), F(vx_ctrl, config),
	F(vx_msg, type), F(vx_msg, id), F(vx_msg, error), F(vx_msg, seq), F(vx_msg, u),
	F(vx_msg_info, device_id), F(vx_msg_info, vendor_id), F(vx_msg_info, num_queues),
	F(vx_msg_info, config_size), F(vx_msg_info, flags), F(vx_msg_info, reserved),
	F(vx_msg_features, words), F(vx_msg_features, reserved),
	F(vx_msg_status, status), F(vx_msg_status, reserved),
	F(vx_msg_config, offset), F(vx_msg_config, length), F(vx_msg_config, data),
	F(vx_msg_queue, index), F(vx_msg_queue, max_size), F(vx_msg_queue, size),
	F(vx_msg_queue, flags), F(vx_msg_queue, reserved),
	F(vx_msg_set_queue, index), F(vx_msg_set_queue, size), F(vx_msg_set_queue, port),
	F(vx_msg_set_queue, desc), F(vx_msg_set_queue, driver), F(vx_msg_set_queue, device),
	F(vx_msg_inflight, index), F(vx_msg_inflight, size), F(vx_msg_inflight, flags),
	F(vx_msg_inflight, addr), F(vx_msg_inflight, reserved),
	F(vx_inflight, magic), F(vx_inflight, size), F(vx_inflight, used_idx),
};

static const struct {
	const char *name;
	size_t size;
} structures[] = {
	{ "vx_ctrl", sizeof(struct vx_ctrl) },
	{ "vx_msg", sizeof(struct vx_msg) },
	{ "vx_msg_info", sizeof(struct vx_msg_info) },
	{ "vx_msg_features", sizeof(struct vx_msg_features) },
	{ "vx_msg_status", sizeof(struct vx_msg_status) },
	{ "vx_msg_config", sizeof(struct vx_msg_config) },
	{ "vx_msg_queue", sizeof(struct vx_msg_queue) },
	{ "vx_msg_set_queue", sizeof(struct vx_msg_set_queue) },
	{ "vx_msg_inflight", sizeof(struct vx_msg_inflight) },
	{ "vx_inflight", sizeof(struct vx_inflight) },
};

struct constant {
	const char *name;
	unsigned long long value;
	bool seen;
};

#define C(c) { #c, c, false }

static struct constant constants[] = {
	C(VX_VERSION), C(VX_VERSION_OLDEST), C(VX_VERSION_READONLY), C(VX_PAGE_SIZE), C(VX_MAGIC_DRIVER), C(VX_MAGIC_BACKEND),
	C(VX_POOL_BASE), C(VX_POOL_MIN_PAGES), C(VX_POOL_MAX_PAGES),
	C(VX_DIR_MAX_PAGES), C(VX_DIR_REFS), C(VX_MAX_QUEUES),
	C(VX_MAX_QUEUE_SIZE), C(VX_MAX_CONFIG), C(VX_MSG_SIZE), C(VX_CONFIG_CHUNK),
	C(VX_MSG_GET_DEVICE_INFO), C(VX_MSG_GET_FEATURES), C(VX_MSG_SET_FEATURES),
	C(VX_MSG_SET_CONFIG), C(VX_MSG_GET_DEVICE_STATUS), C(VX_MSG_SET_DEVICE_STATUS),
	C(VX_MSG_GET_VQUEUE), C(VX_MSG_SET_VQUEUE), C(VX_MSG_RESET_VQUEUE),
	C(VX_MSG_SET_INFLIGHT), C(VX_ERR_NONE), C(VX_ERR_UNKNOWN), C(VX_ERR_INVAL),
	C(VX_ERR_STATE), C(VX_ERR_NOMEM), C(VX_ERR_DEVICE), C(VX_INFLIGHT_MAGIC),
	C(VX_INFLIGHT_RESUME), C(VX_INFO_RESUME), C(VX_INFO_WRITES_ALL), C(VX_QUEUE_ENABLED),
};

static const char *const nodes[] = {
	VX_NODE_VERSION_MIN, VX_NODE_VERSION_MAX, VX_NODE_INSTANCE, VX_NODE_DEVICE_ID,
	VX_NODE_VENDOR_ID, VX_NODE_MAX_QUEUES, VX_NODE_MEM_MODES,
	VX_NODE_POOL_MAX_PAGES, VX_NODE_POOL_HINT_PAGES, VX_NODE_MAX_CONFIG,
	VX_NODE_ERROR, VX_NODE_VERSION, VX_NODE_MEM_MODE, VX_NODE_CTRL_REF,
	VX_NODE_EVENT_CHANNEL,
};

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* One row "| 0x00 | 4 | `name` |" of a structure. */
static void field_row(const char *structure, const char *row, size_t *end)
{
	size_t offset, size;
	char name[32];

	if (sscanf(row, "| %zx | %zu | `%31[a-z0-9_]` |", &offset, &size, name) != 3)
		fail_msg("struct %s: not a row of a field: %s", structure, row);
	if (offset != *end)
		fail_msg("%s.%s: the document has a hole before 0x%zx", structure, name, offset);
	*end = offset + size;
	for (size_t i = 0; i < COUNT(fields); i++) {
		struct field *f = &fields[i];

		if (strcmp(f->structure, structure) || strcmp(f->name, name))
			continue;
		if (f->offset != offset || f->size != size)
			fail_msg("%s.%s: header %zu+%zu, document %zu+%zu", structure,
				 name, f->offset, f->size, offset, size);
		assert_false(f->seen);
		f->seen = true;
		return;
	}
	fail_msg("%s.%s is in the document only", structure, name);
}

static void check_size(const char *structure, size_t end)
{
	for (size_t i = 0; i < COUNT(structures); i++) {
		if (strcmp(structures[i].name, structure))
			continue;
		if (structures[i].size != end)
			fail_msg("struct %s: header %zu bytes, document %zu", structure,
				 structures[i].size, end);
		return;
	}
	fail_msg("struct %s is in the document only", structure);
}

static FILE *open_document(void)
{
	FILE *f = fopen(DOCUMENT, "r");

	if (!f)
		fail_msg("%s: run from the top of the tree", DOCUMENT);
	return f;
}

static void layouts(void **state)
{
	char line[1024], structure[32] = "";
	FILE *f = open_document();
	unsigned int tables = 0;
	bool rows = false;
	size_t end = 0;

	(void)state;
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "### `struct %31[a-z_]`", structure) == 1) {
			end = 0;
		} else if (*structure && !strncmp(line, "|---", 4)) {
			rows = true;
		} else if (rows && *line == '|') {
			field_row(structure, line, &end);
		} else if (rows) {
			check_size(structure, end);
			rows = false;
			*structure = '\0';
			tables++;
		}
	}
	fclose(f);
	assert_int_equal(tables, COUNT(structures));
	for (size_t i = 0; i < COUNT(fields); i++)
		if (!fields[i].seen)
			fail_msg("%s.%s is in the header only", fields[i].structure, fields[i].name);
}

static void values(void **state)
{
	FILE *f = open_document();
	char line[1024], name[48];
	unsigned long long value;

	(void)state;
	while (fgets(line, sizeof(line), f)) {
		size_t i;

		if (sscanf(line, "| `%47[A-Z0-9_]` | `%lli` |", name, (long long *)&value) != 2)
			continue;
		for (i = 0; i < COUNT(constants) && strcmp(constants[i].name, name); i++)
			;
		if (i == COUNT(constants))
			fail_msg("%s is in the document only", name);
		if (constants[i].value != value)
			fail_msg("%s: header 0x%llx, document 0x%llx", name,
				 constants[i].value, value);
		assert_false(constants[i].seen);
		constants[i].seen = true;
	}
	fclose(f);
	for (size_t i = 0; i < COUNT(constants); i++)
		if (!constants[i].seen)
			fail_msg("%s is in the header only", constants[i].name);
}

static void xenstore_nodes(void **state)
{
	bool seen[COUNT(nodes)] = { false };
	FILE *f = open_document();
	bool rows = false;
	char line[1024], name[64];

	(void)state;
	while (fgets(line, sizeof(line), f)) {
		size_t i;

		if (!strncmp(line, "| node (", 8))
			rows = true;
		else if (*line != '|')
			rows = false;
		if (!rows || sscanf(line, "| `%63[a-z-]` |", name) != 1 || !strcmp(name, "state"))
			continue;
		for (i = 0; i < COUNT(nodes) && strcmp(nodes[i], name); i++)
			;
		if (i == COUNT(nodes))
			fail_msg("node %s is in the document only", name);
		seen[i] = true;
	}
	fclose(f);
	for (size_t i = 0; i < COUNT(nodes); i++)
		if (!seen[i])
			fail_msg("node %s is in the header only", nodes[i]);
}

static void arithmetic(void **state)
{
	(void)state;
	assert_int_equal(VX_DIR_PAGES(1), 1);
	assert_int_equal(VX_DIR_PAGES(1024), 1);
	assert_int_equal(VX_DIR_PAGES(1025), 2);
	assert_int_equal(VX_DIR_PAGES(VX_POOL_MAX_PAGES), VX_DIR_MAX_PAGES);
	assert_int_equal(VX_INFLIGHT_BYTES(256), 264);
	assert_memory_equal(&(uint32_t){ VX_MAGIC_DRIVER }, "VXBD", 4);
	assert_memory_equal(&(uint32_t){ VX_MAGIC_BACKEND }, "VXBB", 4);
	assert_memory_equal(&(uint32_t){ VX_INFLIGHT_MAGIC }, "VXIF", 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(layouts),
		cmocka_unit_test(values),
		cmocka_unit_test(xenstore_nodes),
		cmocka_unit_test(arithmetic),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
