// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/pv/qmp.c src/lib/qmp/stream.c */
/* test-pkgs: json-c */
/* What a client of the QMP socket may say: each message gets one answer, "return" or "error", with its id. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "qmp/stream.h"
#include "stubdom/pv/qmp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int is)
{
	if (!is)
		abort();
}

static int password(void *arg, const char *text)
{
	(void)arg;
	return strlen(text) > 8 ? -1 : 0;
}

static void check(struct json_object *msg, struct json_object *answer, bool was, bool negotiated)
{
	struct json_object *o, *id;
	bool ret = json_object_object_get_ex(answer, "return", NULL), err = json_object_object_get_ex(answer, "error", &o);

	must(ret != err);
	if (err)
		must(json_object_object_get_ex(o, "class", NULL) && json_object_object_get_ex(o, "desc", NULL));
	/* Nothing is done before the negotiation, and no error ends it. */
	must(negotiated == (was || ret));
	must(json_object_object_get_ex(answer, "id", &o) == (msg && json_object_object_get_ex(msg, "id", &id)));
	must(json_object_to_json_string(answer) != NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qmp_vnc vnc = { .enabled = size & 1, .host = "::1", .service = "5900" };
	struct qmp_server q = { .name = "x", .vnc = &vnc, .password = size & 2 ? password : NULL };
	const char *p = (const char *)data;
	struct qmp_stream in;
	bool negotiated = false;

	must(!qmp_stream_init(&in, 4096));
	while (size) {
		struct json_object *msg = NULL, *answer;
		int got = qmp_stream_next(&in, &p, &size, &msg);
		bool was = negotiated;

		if (!got)
			break;
		answer = qmp_answer(&q, &negotiated, msg);
		check(msg, answer, was, negotiated);
		json_object_put(answer);
		json_object_put(msg);
	}
	qmp_stream_free(&in);
	return 0;
}
