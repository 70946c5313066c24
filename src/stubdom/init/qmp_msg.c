// SPDX-License-Identifier: GPL-2.0-or-later
#include "qmp_msg.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TO_STRING (JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE)

/* "id" of our own commands; QEMU gives it back. */
#define ID_PREFIX "xe-"
#define ID_CAPS   "xe-caps"

static size_t buf_used(const struct qmp_buf *b)
{
	return b->len - b->head;
}

int qmp_relay_init(struct qmp_relay *r)
{
	int ret;

	memset(r, 0, sizeof(*r));
	r->next_id = 1;
	ret = qmp_stream_init(&r->client_in, QMP_CLIENT_MSG_MAX);
	if (!ret)
		ret = qmp_stream_init(&r->qemu_in, QMP_QEMU_MSG_MAX);
	return ret;
}

static void pending_free(struct qmp_pending *p)
{
	json_object_put(p->client_id);
	memset(p, 0, sizeof(*p));
}

void qmp_relay_free(struct qmp_relay *r)
{
	for (unsigned int i = 0; i < QMP_PENDING_MAX; i++)
		pending_free(&r->pending[i]);
	pending_free(&r->save_for);
	json_object_put(r->save);
	pending_free(&r->held_for);
	json_object_put(r->held);
	json_object_put(r->greeting);
	qmp_stream_free(&r->client_in);
	qmp_stream_free(&r->qemu_in);
	qmp_buf_clear(&r->to_client);
	qmp_buf_clear(&r->to_qemu);
}

static int put_msg(struct qmp_buf *b, struct json_object *o)
{
	size_t len;
	const char *s = json_object_to_json_string_length(o, TO_STRING, &len);
	int ret;

	if (!s)
		return -ENOMEM;
	ret = qmp_buf_put(b, s, len);
	/* QEMU ends its lines so, and libxl looks for it. */
	return ret ? ret : qmp_buf_put(b, "\r\n", 2);
}

enum from { EVENT, REPLY, OURS };

/* To the client, if it still reads. */
static int put_client(struct qmp_relay *r, struct json_object *o, enum from from)
{
	size_t used = buf_used(&r->to_client);

	if (!r->attached || r->ignored)
		return 0;
	if (from == EVENT && used > QMP_EVENTS_MAX) {
		r->events_dropped++;
		return 0;
	}
	if (used > (from == OURS ? QMP_EVENTS_MAX : QMP_OUT_MAX)) {
		r->ignored = true;
		return 0;
	}
	return put_msg(&r->to_client, o);
}

/* Answer a command ourselves; takes @body ("return" or "error"). */
static int answer(struct qmp_relay *r, const char *key,
		  struct json_object *body, struct json_object *id, bool has_id)
{
	struct json_object *o = json_object_new_object();
	int ret;

	if (!o || !body) {
		json_object_put(o);
		json_object_put(body);
		return -ENOMEM;
	}
	json_object_object_add(o, key, body);
	if (has_id)
		json_object_object_add(o, "id", json_object_get(id));
	ret = put_client(r, o, OURS);
	json_object_put(o);
	return ret;
}

static int answer_error(struct qmp_relay *r, const char *class, const char *desc,
			struct json_object *id, bool has_id)
{
	struct json_object *e = json_object_new_object();

	if (e) {
		json_object_object_add(e, "class", json_object_new_string(class));
		json_object_object_add(e, "desc", json_object_new_string(desc));
	}
	return answer(r, "error", e, id, has_id);
}

static int greet(struct qmp_relay *r)
{
	if (!r->attached || r->greeted || !r->greeting || !r->qemu_ready)
		return 0;
	r->greeted = true;
	return put_client(r, r->greeting, REPLY);
}

void qmp_relay_detach(struct qmp_relay *r)
{
	r->attached = r->greeted = r->negotiated = r->ignored = false;
	qmp_buf_clear(&r->to_client);
	qmp_stream_reset(&r->client_in);
	/* QEMU has not got it, and nobody wants it now. */
	if (r->save) {
		json_object_put(r->save);
		r->save = NULL;
		pending_free(&r->save_for);
		r->saving = false;
	}
	/* What QEMU still answers to this session goes nowhere. */
	for (unsigned int i = 0; i < QMP_PENDING_MAX; i++) {
		json_object_put(r->pending[i].client_id);
		r->pending[i].client_id = NULL;
	}
}

void qmp_relay_attach(struct qmp_relay *r)
{
	qmp_relay_detach(r);
	r->session++;
	r->attached = true;
	greet(r);
}

static struct qmp_pending *pending_find(struct qmp_relay *r, uint64_t id)
{
	for (unsigned int i = 0; i < QMP_PENDING_MAX; i++)
		if (r->pending[i].id == id)
			return &r->pending[i];
	return NULL;
}

/* The client's own negotiation ends here: QEMU has had ours. */
static int capabilities(struct qmp_relay *r, struct json_object *msg,
			struct json_object *id, bool has_id)
{
	struct json_object *args, *enable;

	if (r->negotiated)
		return answer_error(r, "CommandNotFound",
				    "Capabilities negotiation is already complete, command ignored",
				    id, has_id);
	if (json_object_object_get_ex(msg, "arguments", &args) &&
	    json_object_object_get_ex(args, "enable", &enable) &&
	    json_object_is_type(enable, json_type_array) &&
	    json_object_array_length(enable))
		return answer_error(r, "GenericError",
				    "Capability is not available through the stubdomain's broker",
				    id, has_id);
	r->negotiated = true;
	return answer(r, "return", json_object_new_object(), id, has_id);
}

/* Whether this command writes the device state where libxl has it written. */
static bool is_save(struct json_object *msg, const char *name)
{
	struct json_object *args, *file;

	return !strcmp(name, "xen-save-devices-state") &&
	       json_object_object_get_ex(msg, "arguments", &args) &&
	       json_object_object_get_ex(args, "filename", &file) &&
	       json_object_is_type(file, json_type_string) &&
	       !strcmp(json_object_get_string(file), "/dev/fdset/1");
}

/* To QEMU, under an id of ours, which becomes that of @msg; takes @p's client_id. */
static int send_on(struct qmp_relay *r, struct json_object *msg, const struct qmp_pending *from)
{
	struct qmp_pending *p = pending_find(r, 0);
	char own[32];

	if (!p)
		return -ENOMEM;		/* whoever calls has looked */
	*p = *from;
	p->id = r->next_id++;
	r->saves += p->save;
	snprintf(own, sizeof(own), ID_PREFIX "%llu", (unsigned long long)p->id);
	json_object_object_add(msg, "id", json_object_new_string(own));
	return put_msg(&r->to_qemu, msg);
}

static bool flag_is_on(struct json_object *msg, const char *name)
{
	struct json_object *args, *o;

	return json_object_object_get_ex(msg, "arguments", &args) &&
	       json_object_object_get_ex(args, name, &o) && json_object_get_boolean(o);
}

/* What tells of a save to come. */
static unsigned int sight(struct json_object *msg, const char *name)
{
	if (!strcmp(name, "xen-set-global-dirty-log"))
		return flag_is_on(msg, "enable") ? QMP_SAW_DIRTY_LOG : QMP_SAW_NO_DIRTY_LOG;
	if (!strcmp(name, "stop"))
		return QMP_SAW_STOP;
	return strcmp(name, "cont") ? 0 : QMP_SAW_CONT;
}

/* Is there room for one more command, the one that is held included? */
static bool has_room(struct qmp_relay *r)
{
	unsigned int free = 0;

	for (unsigned int i = 0; i < QMP_PENDING_MAX; i++)
		free += !r->pending[i].id;
	return free > (r->save ? 1 : 0) && buf_used(&r->to_qemu) <= QMP_CLIENT_MSG_MAX;
}

/* Send a command on, or hold it. */
static int forward(struct qmp_relay *r, struct json_object *msg,
		   const char *name, struct json_object *id, bool has_id)
{
	struct qmp_pending from = { .session = r->session, .has_id = has_id };

	from.save = r->hold_saves && is_save(msg, name);
	if (from.save && r->saving)
		return answer_error(r, "GenericError",
				    "The device state is being saved already",
				    id, has_id);
	if (!has_room(r))
		return answer_error(r, "GenericError",
				    "Too many commands without an answer",
				    id, has_id);
	r->saw |= sight(msg, name);
	from.client_id = json_object_get(id);
	if (!from.save)
		return send_on(r, msg, &from);
	r->saving = true;
	r->saw |= QMP_SAW_SAVE;
	r->save = json_object_get(msg);
	r->save_for = from;
	return 0;
}

static int client_msg(struct qmp_relay *r, struct json_object *msg)
{
	struct json_object *cmd, *id = NULL;
	bool has_id = json_object_object_get_ex(msg, "id", &id);
	const char *name;

	if (!json_object_object_get_ex(msg, "execute", &cmd) ||
	    !json_object_is_type(cmd, json_type_string)) {
		r->bad_client++;
		return answer_error(r, "GenericError",
				    "QMP input lacks member 'execute'", id, has_id);
	}
	name = json_object_get_string(cmd);
	if (!strcmp(name, "qmp_capabilities"))
		return capabilities(r, msg, id, has_id);
	if (!r->negotiated)
		return answer_error(r, "CommandNotFound",
				    "Expecting capabilities negotiation with 'qmp_capabilities'",
				    id, has_id);
	return forward(r, msg, name, id, has_id);
}

int qmp_relay_from_client(struct qmp_relay *r, const char *data, size_t len)
{
	int ret = 0;

	while (len && !ret && !r->ignored) {
		struct json_object *msg;
		int got = qmp_stream_next(&r->client_in, &data, &len, &msg);

		if (!got)
			break;
		if (got < 0) {
			r->bad_client++;
			ret = answer_error(r, "GenericError",
					   got == -E2BIG ? "Message too long" :
					   "JSON parse error", NULL, false);
			continue;
		}
		ret = client_msg(r, msg);
		json_object_put(msg);
	}
	return ret;
}

/* {"QMP": {...}}: once per connection, before all else. */
static int qemu_greeting(struct qmp_relay *r, struct json_object *msg,
			 struct json_object *qmp)
{
	static const char caps[] =
		"{\"execute\":\"qmp_capabilities\",\"id\":\"" ID_CAPS "\"}\r\n";

	if (r->greeting || !json_object_is_type(qmp, json_type_object))
		return -EPROTO;
	/* Out-of-band commands would overtake what we have queued. */
	json_object_object_add(qmp, "capabilities", json_object_new_array());
	r->greeting = json_object_get(msg);
	return qmp_buf_put(&r->to_qemu, caps, sizeof(caps) - 1);
}

/* An answer to the session that asked, under its own id; @p is free then. */
static int reply_to(struct qmp_relay *r, struct qmp_pending *p,
		    struct json_object *msg)
{
	int ret = 0;

	if (r->attached && p->session == r->session) {
		json_object_object_del(msg, "id");
		if (p->has_id)
			json_object_object_add(msg, "id",
					       json_object_get(p->client_id));
		ret = put_client(r, msg, REPLY);
	} else {
		r->late_replies++;
	}
	pending_free(p);
	return ret;
}

static int answer_error_to(struct qmp_relay *r, struct qmp_pending *p,
			   const char *desc)
{
	int ret = 0;

	if (r->attached && p->session == r->session)
		ret = answer_error(r, "GenericError", desc, p->client_id, p->has_id);
	pending_free(p);
	return ret;
}

static int qemu_reply(struct qmp_relay *r, struct json_object *msg)
{
	struct json_object *id, *err, *ret;
	struct qmp_pending *p;
	const char *s = "";

	if (json_object_object_get_ex(msg, "id", &id) &&
	    json_object_is_type(id, json_type_string))
		s = json_object_get_string(id);
	if (!strcmp(s, ID_CAPS)) {
		if (r->qemu_ready || json_object_object_get_ex(msg, "error", &err))
			return -EPROTO;
		r->qemu_ready = true;
		return greet(r);
	}
	p = strncmp(s, ID_PREFIX, sizeof(ID_PREFIX) - 1) ? NULL :
	    pending_find(r, strtoull(s + sizeof(ID_PREFIX) - 1, NULL, 10));
	if (!p || !p->id) {
		r->bad_qemu++;
		return 0;
	}
	/* Nobody waits for it: save_fail() has answered. */
	if (p->save && !p->session) {
		r->saving = false;
		r->late_replies++;
		pending_free(p);
		return 0;
	}
	if (p->save && json_object_object_get_ex(msg, "return", &ret)) {
		r->held = json_object_get(msg);
		r->held_for = *p;
		memset(p, 0, sizeof(*p));
		return 0;
	}
	if (p->save)
		r->saving = false;
	return reply_to(r, p, msg);
}

int qmp_relay_save_go(struct qmp_relay *r, const char *file)
{
	struct json_object *msg = r->save, *args;
	struct qmp_pending from = r->save_for;
	int ret;

	if (!msg)
		return 0;
	r->save = NULL;
	memset(&r->save_for, 0, sizeof(r->save_for));
	if (file && json_object_object_get_ex(msg, "arguments", &args))
		json_object_object_add(args, "filename", json_object_new_string(file));
	ret = send_on(r, msg, &from);
	json_object_put(msg);
	return ret;
}

int qmp_relay_save_done(struct qmp_relay *r, const char *error)
{
	struct qmp_pending p = r->held_for;
	struct json_object *msg = r->held;
	int ret;

	if (!msg)
		return 0;
	r->held = NULL;
	memset(&r->held_for, 0, sizeof(r->held_for));
	r->saving = false;
	if (error)
		ret = answer_error_to(r, &p, error);
	else
		ret = reply_to(r, &p, msg);
	json_object_put(msg);
	return ret;
}

/* The save that QEMU has not answered. */
static struct qmp_pending *save_pending(struct qmp_relay *r)
{
	for (unsigned int i = 0; i < QMP_PENDING_MAX; i++)
		if (r->pending[i].id && r->pending[i].save)
			return &r->pending[i];
	return NULL;
}

int qmp_relay_save_fail(struct qmp_relay *r, const char *error)
{
	struct qmp_pending *p = save_pending(r);
	struct qmp_pending from;

	if (!p)
		return qmp_relay_save_done(r, error);
	/* A copy takes the client's id; @p is kept for QEMU's answer. */
	from = *p;
	p->client_id = NULL;
	p->session = 0;
	return answer_error_to(r, &from, error);
}

static bool is_waited_for(const struct qmp_relay *r, const struct qmp_pending *p)
{
	return r->attached && p->id && p->session == r->session;
}

bool qmp_relay_waits(const struct qmp_relay *r)
{
	for (unsigned int i = 0; i < QMP_PENDING_MAX; i++)
		if (is_waited_for(r, &r->pending[i]))
			return true;
	return false;
}

int qmp_relay_give_up(struct qmp_relay *r, const char *error)
{
	int ret = 0;

	for (unsigned int i = 0; i < QMP_PENDING_MAX && !ret; i++) {
		struct qmp_pending *p = &r->pending[i], from = *p;

		if (!is_waited_for(r, p) || p->save)
			continue;
		p->client_id = NULL;
		p->session = 0;
		ret = answer_error_to(r, &from, error);
	}
	return ret;
}

static uint64_t version_part(struct json_object *v, const char *name)
{
	struct json_object *o;

	return json_object_object_get_ex(v, name, &o) ? json_object_get_int64(o) & 0xffff : 0;
}

void qmp_relay_qemu_version(const struct qmp_relay *r, char *out, size_t size)
{
	struct json_object *qmp, *v, *q;

	out[0] = '\0';
	if (!r->greeting || !json_object_object_get_ex(r->greeting, "QMP", &qmp) ||
	    !json_object_object_get_ex(qmp, "version", &v) || !json_object_object_get_ex(v, "qemu", &q))
		return;
	snprintf(out, size, "%llu.%llu.%llu", (unsigned long long)version_part(q, "major"),
		 (unsigned long long)version_part(q, "minor"), (unsigned long long)version_part(q, "micro"));
}

static int qemu_msg(struct qmp_relay *r, struct json_object *msg)
{
	struct json_object *o;

	if (json_object_object_get_ex(msg, "QMP", &o))
		return qemu_greeting(r, msg, o);
	if (!r->greeting)
		return -EPROTO;
	if (json_object_object_get_ex(msg, "event", &o))
		return r->negotiated ? put_client(r, msg, EVENT) : 0;
	return qemu_reply(r, msg);
}

int qmp_relay_from_qemu(struct qmp_relay *r, const char *data, size_t len)
{
	int ret = 0;

	while (len && !ret) {
		struct json_object *msg;
		int got = qmp_stream_next(&r->qemu_in, &data, &len, &msg);

		if (!got)
			break;
		if (got < 0)
			return -EPROTO;
		ret = qemu_msg(r, msg);
		json_object_put(msg);
	}
	return ret;
}
