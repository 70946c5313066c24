// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/qmp/session.c src/lib/qmp/client.c src/virtio/daemon/ioerror.c src/lib/virtio/size.c src/lib/virtio/ids.c src/lib/qmp/stream.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/xen/domain.c */
/* test-pkgs: json-c libsystemd */
/* What a QEMU that its guest has taken over may say; in pieces of 1 to 256 bytes. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/daemon/ioerror.h"
#include "qmp/client.h"
#include "qmp/session.h"
#include "virtio/size.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct qmp_client q;
static int asked;

static void ask(void)
{
	if (asked++ < 1000 && qmp_client_command(&q, "query-status", NULL, -1, NULL, NULL))
		abort();
}

/* Two at once: one of them waits. */
static void on_ready(void *arg, const char *version)
{
	(void)arg;
	if (strspn(version, "-.0123456789") != strlen(version))
		abort();
	ask();
	ask();
}

static void on_reply(void *arg, struct json_object *ret, const char *error)
{
	(void)arg;
	if (!ret == !error)
		abort();
	for (const char *c = error ? error : ""; *c; c++)
		if (*c < 0x20 || *c > 0x7e || c - error >= QMP_ERROR_MAX)
			abort();
	if (vd_size_of(ret, (struct vd_id){ VD_KIND_DISK, 51712 }) > INT64_MAX)
		abort();
	if (!q.broken)
		ask();
}

static void on_event(void *arg, const char *name, struct json_object *data)
{
	struct json_object *dev;
	struct vd_ioerror e;

	(void)arg;
	if (!name)
		abort();
	if (ioerror_parse(data, &e) && (e.id.kind >= VD_KINDS || strlen(e.reason) >= sizeof(e.reason)))
		abort();
	json_object_object_get_ex(data, "device", &dev);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct qmp_client_ops ops = { on_ready, on_reply, on_event };
	const char *why = NULL;

	asked = 0;
	if (qmp_client_init(&q, &ops, NULL, QMP_MSG_MAX))
		abort();
	while (!why && size > 1) {
		size_t n = (size_t)data[0] + 1;

		data++;
		size--;
		if (n > size)
			n = size;
		why = qmp_client_input(&q, (const char *)data, n);
		qmp_buf_clear(&q.out);
		data += n;
		size -= n;
	}
	qmp_client_free(&q);
	if (q.count)
		abort();
	return 0;
}
