// SPDX-License-Identifier: GPL-2.0-or-later
#include "qmp.h"

#include <string.h>

typedef struct json_object *reply_fn(struct qmp_server *q, struct json_object *args, const char **error);

static struct json_object *empty(void)
{
	return json_object_new_object();
}

static void add_string(struct json_object *o, const char *key, const char *value)
{
	json_object_object_add(o, key, json_object_new_string(value));
}

/* ---- the commands ---- */

static struct json_object *say_nothing(struct qmp_server *q, struct json_object *args, const char **error)
{
	(void)q;
	(void)args;
	(void)error;
	return empty();
}

/*
 * No option worth knowing, no character device that is a serial port (libxl looks for those
 * of a guest without a stubdomain), no disk.
 */
static struct json_object *none(struct qmp_server *q, struct json_object *args, const char **error)
{
	(void)q;
	(void)args;
	(void)error;
	return json_object_new_array();
}

/* A version of QEMU: what QMP's clients of 2.9 and later expect. */
static struct json_object *version(struct qmp_server *q, struct json_object *args, const char **error)
{
	static const char *const parts[] = { "major", "minor", "micro" };
	struct json_object *o = empty(), *qemu = empty();

	(void)q;
	(void)args;
	(void)error;
	for (int i = 0; i < 3; i++)
		json_object_object_add(qemu, parts[i], json_object_new_int(i ? 0 : 7));
	json_object_object_add(o, "qemu", qemu);
	add_string(o, "package", "xen-stubdom-pv " XE_VERSION);
	return o;
}

static struct json_object *status(struct qmp_server *q, struct json_object *args, const char **error)
{
	struct json_object *o = empty();

	(void)q;
	(void)args;
	(void)error;
	json_object_object_add(o, "running", json_object_new_boolean(true));
	json_object_object_add(o, "singlestep", json_object_new_boolean(false));
	add_string(o, "status", "running");
	return o;
}

static struct json_object *name(struct qmp_server *q, struct json_object *args, const char **error)
{
	struct json_object *o = empty();

	(void)args;
	(void)error;
	if (q->name)
		add_string(o, "name", q->name);
	return o;
}

static struct json_object *vnc(struct qmp_server *q, struct json_object *args, const char **error)
{
	struct json_object *o = empty();

	(void)args;
	(void)error;
	json_object_object_add(o, "enabled", json_object_new_boolean(q->vnc->enabled));
	if (!q->vnc->enabled)
		return o;
	add_string(o, "host", q->vnc->host);
	add_string(o, "service", q->vnc->service);
	add_string(o, "auth", q->vnc->password ? "vnc" : "none");
	add_string(o, "family", strchr(q->vnc->host, ':') ? "ipv6" : "ipv4");
	json_object_object_add(o, "clients", json_object_new_array());
	return o;
}

static struct json_object *password(struct qmp_server *q, struct json_object *args, const char **error)
{
	struct json_object *text;

	if (!q->password) {
		*error = "there is no VNC server";
		return NULL;
	}
	if (!args || !json_object_object_get_ex(args, "password", &text) || !json_object_is_type(text, json_type_string)) {
		*error = "Parameter 'password' is missing";
		return NULL;
	}
	if (q->password(q->arg, json_object_get_string(text)))
		*error = "the password cannot be set";
	return *error ? NULL : empty();
}

static struct json_object *quit(struct qmp_server *q, struct json_object *args, const char **error)
{
	q->quit = true;
	return say_nothing(q, args, error);
}

static const struct command {
	const char *name;
	reply_fn *fn;
} commands[] = {
	{ "qmp_capabilities", say_nothing }, { "query-command-line-options", none }, { "query-chardev", none },
	{ "query-vnc", vnc }, { "change-vnc-password", password }, { "quit", quit }, { "query-status", status },
	{ "query-version", version }, { "query-name", name }, { "query-block", none }, { "query-blockstats", none },
};

/* ---- messages ---- */

static struct json_object *error_object(const char *class, const char *text)
{
	struct json_object *e = empty();

	add_string(e, "class", class);
	add_string(e, "desc", text);
	return e;
}

static const struct command *find(const char *text)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(commands[i].name, text))
			return &commands[i];
	return NULL;
}

static struct json_object *run(struct qmp_server *q, bool *negotiated, struct json_object *msg, const char **key)
{
	struct json_object *execute, *args = NULL, *ret;
	const struct command *c;
	const char *error = NULL;

	*key = "error";
	if (!msg)
		return error_object("GenericError", "JSON parse error");
	if (!json_object_object_get_ex(msg, "execute", &execute) || !json_object_is_type(execute, json_type_string))
		return error_object("GenericError", "QMP input lacks member 'execute'");
	if (json_object_object_get_ex(msg, "arguments", &args) && !json_object_is_type(args, json_type_object))
		return error_object("GenericError", "QMP input member 'arguments' must be an object");
	c = find(json_object_get_string(execute));
	if (!c)
		return error_object("CommandNotFound", "The command has not been found");
	/* Once, and first. */
	if (*negotiated != (c != commands))
		return error_object("CommandNotFound", *negotiated ? "Capabilities negotiation is already complete, command ignored" :
				    "Expecting capabilities negotiation with 'qmp_capabilities'");
	ret = c->fn(q, args, &error);
	if (error)
		return error_object("GenericError", error);
	*negotiated = true;
	*key = "return";
	return ret;
}

struct json_object *qmp_greeting(void)
{
	struct json_object *o = empty(), *in = empty();

	json_object_object_add(in, "version", version(NULL, NULL, NULL));
	json_object_object_add(in, "capabilities", json_object_new_array());
	json_object_object_add(o, "QMP", in);
	return o;
}

struct json_object *qmp_answer(struct qmp_server *q, bool *negotiated, struct json_object *msg)
{
	struct json_object *o = empty(), *id;
	const char *key;
	struct json_object *result = run(q, negotiated, msg, &key);

	json_object_object_add(o, key, result);
	if (msg && json_object_object_get_ex(msg, "id", &id))
		json_object_object_add(o, "id", json_object_get(id));
	return o;
}
