// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-virtio list: the virtio devices of guests, and their states. */
#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "vcli.h"

static const char usage[] =
"usage: xen-virtio list [--json] [--backend DOMAIN] [DOMAIN]\n"
"Show the virtio devices that this domain serves, of all guests or of one.\n"
"\n"
"  --backend DOMAIN    those that a driver domain serves\n"
"  --json              for scripts\n";

struct row {
	uint32_t domid;
	char name[DOMAIN_NAME_MAX];
	char device[VD_ID_MAX];
	char what[VD_PATH_MAX + 64];
	char error[VD_ERROR_MAX];
	const struct vd_node *node;
	enum xenbus_state frontend;
};

typedef void row_fn(const struct row *r, void *arg);

static json_object *text_or_null(const char *s)
{
	return *s ? json_object_new_string(s) : NULL;
}

static void row_json(const struct row *r, void *arg)
{
	json_object *o = json_object_new_object();
	const struct vd_node *n = r->node;

	json_object_object_add(o, "name", text_or_null(r->name));
	json_object_object_add(o, "domid", json_object_new_int64(r->domid));
	json_object_object_add(o, "device", json_object_new_string(r->device));
	json_object_object_add(o, "type", n->bad ? NULL : json_object_new_string(vd_type_name(n->spec.type)));
	json_object_object_add(o, "what", text_or_null(r->what));
	json_object_object_add(o, "online", json_object_new_boolean(n->online));
	json_object_object_add(o, "backend_state", json_object_new_int(n->state));
	json_object_object_add(o, "frontend_state", json_object_new_int(r->frontend));
	json_object_object_add(o, "error", text_or_null(r->error));
	json_object_array_add(arg, o);
}

static void row_text(const struct row *r, void *arg)
{
	const struct vd_node *n = r->node;
	unsigned int *count = arg;

	if (!(*count)++)
		printf("%-20s %5s %-18s %-8s %-12s %-12s %s\n", "GUEST", "DOMID", "DEVICE", "TYPE",
		       "BACKEND", "FRONTEND", "WHAT");
	printf("%-20s %5u %-18s %-8s %-12s %-12s %s\n", *r->name ? r->name : "-", r->domid,
	       r->device, n->bad ? "?" : vd_type_name(n->spec.type), xenbus_state_name(n->state),
	       xenbus_state_name(r->frontend), r->what);
	if (*r->error)
		printf("    error: %s\n", r->error);
}

static int rows(const struct vd_store *st, uint32_t domid, row_fn *fn, void *arg)
{
	struct vd_node *list;
	struct row r = { .domid = domid };
	unsigned int n;
	int ret = vd_nodes_list(st, domid, &list, &n);

	if (ret)
		return ret;
	domain_name(st->xs, domid, r.name, DOMAIN_NAME_MAX);
	for (unsigned int i = 0; i < n; i++) {
		r.node = &list[i];
		vd_id_show(r.device, list[i].id);
		r.what[0] = '\0';
		if (!list[i].bad)
			vd_spec_what(&list[i].spec, r.what, sizeof(r.what));
		r.frontend = frontend_state(st, domid, list[i].id);
		device_error(st, domid, list[i].id, r.error);
		if (list[i].bad && !r.error[0])
			memcpy(r.error, list[i].error, sizeof(r.error));
		fn(&r, arg);
	}
	free(list);
	return 0;
}

static int all_rows(const struct vd_store *st, row_fn *fn, void *arg)
{
	uint32_t *domids;
	unsigned int n;
	int ret = vd_nodes_guests(st, &domids, &n);

	for (unsigned int i = 0; !ret && i < n; i++)
		ret = rows(st, domids[i], fn, arg);
	free(domids);
	return ret;
}

int cmd_list(int argc, char **argv)
{
	struct vd_store st;
	struct args a;
	json_object *top = NULL;
	unsigned int count = 0;
	uint32_t domid;
	int ret = args_parse(argc, argv, usage, 0, 1, &a);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	if (store_open(&st, true, a.backend))
		return EXIT_FAILURE;
	if (a.json)
		top = json_object_new_array();
	ret = a.n ? domain_find(&st, a.words[0], &domid) : 0;
	if (ret)
		goto out;
	if (a.n)
		ret = rows(&st, domid, a.json ? row_json : row_text, a.json ? (void *)top : &count);
	else
		ret = all_rows(&st, a.json ? row_json : row_text, a.json ? (void *)top : &count);
	if (ret)
		log_err(NULL, "xenstore cannot be read: %s", strerror(-ret));
	else if (a.json)
		puts(json_object_to_json_string_ext(top, JSON_C_TO_STRING_PRETTY |
						    JSON_C_TO_STRING_NOSLASHESCAPE));
	else if (!count)
		puts("No virtio device.");
out:
	json_object_put(top);
	xs_close(st.xs);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
