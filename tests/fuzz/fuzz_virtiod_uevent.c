// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/daemon/uevent.c src/lib/virtio/size.c src/lib/virtio/ids.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/xen/domain.c */
/* test-pkgs: json-c */
/* Messages of the kernel about devices; and a size as a person gives it. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/size.h"
#include "virtio/daemon/uevent.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Not a byte more than there is. */
	char *msg = malloc(size + 1);
	uint64_t bytes;
	dev_t dev = 0;

	memcpy(msg, data, size);
	if (uevent_changed(msg, size, &dev) && !dev)
		abort();
	msg[size] = '\0';
	if (!vd_size_parse(msg, &bytes) && (!bytes || bytes > INT64_MAX))
		abort();
	free(msg);
	return 0;
}
