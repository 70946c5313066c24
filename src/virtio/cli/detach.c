// SPDX-License-Identifier: GPL-2.0-or-later
/* xen-virtio detach: take a device away. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "device_nodes.h"
#include "vcli.h"

#define WAIT_MS 15000
#define STEP_MS 50

static const char usage[] =
"usage: xen-virtio detach [--force] [--backend DOMAIN] DOMAIN DEVICE\n"
"Take a virtio device away from a running guest.  DEVICE is as 'xen-virtio list'\n"
"shows it (virtio/0, virtio_disk/51712), a number, or the name of a disk (xvda).\n"
"\n"
"  --backend DOMAIN    it is served by a driver domain\n"
"  --force             also when the guest or its backend still uses it\n";

static int wait_closed(const struct vd_store *st, uint32_t domid, struct vd_id id)
{
	struct vd_node n;

	for (int ms = 0; ms < WAIT_MS; ms += STEP_MS) {
		int ret = vd_nodes_read(st, domid, id, &n);

		if (ret)
			return ret == -ENOENT ? 0 : ret;
		if (n.state == XenbusStateClosed)
			return 0;
		usleep(STEP_MS * 1000);
	}
	return -ETIMEDOUT;
}

static int detach(const struct vd_store *st, uint32_t domid, struct vd_id id, bool force)
{
	int ret = devnodes_close(st, domid, id);

	if (!ret)
		ret = wait_closed(st, domid, id);
	if (ret == -ETIMEDOUT && !force) {
		log_err(NULL, "the guest still uses it: unmount it there, or use --force");
		return ret;
	}
	if (!ret || ret == -ETIMEDOUT)
		ret = devnodes_remove(st, domid, id);
	if (ret && ret != -ENOENT)
		log_err(NULL, "xenstore cannot be written: %s", strerror(-ret));
	return ret == -ENOENT ? 0 : ret;
}

int cmd_detach(int argc, char **argv)
{
	struct vd_store st;
	struct args a;
	struct vd_id id;
	uint32_t domid;
	int ret = args_parse(argc, argv, usage, 2, 2, &a);

	if (ret)
		return ret < 0 ? EXIT_SUCCESS : ret;
	if (target_open(&st, false, a.backend, a.words, &domid, &id))
		return EXIT_FAILURE;
	ret = detach(&st, domid, id, a.force);
	xs_close(st.xs);
	return ret ? EXIT_FAILURE : EXIT_SUCCESS;
}
