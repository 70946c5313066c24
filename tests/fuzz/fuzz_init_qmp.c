// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/stubdom/init/qmp_msg.c src/lib/qmp/stream.c */
/* test-pkgs: json-c */
/*
 * The QMP broker's state machine.  The input is records: a byte that says
 * what happens, a length, and so many bytes.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "stubdom/init/qmp_msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char ready[] =
	"{\"QMP\":{\"version\":{},\"capabilities\":[]}}{\"return\":{},\"id\":\"xe-caps\"}";

/* QEMU must only ever get objects, one a line, with an id of ours. */
static void check_to_qemu(struct qmp_buf *b)
{
	struct qmp_stream s;
	struct json_object *o, *id;
	const char *p = qmp_buf_data(b);
	size_t len = b->len - b->head;
	int got;

	if (!len || qmp_stream_init(&s, 1 << 20))
		return;
	while ((got = qmp_stream_next(&s, &p, &len, &o)) > 0) {
		if (!json_object_object_get_ex(o, "id", &id) ||
		    strncmp(json_object_get_string(id), "xe-", 3))
			abort();
		json_object_put(o);
	}
	if (got < 0 || s.used)
		abort();
	qmp_stream_free(&s);
	qmp_buf_take(b, b->len - b->head);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct qmp_relay r;
	int ret = 0;

	if (qmp_relay_init(&r))
		return 0;
	if (size && (*data & 0x80))
		ret = qmp_relay_from_qemu(&r, ready, sizeof(ready) - 1);
	r.hold_saves = size & 1;
	while (size >= 2 && !ret) {
		uint8_t what = data[0] & 7;
		size_t n = data[1];

		data += 2;
		size -= 2;
		if (n > size)
			n = size;
		switch (what) {
		case 0:
			qmp_relay_attach(&r);
			break;
		case 1:
			qmp_relay_detach(&r);
			break;
		case 2:
			if (n & 2)
				ret = qmp_relay_save_go(&r, n & 1 ? "/run/pipe" : NULL);
			else if (n & 4)
				ret = qmp_relay_save_fail(&r, "no");
			else if (n & 8)
				ret = qmp_relay_give_up(&r, "late");
			else
				ret = qmp_relay_save_done(&r, n & 1 ? "no" : NULL);
			break;
		case 3: case 4:
			ret = qmp_relay_from_qemu(&r, (const char *)data, n);
			break;
		default:
			if (r.attached)
				ret = qmp_relay_from_client(&r, (const char *)data, n);
			break;
		}
		if (what > 2) {
			data += n;
			size -= n;
		}
		check_to_qemu(&r.to_qemu);
		/* Held or in QEMU, it is one. */
		if ((r.save || r.held) && !r.saving)
			abort();
	}
	if (ret && ret != -EPROTO)
		abort();
	qmp_relay_free(&r);
	return 0;
}
