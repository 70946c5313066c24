// SPDX-License-Identifier: GPL-2.0-or-later
/* test-sources: src/virtio/daemon/net.c src/lib/virtio/ids.c src/lib/virtio/mark.c src/lib/net/rtnl.c src/lib/net/tap.c src/lib/xen/xs_util.c src/lib/base/log.c tests/unit/fake_xenstore.c src/lib/xen/domain.c */
/* test-pkgs: libmnl */
/* Names of interfaces, which whoever may make one chooses: what is taken for a tap has just that name. */
#include <net/if.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "virtio/daemon/net.h"
#include "virtio/ids.h"
#include "virtio/mark.h"
#include "xen/domain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), name[IFNAMSIZ];
	uint32_t domid, devid;

	memcpy(text, data, size);
	text[size] = '\0';
	if (!vd_net_parse(text, &domid, &devid) &&
	    (domid >= DOMID_LIMIT || vd_tap_name(name, domid, devid) || strcmp(name, text)))
		abort();
	/* Nothing of that name is there, or it is not ours. */
	if (!strchr(text, '/') && vd_tap_ours(text))
		abort();
	free(text);
	return 0;
}
