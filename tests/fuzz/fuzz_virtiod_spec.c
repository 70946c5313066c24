// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/lib/virtio/spec.c src/lib/virtio/ids.c src/virtio/daemon/steps.c src/virtio/daemon/opened.c src/lib/net/tap.c src/lib/net/rtnl.c src/virtio/daemon/option.c src/virtio/daemon/argv.c src/virtio/daemon/events.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/daemon/watches.c src/lib/xen/domain.c */
/* test-pkgs: json-c libmnl */
/* A virtio= line's type, or a disk's nodes, one a line; what is taken becomes arguments of QEMU. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/daemon/argv.h"
#include "virtio/daemon/events.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_error(const char *error)
{
	size_t n = strnlen(error, VD_ERROR_MAX);

	/* One line of printable ASCII that has something to say. */
	if (!n || n == VD_ERROR_MAX)
		abort();
	for (size_t i = 0; i < n; i++)
		if (error[i] < 0x20 || error[i] > 0x7e)
			abort();
}

static void check_good(const struct vd_spec *s, struct vd_id id)
{
	struct vd_argv a = { .v = NULL };
	struct vd_found found = { .vhost = s->vhost != VD_VHOST_OFF };
	struct vd_opened o = { .n = vd_opened_count(s, &found) };
	struct vd_steps st;

	if (o.n > VD_OPENED_MAX)
		abort();
	if (s->type == VD_BLOCK && s->path[0] != '/')
		abort();
	if (s->type == VD_NET && (!s->bridge[0] || (s->mac[0] & 1)))
		abort();
	if (!vd_steps_make(&st, id, s, &found, &o, false)) {
		if (vd_argv_steps(&a, &st))
			abort();
		/* Pairs of an option and its value, one device's and no more. */
		for (unsigned int i = 0; i < a.n; i += 2)
			if (a.v[i][0] != '-' || !a.v[i + 1] || a.v[i + 1][0] == '-')
				abort();
		if (a.n < 4 || a.n > 2 * VD_STEPS_MAX)
			abort();
	}
	vd_argv_free(&a);
	vd_steps_free(&st);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct vd_events ev;
	struct vd_id id = { VD_KIND_VIRTIO, 0 };
	struct vd_disk_nodes n = { 0 };
	char *text = malloc(size + 1), *p = text, error[VD_ERROR_MAX];
	struct vd_spec s;

	memcpy(text, data, size);
	text[size] = '\0';
	vd_events_note(&ev, 0, text, "dev");
	vd_id_parse(text, &id);
	if (vd_spec_parse(text, &s, error))
		check_error(error);
	else
		check_good(&s, id);
	n.params = strsep(&p, "\n");
	n.mode = strsep(&p, "\n");
	n.device_type = strsep(&p, "\n");
	n.discard = strsep(&p, "\n");
	if (vd_spec_disk(&n, &s, error))
		check_error(error);
	else
		check_good(&s, id);
	free(text);
	return 0;
}
