// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-virtio stats: what a guest's devices have moved. */
#include <inttypes.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "vcli.h"
#include "xen/xs_util.h"

static const char usage[] =
"usage: xen-virtio stats [--json] DOMAIN\n"
"Show what the disks and network cards of a guest have moved since their backend\n"
"was started: bytes and requests, or packets.\n"
"\n"
"  --json    for scripts\n";

struct counts {
	uint64_t in, out, in_ops, out_ops, errors;
};

/* ---- disks: QEMU knows ---- */

/* NULL, after saying why. */
static struct json_object *ask_disks(uint32_t domid)
{
	char error[VD_ERROR_MAX];
	struct json_object *list = qemu_ask(domid, "query-blockstats", NULL, error);

	if (!list)
		log_warn(NULL, "the backend's QEMU: %s: disks are left out", error);
	return list;
}

static uint64_t number(struct json_object *o, const char *key)
{
	struct json_object *v;

	return json_object_object_get_ex(o, key, &v) ? (uint64_t)json_object_get_int64(v) : 0;
}

/* A device's id, or its path: ".../NAME.dev/...". */
static bool names_device(const char *qdev, const char *want)
{
	size_t n = strlen(want);

	for (const char *at = strstr(qdev, want); at; at = strstr(at + 1, want))
		if ((at == qdev || at[-1] == '/') && (!at[n] || at[n] == '/'))
			return true;
	return false;
}

static bool disk_counts(struct json_object *list, struct vd_id id, struct counts *c)
{
	char name[VD_ID_MAX], want[VD_ID_MAX + 16];
	size_t n = json_object_is_type(list, json_type_array) ? json_object_array_length(list) : 0;

	snprintf(want, sizeof(want), "%s.dev", vd_id_name(name, id));
	for (size_t i = 0; i < n; i++) {
		struct json_object *e = json_object_array_get_idx(list, i), *qdev, *st;

		if (!json_object_object_get_ex(e, "qdev", &qdev) ||
		    !json_object_object_get_ex(e, "stats", &st))
			continue;
		if (!names_device(json_object_get_string(qdev), want))
			continue;
		c->in = number(st, "wr_bytes");
		c->out = number(st, "rd_bytes");
		c->in_ops = number(st, "wr_operations");
		c->out_ops = number(st, "rd_operations");
		c->errors = number(st, "failed_rd_operations") + number(st, "failed_wr_operations") +
			    number(st, "failed_flush_operations");
		return true;
	}
	return false;
}

/* ---- network cards: the tap knows ---- */

static uint64_t tap_count(const char *tap, const char *what)
{
	char path[96], *text;
	uint64_t n = 0;

	snprintf(path, sizeof(path), "/sys/class/net/%s/statistics/%s", tap, what);
	if (host_slurp(path, 64, &text, NULL))
		return 0;
	text[strcspn(text, "\n")] = '\0';
	if (xsu_parse_uint(text, UINT64_MAX / 2, &n))
		n = 0;
	free(text);
	return n;
}

/* What the tap receives, the guest has sent. */
static bool net_counts(uint32_t domid, struct vd_id id, struct counts *c)
{
	char tap[IFNAMSIZ];

	if (vd_tap_name(tap, domid, id.devid) || !if_nametoindex(tap))
		return false;
	c->in = tap_count(tap, "rx_bytes");
	c->out = tap_count(tap, "tx_bytes");
	c->in_ops = tap_count(tap, "rx_packets");
	c->out_ops = tap_count(tap, "tx_packets");
	c->errors = tap_count(tap, "rx_dropped") + tap_count(tap, "tx_dropped");
	return true;
}

/* ---- output ---- */

static void print_json(json_object *top, const char *device, const char *type, const struct counts *c)
{
	json_object *o = json_object_new_object();

	json_object_object_add(o, "device", json_object_new_string(device));
	json_object_object_add(o, "type", json_object_new_string(type));
	json_object_object_add(o, "bytes_from_guest", json_object_new_int64((int64_t)c->in));
	json_object_object_add(o, "bytes_to_guest", json_object_new_int64((int64_t)c->out));
	json_object_object_add(o, "requests_from_guest", json_object_new_int64((int64_t)c->in_ops));
	json_object_object_add(o, "requests_to_guest", json_object_new_int64((int64_t)c->out_ops));
	json_object_object_add(o, "errors", json_object_new_int64((int64_t)c->errors));
	json_object_array_add(top, o);
}

static void print_text(const char *device, const char *type, const struct counts *c)
{
	printf("%-18s %-6s %15" PRIu64 " %15" PRIu64 " %12" PRIu64 " %12" PRIu64 " %8" PRIu64 "\n",
	       device, type, c->in, c->out, c->in_ops, c->out_ops, c->errors);
}

static int show(const struct vd_store *st, uint32_t domid, bool json)
{
	json_object *disks = NULL, *top = json ? json_object_new_array() : NULL;
	struct vd_node *list;
	unsigned int n;
	bool asked = false;
	int ret = vd_nodes_list(st, domid, &list, &n);

	if (!json && !ret)
		printf("%-18s %-6s %15s %15s %12s %12s %8s\n", "DEVICE", "TYPE", "FROM(B)", "TO(B)",
		       "FROM", "TO", "ERRORS");
	for (unsigned int i = 0; !ret && i < n; i++) {
		const struct vd_spec *s = &list[i].spec;
		struct counts c = { 0 };
		char device[VD_ID_MAX];

		if (list[i].bad || (s->type != VD_BLOCK && s->type != VD_NET))
			continue;
		if (s->type == VD_BLOCK && !asked) {
			disks = ask_disks(domid);
			asked = true;
		}
		if (s->type == VD_NET ? !net_counts(domid, list[i].id, &c)
				      : !disk_counts(disks, list[i].id, &c))
			continue;
		vd_id_show(device, list[i].id);
		if (json)
			print_json(top, device, vd_type_name(s->type), &c);
		else
			print_text(device, vd_type_name(s->type), &c);
	}
	if (json && !ret)
		puts(json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY |
						    JSON_C_TO_STRING_NOSLASHESCAPE));
	if (ret)
		log_err(NULL, "xenstore cannot be read: %s", strerror(-ret));
	json_object_put(disks);
	json_object_put(top);
	free(list);
	return ret;
}

int cmd_stats(int argc, char **argv)
{
	struct vd_store st;
	struct args a;
	uint32_t domid;
	int ret = args_parse(argc, argv, usage, 1, 1, &a);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	if (backend_elsewhere(&a, "stats"))
		return EXIT_USAGE;
	if (target_open(&st, true, NULL, a.words, &domid, NULL))
		return EXIT_FAILURE;
	ret = show(&st, domid, a.json);
	xs_close(st.xs);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
