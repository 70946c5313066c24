// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/daemon/xsfilter.c src/lib/virtio/ids.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/xen/domain.c */
/* trust-01: what a QEMU that its guest has taken over says to xenstored: a byte of type, then a body. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <xen/io/xs_wire.h>

#include "virtio/daemon/xsfilter.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int begins(const char *path, const char *with)
{
	return !strncmp(path, with, strlen(with));
}

/* Another look at the same promise: this guest's devices, in one spelling. */
static void check_path(const char *path, int write)
{
	int back = begins(path, "/local/domain/0/backend/virtio/3/") || begins(path, "/local/domain/0/backend/virtio_disk/3/");
	int front = begins(path, "/local/domain/3/device/virtio/") || begins(path, "/local/domain/3/device/virtio_disk/");

	if (write ? !back : !back && !front && strcmp(path, "domid"))
		abort();
	if (strstr(path, "//") || strchr(path, '.') || strchr(path, '@') || path[strlen(path) - 1] == '/')
		abort();
	if (write && (strstr(path, "/online") || strstr(path, "/params") || strstr(path, "/frontend")))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xsf f = { .own = 0, .domid = 3 };
	char *body;
	size_t len;

	if (!size)
		return 0;
	len = size - 1;
	/* Not a byte more than there is. */
	body = malloc(len ? len : 1);
	memcpy(body, data + 1, len);
	if (xsf_allows(&f, data[0], body, len)) {
		switch (data[0]) {
		case XS_READ:
		case XS_WATCH:
		case XS_UNWATCH:
			check_path(body, 0);
			break;
		case XS_WRITE:
		case XS_RM:
			check_path(body, 1);
			break;
		case XS_TRANSACTION_START:
		case XS_TRANSACTION_END:
			break;
		default:
			abort();
		}
	}
	free(body);
	return 0;
}
